"""Thousands of files that come at once, and a switch of branches: until all are found, beside embedding alone."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

from agentd.domain import embedding_text
from benchmarks.harness.bare import embed_bare, tokenise
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.figures import Figure
from benchmarks.harness.workspace import FULL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

BAR_TIMES = 3.0
PROCESSES = 2
SEED = 10_000
NEW_FILES, NEW_FOLDERS, SWITCHED = 10_000, 1_000, 3_000
QUICK_SHARE = 10
LOOK_SECONDS = 0.1
PATIENCE = 600.0
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")
VOCABULARY = """
accept amount archive batch branch buffer cache channel client commit config counter cursor delta digest entry event
filter folder frame gather handle header index invoice journal kernel ledger limit marker matrix merge message metric
node offset order packet parse payload pointer policy query queue record region render report request result route
sample schema segment session signal source stream symbol table target token tracer update vector window worker
"""
WORDS = VOCABULARY.split()

Texts = dict[str, str]
"""Relative path -> what the file holds."""


def run(workspace: Workspace) -> list[Figure]:
    """A repository of two branches is indexed; then folders come, and then the branch is switched."""
    share = 1 if workspace.scale == FULL else QUICK_SHARE
    chosen = random.Random(SEED)  # noqa: S311  # no secret
    folder = workspace.tools / "bulk"
    tree = folder / "tree"
    before, switched = make_repository(tree, SWITCHED // share, chosen)
    new = modules("new/{group}/{number}.py", NEW_FILES // share, NEW_FOLDERS // share, chosen)
    with Daemon(folder / "daemon", tree) as daemon, daemon.connect() as client:
        client.wait("vectors")
        timed = [
            (f"{len(new):,} files created in {NEW_FOLDERS // share:,} new directories", lambda: write(tree, new), new),
            (f"a branch switch of {len(switched):,} files", lambda: git(tree, "checkout", "-q", "other"), switched),
        ]
        expected, figures = before, []
        for what, change, texts in timed:
            expected = expected | texts
            seconds = until_found(client, daemon.state / "index.db", change, expected)
            figures.append(figure(what, seconds, chunk_texts(daemon.state / "index.db", texts)))
    return figures


def figure(what: str, seconds: float, texts: list[str]) -> Figure:
    """Beside the same chunks embedded by bare onnxruntime with nothing else running."""
    bare = embed_bare(tokenise(texts), PROCESSES)
    times = seconds / bare.seconds
    return Figure(
        what,
        f"all found and none stale after {seconds:.1f} s ({times:.2f} times embedding alone)",
        f"bare onnxruntime embeds the {len(texts):,} chunks in {bare.seconds:.1f} s",
        f"{BAR_TIMES:g} times",
        times < BAR_TIMES,
    )


def until_found(client: Client, index: Path, change: Callable[[], object], expected: Texts) -> float:
    """Seconds from the beginning of a change to the moment when keyword and vector search know all of it. Nobody asks
    for a scan: what is found is found by events.

    Raises:
        TimeoutError: it was not found, or not current, in time.
    """
    began = time.perf_counter()
    change()
    while (elapsed := time.perf_counter() - began) < PATIENCE:
        if is_current(client, len(expected)):
            seconds = time.perf_counter() - began
            if not differing(index, expected):
                return seconds
        time.sleep(LOOK_SECONDS)
    stale = len(differing(index, expected))
    raise TimeoutError(
        f"expected {len(expected)} files to be current, found {stale} that are not after {elapsed:.0f} s"
    )


def is_current(client: Client, files: int) -> bool:
    """Whether the index says of itself that it knows this many files, and all about them."""
    status = client.status()
    views = {status["generation"], status["keyword_generation"], status["vector_generation"]}
    return status["documents"] == files and status["state"] == "current" and len(views) == 1


def differing(index: Path, expected: Texts) -> list[str]:
    """Files whose indexed text is not that of the disk, read from the index itself."""
    with closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True, timeout=30)) as database:
        rows = database.execute("SELECT d.path, c.text FROM document d JOIN chunk c ON c.document_id = d.id").fetchall()
    found: dict[str, str] = {}
    for path, text in rows:
        found[path] = found.get(path, "") + text
    return [path for path, text in expected.items() if text.split()[-1] not in found.get(path, "")]


def chunk_texts(index: Path, files: Texts) -> list[str]:
    """The exact texts that were embedded for these files, each once."""
    with closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True, timeout=30)) as database:
        rows = database.execute(
            "SELECT d.path, c.context, c.text, c.names FROM chunk c JOIN document d ON d.id = c.document_id"
        )
        return list({embedding_text(context, text, names) for path, context, text, names in rows if path in files})


def make_repository(tree: Path, files: int, chosen: random.Random) -> tuple[Texts, Texts]:
    """A repository with as many files on its branch as differ on the branch ``other``."""
    tree.mkdir(parents=True)
    git(tree, "init", "-q", "-b", "main")
    versions = []
    for branch in ("main", "other"):
        versions.append(modules("package_{group}/module_{number}.py", files, max(files // 30, 1), chosen))
        write(tree, versions[-1])
        if branch != "main":
            git(tree, "checkout", "-q", "-b", branch)
        git(tree, "add", ".")
        git(tree, "commit", "-q", "-m", branch)
    git(tree, "checkout", "-q", "main")
    return versions[0], versions[1]


def modules(path: str, files: int, groups: int, chosen: random.Random) -> Texts:
    """Python modules of one function each, some 130 tokens; the last word of each is in no other file."""
    return {path.format(group=number % groups, number=number): module(chosen) for number in range(files)}


def module(chosen: random.Random) -> str:
    """A function that looks like one, of random words."""
    pick = chosen.choice
    lines = ["    {}_{} = {}.{}({}, {})".format(*chosen.choices(WORDS, k=6)) for _ in range(8)]
    name = f"{pick(WORDS)}_{pick(WORDS)}_{pick(WORDS)}"
    document = f'    """{" ".join(chosen.choices(WORDS, k=10)).capitalize()}."""'
    ending = f"    return {pick(WORDS)}, 'w{chosen.getrandbits(64):x}'"
    return "\n".join([f"def {name}({pick(WORDS)}, {pick(WORDS)}):", document, *lines, ending]) + "\n"


def write(tree: Path, texts: Texts) -> None:
    """Write the files, and the folders that hold them."""
    for path, text in texts.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)


def git(tree: Path, *arguments: str) -> None:
    """Run git in the tree."""
    subprocess.run(["git", *IDENTITY, *arguments], cwd=tree, check=True, stdout=subprocess.DEVNULL)
