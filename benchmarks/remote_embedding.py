"""Embedding on a server, beside what its rate limit allows: by a whole daemon.

The server is a mock in a process of its own: it answers after 50 ms, and refuses with 429 what is over its limit.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import psutil

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

IN_A_FILE = 20
BATCH = 64
LATENCY_SECONDS = 0.05
REQUESTS_PER_MINUTE = 600
SHARE_OF_LIMIT = 0.9
MOST_MEGABYTES = 50
LOOK_SECONDS = 0.1
HEAD = """

def clean_{name}(self, value):
    \"\"\"Field {name}: validated as the field wants it, and not as the form does.\"\"\"
"""
STEP = """    value_{step} = self.coerce(value, step={step}, field="{name}")
    if value_{step} is None:
        raise ValueError("field {name} expected a value in step {step}, and found none")
"""
STEPS = 12
"""Of a function: enough to be two chunks, its second half with a text of its own."""
CONFIG = """
[[provider]]
name = "mock"
kind = "openai"
base_url = "{url}"
embedding_model = "mock"
batch_texts = {batch}
batch_tokens = 64000
requests_per_minute = {per_minute}
retries = 10

[embedding]
chain = ["mock"]
"""


def run(workspace: Workspace) -> list[Figure]:
    """As fast as the limit lets it; and with no limit of ours, which the server then refuses."""
    tree = workspace.tools / "passages"
    write_tree(tree, workspace.scale.remote_chunks)
    figures: list[Figure] = []
    for what, known in (("a limit that we know", REQUESTS_PER_MINUTE), ("a limit that only 429 tells", 0)):
        folder = workspace.tools / f"remote-{known}"
        with mock() as url:
            folder.mkdir()
            (folder / "agentd.toml").write_text(CONFIG.format(url=url, batch=BATCH, per_minute=known))
            with Daemon(folder, tree, {"AGENTD_CONFIG": str(folder / "agentd.toml")}) as daemon:
                figures += measure(daemon, what, bar=bool(known))
    return figures


def write_tree(tree: Path, chunks: int) -> None:
    """Files whose passages are all different."""
    tree.mkdir()
    for file in range(chunks // 2 // IN_A_FILE):
        names = range(file * IN_A_FILE, (file + 1) * IN_A_FILE)
        (tree / f"fields_{file}.py").write_text("".join(map(passage, names)))


def passage(name: int) -> str:
    """A function."""
    return HEAD.format(name=name) + "".join(STEP.format(name=name, step=step) for step in range(STEPS))


@contextmanager
def mock() -> Iterator[str]:
    """The address of the server, until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.harness.embedding_mock"]
    limits = [str(LATENCY_SECONDS), str(REQUESTS_PER_MINUTE)]
    with subprocess.Popen([*command, *limits], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def measure(daemon: Daemon, what: str, *, bar: bool) -> list[Figure]:
    """How fast vectors come once all files are parsed, and what memory that takes."""
    with daemon.connect() as client:
        while client.status()["state"] not in {"embedding", "current"}:
            time.sleep(LOOK_SECONDS / 4)
        found = watch(client, daemon.pid)
        counts = client.status()["providers"][0]["counts"]
    allowed = REQUESTS_PER_MINUTE / 60 * BATCH
    rate = found.chunks / found.seconds
    retries = f"{counts.get('retries', 0)} of {counts['requests']} requests refused and sent again"
    return [
        Figure(
            f"remote embedding by a whole daemon, {found.chunks:,} chunks, 50 ms latency, {what}",
            f"{rate:.0f} chunks/s ({rate / allowed:.0%} of the limit), {retries}",
            f"limit {allowed:.0f} chunks/s",
            f"{SHARE_OF_LIMIT:.0%} of the limit" if bar else "",
            rate >= SHARE_OF_LIMIT * allowed if bar else None,
        ),
        Figure(
            "  memory of the daemon that took at most",
            f"{found.megabytes:.0f} MB",
            "",
            f"{MOST_MEGABYTES} MB",
            found.megabytes <= MOST_MEGABYTES,
        ),
    ]


class Watched(NamedTuple):
    """Vectors that came, in how many seconds, and how much larger the daemon was at most than before them."""

    chunks: int
    seconds: float
    megabytes: float


def watch(client: Client, pid: int) -> Watched:
    """Look on while vectors come, from the moment on in which all is parsed: embedding waits for that."""
    before = most = resident_megabytes(pid)
    first, began = client.status()["vectors"], time.perf_counter()
    while True:
        status, now = client.status(), time.perf_counter()
        most = max(most, resident_megabytes(pid))
        if status["vectors"] == status["chunks"]:
            return Watched(status["vectors"] - first, now - began, most - before)
        time.sleep(LOOK_SECONDS)


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 1024 / 1024
