"""Judged sets as folders of files and queries about them.

Two layouts are read: BEIR archives (``NAME.tar.xz`` with ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``),
each document becoming a file of its own; and ``repo_qa/queries.jsonl``, questions with graded line spans about source
distributions, which pip fetches once.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tarfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.harness.corpus import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

CODE_SETS = {"cosqa_dev"}
"""Sets whose documents are Python functions; the others are English texts."""
SOURCES = PROJECT / ".cache" / "eval"


@dataclass(frozen=True)
class Span:
    """A relevant place: lines from 1, both included."""

    path: str
    start_line: int
    end_line: int
    grade: int


@dataclass(frozen=True)
class Query:
    """``grades`` are by file, relative to the folder; a file's is the best of its spans."""

    id: str
    text: str
    kind: str
    grades: dict[str, int]
    spans: tuple[Span, ...] = ()

    @property
    def best(self) -> int:
        """The grade of the files that answer it best."""
        return max(self.grades.values(), default=0)


@dataclass
class JudgedSet:
    """A folder to index, and what is asked about it. ``package`` says which of several folders of the set it is."""

    name: str
    folder: Path
    queries: list[Query] = field(default_factory=list)
    package: str = ""


def find_sets(folder: Path, work: Path, only: Sequence[str] = ()) -> list[JudgedSet]:
    """Every set below ``folder``, or those named ``only`` (sets, or packages of repo_qa), their documents unpacked
    below ``work``, unless they are there already.

    Raises:
        FileNotFoundError: there is none.
    """
    archives = {path.name.removesuffix(".tar.xz"): path for path in sorted(folder.glob("*.tar.xz"))}
    found = [read_beir(archive, work) for name, archive in archives.items() if not only or name in only]
    questions = folder / "repo_qa" / "queries.jsonl"
    if questions.exists():
        found += read_questions(questions, work, () if "repo_qa" in only else only)
    if not found:
        wanted = f"{', '.join(only)} of the " if only else ""
        raise FileNotFoundError(
            f"no judged sets in {folder}: expected {wanted}NAME.tar.xz (BEIR) or repo_qa/queries.jsonl"
        )
    return found


def read_beir(archive: Path, work: Path) -> JudgedSet:
    """One archive of the BEIR layout."""
    name = archive.name.removesuffix(".tar.xz")
    with tarfile.open(archive) as packed:
        packed.extractall(work / "beir", filter="data")
    unpacked = next((work / "beir").glob(f"**/{name}/corpus.jsonl"), work / "beir" / "corpus.jsonl").parent
    suffix = ".py" if name in CODE_SETS else ".txt"
    documents = json_lines(unpacked / "corpus.jsonl")
    files = {document["_id"]: f"{number:06}{suffix}" for number, document in enumerate(documents)}
    with made_once(work / name) as folder:
        if folder:
            write_documents(documents, files, folder)
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    with (unpacked / "qrels" / "test.tsv").open() as judged:
        for query_id, document_id, grade in list(csv.reader(judged, delimiter="\t"))[1:]:
            if document_id in files:
                grades[query_id][files[document_id]] = int(grade)
    queries = [
        Query(query["_id"], query["text"], "all", grades[query["_id"]])
        for query in json_lines(unpacked / "queries.jsonl")
        if any(grades[query["_id"]].values())
    ]
    return JudgedSet(name, work / name, queries)


def write_documents(documents: Iterable[Any], files: dict[str, str], folder: Path) -> None:
    """Each document in the file of its id, its title on the first line."""
    for document in documents:
        text = "\n".join(part for part in (document.get("title", ""), document["text"]) if part)
        (folder / files[document["_id"]]).write_text(text + "\n")


def read_questions(questions: Path, work: Path, only: Sequence[str] = ()) -> list[JudgedSet]:
    """One set a package, or those packages: its questions are asked of its own sources."""
    packages: dict[str, JudgedSet] = {}
    for row in json_lines(questions):
        if only and row["package"] not in only:
            continue
        label = f"{row['package']}-{row['version']}"
        if label not in packages:
            tree = source_tree(row["package"], row["version"], work)
            packages[label] = JudgedSet("repo_qa", tree, package=row["package"])
        spans = tuple(Span(**each) for each in row["relevant"])
        grades: dict[str, int] = {}
        for span in spans:
            grades[span.path] = max(span.grade, grades.get(span.path, 0))
        packages[label].queries.append(Query(row["id"], row["query"], row["kind"], grades, spans))
    return list(packages.values())


def source_tree(package: str, version: str, work: Path) -> Path:
    """The unpacked source distribution, without what repeats its README."""
    SOURCES.mkdir(parents=True, exist_ok=True)
    pattern = f"{package}-{version}.tar.gz"
    if not (SOURCES / pattern).exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package]
        subprocess.run([*command, f"{package}=={version}", "-d", SOURCES], check=True)
    tree = work / f"{package}-{version}"
    with made_once(tree) as folder:
        if folder:
            unpack(SOURCES / pattern, folder)
    return tree


def unpack(archive: Path, folder: Path) -> None:
    """What the archive's single top folder holds, into ``folder``."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    for each in top.iterdir():
        each.rename(folder / each.name)
    top.rmdir()
    for copy in [*folder.glob("**/PKG-INFO"), *folder.glob("**/*.egg-info")]:
        shutil.rmtree(copy) if copy.is_dir() else copy.unlink(missing_ok=True)


@contextmanager
def made_once(target: Path) -> Iterator[Path | None]:
    """A folder to fill, which becomes ``target`` when it is full; None where an earlier run has made ``target``."""
    if target.is_dir():
        yield None
        return
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    partial.rename(target)


def json_lines(path: Path) -> list[Any]:
    """The values of a file with a JSON value on each line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
