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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.harness.corpus import PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence
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

    text: str
    kind: str
    grades: dict[str, int]
    spans: tuple[Span, ...] = ()


@dataclass
class JudgedSet:
    """A folder to index, and what is asked about it."""

    name: str
    folder: Path
    queries: list[Query] = field(default_factory=list)


def find_sets(folder: Path, work: Path, only: Sequence[str] = ()) -> list[JudgedSet]:
    """Every set below ``folder``, or those named ``only``, their documents unpacked below ``work``.

    Raises:
        FileNotFoundError: there is none.
    """
    archives = {path.name.removesuffix(".tar.xz"): path for path in sorted(folder.glob("*.tar.xz"))}
    found = [read_beir(archive, work) for name, archive in archives.items() if not only or name in only]
    questions = folder / "repo_qa" / "queries.jsonl"
    if questions.exists() and (not only or "repo_qa" in only):
        found += read_questions(questions, work)
    if not found:
        raise FileNotFoundError(f"no judged sets in {folder}: expected NAME.tar.xz (BEIR) or repo_qa/queries.jsonl")
    return found


def read_beir(archive: Path, work: Path) -> JudgedSet:
    """One archive of the BEIR layout."""
    name = archive.name.removesuffix(".tar.xz")
    with tarfile.open(archive) as packed:
        packed.extractall(work / "beir", filter="data")
    unpacked = next((work / "beir").glob(f"**/{name}/corpus.jsonl"), work / "beir" / "corpus.jsonl").parent
    folder = work / name
    folder.mkdir()
    suffix = ".py" if name in CODE_SETS else ".txt"
    files = {}
    for number, document in enumerate(json_lines(unpacked / "corpus.jsonl")):
        files[document["_id"]] = file = f"{number:06}{suffix}"
        text = "\n".join(part for part in (document.get("title", ""), document["text"]) if part)
        (folder / file).write_text(text + "\n")
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    with (unpacked / "qrels" / "test.tsv").open() as judged:
        for query_id, document_id, grade in list(csv.reader(judged, delimiter="\t"))[1:]:
            if document_id in files:
                grades[query_id][files[document_id]] = int(grade)
    queries = [
        Query(query["text"], "all", grades[query["_id"]])
        for query in json_lines(unpacked / "queries.jsonl")
        if any(grades[query["_id"]].values())
    ]
    return JudgedSet(name, folder, queries)


def read_questions(questions: Path, work: Path) -> list[JudgedSet]:
    """One set a package: its questions are asked of its own sources."""
    packages: dict[str, JudgedSet] = {}
    for row in json_lines(questions):
        label = f"{row['package']}-{row['version']}"
        if label not in packages:
            packages[label] = JudgedSet("repo_qa", source_tree(row["package"], row["version"], work))
        spans = tuple(Span(**each) for each in row["relevant"])
        grades: dict[str, int] = {}
        for span in spans:
            grades[span.path] = max(span.grade, grades.get(span.path, 0))
        packages[label].queries.append(Query(row["query"], row["kind"], grades, spans))
    return list(packages.values())


def source_tree(package: str, version: str, work: Path) -> Path:
    """The unpacked source distribution, without what repeats its README."""
    SOURCES.mkdir(parents=True, exist_ok=True)
    pattern = f"{package}-{version}.tar.gz"
    if not (SOURCES / pattern).exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package]
        subprocess.run([*command, f"{package}=={version}", "-d", SOURCES], check=True)
    with tarfile.open(SOURCES / pattern) as packed:
        packed.extractall(work, filter="data")
    tree = work / f"{package}-{version}"
    for copy in [*tree.glob("**/PKG-INFO"), *tree.glob("**/*.egg-info")]:
        shutil.rmtree(copy) if copy.is_dir() else copy.unlink(missing_ok=True)
    return tree


def json_lines(path: Path) -> list[Any]:
    """The values of a file with a JSON value on each line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
