"""Corpora: copies of source trees, of single functions and of single sections, each with the queries made from it."""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ranking.candidates import Candidate, LineMap, edited, without_overlaps
from ranking.dataset import Gold, Query, sample
from ranking.documents import SUFFIXES, document_candidates
from ranking.history import commit_queries, tracked_files
from ranking.python_source import Defined, name_candidates, python_candidates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

QUOTAS = {
    "docstring": 70, "keywords": 50, "comment": 60, "error": 35, "identifier": 60, "question": 40,
    "words": 30, "case": 20, "heading": 40, "heading_kept": 40, "passage": 40, "commit": 80,
}  # fmt: skip
"""Queries of each kind in a corpus, at most."""
FOREIGN = 20
"""Queries of each other corpus that are asked in vain, at most."""
LARGEST = 512 * 1024
"""Bytes. A longer file is data."""
JUNK = {".git", "__pycache__", "node_modules", "site-packages", "_static", "locale", "licenses"}
ASIDE = re.compile(r"(^|/)(tests?|testing|t|examples?|vendor|_vendor)/|(^|/)(test_[^/]*|conftest|setup)\.py$")
"""Where nobody's question leads."""
NAME = re.compile(r"[A-Za-z_]\w+")


@dataclass
class Corpus:
    """Texts by relative path, before the edits, and what they offer. ``fixed`` queries need no edit."""

    name: str
    texts: dict[str, str]
    candidates: list[Candidate] = field(default_factory=list)
    fixed: list[Query] = field(default_factory=list)
    scale: int = 1
    """Multiplies the quotas: a corpus that offers few kinds gives more of each."""


def tree_corpus(name: str, source: Path) -> Corpus:
    """A source tree as it is: code, tests, documentation. A git checkout gives its log, too."""
    is_checkout = (source / ".git").exists()
    paths = tracked_files(source) if is_checkout else walk(source)
    corpus = Corpus(name, {path: text for path in sorted(paths) if (text := text_of(source / path)) is not None})
    defined: list[Defined] = []
    for path, text in corpus.texts.items():
        if path.endswith(SUFFIXES):
            corpus.candidates += document_candidates(path, text)
        elif path.endswith(".py") and not ASIDE.search(path):
            found, definitions = python_candidates(path, text)
            corpus.candidates += found
            defined += definitions
    uses = Counter(word for text in corpus.texts.values() for word in NAME.findall(text))
    corpus.candidates += name_candidates(defined, uses)
    if is_checkout:
        corpus.fixed = list(commit_queries(name, source))
    return corpus


def functions_corpus(name: str, sources: Iterable[Path], count: int) -> Corpus:
    """Single functions and classes of source trees, each in a file of its own."""
    pieces: list[tuple[str, str]] = []
    for source in sources:
        for path in walk(source):
            text = text_of(source / path) if path.endswith(".py") and not ASIDE.search(path) else None
            pieces += [(f"{path}:{each.qualified}", piece) for each, piece in documented(path, text or "")]
    corpus = Corpus(name, {}, scale=3)
    for number, (_key, text) in enumerate(sample(pieces, count, key=lambda piece: piece[0])):
        path = f"{number:05}.py"
        corpus.texts[path] = text
        found, _defined = python_candidates(path, text)
        corpus.candidates += [each for each in found if each.kind in {"docstring", "keywords"} and each.start_line == 1]
    return corpus


def documented(path: str, text: str) -> Iterator[tuple[Defined, str]]:
    """Functions at the left margin that have a docstring, with their source."""
    found, defined = python_candidates(path, text)
    starts = {each.start_line for each in found if each.kind == "docstring"}
    lines = text.splitlines(keepends=True)
    for each in defined:
        if each.start_line in starts and each.node.col_offset == 0:
            yield each, "".join(lines[each.start_line - 1 : each.end_line])


def passages_corpus(name: str, sources: Iterable[Path], count: int) -> Corpus:
    """Single sections of documentation, each in a file of its own with its title as the first line."""
    pieces: list[tuple[str, Candidate, str]] = []
    for source in sources:
        for path in walk(source):
            text = text_of(source / path) if path.endswith(SUFFIXES) else None
            lines = (text or "").splitlines()
            for each in document_candidates(path, text or ""):
                if each.kind in {"heading", "heading_kept"}:
                    first = each.edit.start_line if each.edit else each.start_line
                    piece = "\n".join(lines[first - 1 : each.end_line]) + "\n"
                    pieces.append((f"{path}:{each.start_line}", each, piece))
    corpus = Corpus(name, {}, scale=3)
    for number, (_key, _candidate, text) in enumerate(sample(pieces, count, key=lambda piece: piece[0])):
        path = f"{number:05}.txt"
        corpus.texts[path] = text
        corpus.candidates += [each for each in document_candidates(f"{path}.rst", text) if each.start_line <= 8]
    corpus.candidates = [whole_file(each) for each in corpus.candidates]
    return corpus


def whole_file(candidate: Candidate) -> Candidate:
    """The candidate with all of its file as the gold."""
    path = candidate.path.removesuffix(".rst")
    return Candidate(candidate.kind, candidate.query, path, 1, 0, candidate.edit)


def write_corpus(corpus: Corpus, folder: Path, scale: int = 1) -> list[Query]:
    """Choose the queries (``scale`` times the quotas), write the copies into ``folder``, return what to ask of them."""
    scale *= corpus.scale
    chosen = choose(corpus.candidates, scale)
    by_path: dict[str, list[Candidate]] = defaultdict(list)
    for each in chosen:
        by_path[each.path].append(each)
    queries = sample(corpus.fixed, QUOTAS["commit"] * scale, key=lambda query: query.query)
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in corpus.texts.items():
        edits = without_overlaps(each.edit for each in by_path[path] if each.edit)
        moved = LineMap(edits)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(edited(text, edits), encoding="utf-8")
        kept = [each for each in by_path[path] if each.edit is None or each.edit in edits]
        for each in kept:
            gold = Gold(path, moved(each.start_line), moved(each.end_line) if each.end_line else 0)
            queries.append(Query(corpus.name, each.kind, each.query, (gold,)))
    return queries


def choose(candidates: Iterable[Candidate], scale: int) -> list[Candidate]:
    """A sample of each kind, of queries that stand for one place alone."""
    counts = Counter((each.kind, each.query.lower()) for each in candidates)
    kinds: dict[str, list[Candidate]] = defaultdict(list)
    for each in candidates:
        if counts[each.kind, each.query.lower()] == 1:
            kinds[each.kind].append(each)
    return [
        each
        for kind, found in sorted(kinds.items())
        for each in sample(found, QUOTAS[kind] * scale, key=lambda candidate: candidate.query)
    ]


def foreign_queries(queries: Iterable[Query], folders: dict[str, Path]) -> list[Query]:
    """Queries of each corpus asked of every other one, where no text holds all of their rarer words."""
    asked: dict[str, list[Query]] = defaultdict(list)
    for query in queries:
        asked[query.corpus].append(query)
    found: list[Query] = []
    for corpus, folder in folders.items():
        known = {word.lower() for path in walk(folder) for word in NAME.findall(text_of(folder / path) or "")}
        for other, theirs in asked.items():
            names = ("identifier", "question", "words", "case", "commit")
            strangers = [
                query
                for query in theirs
                if other != corpus
                and (query.kind not in names or not known.issuperset(NAME.findall(query.query.lower())))
            ]
            taken = sample(strangers, FOREIGN, key=lambda query: corpus + query.query)
            found += [Query(corpus, "foreign", query.query) for query in taken]
    return found


def walk(folder: Path) -> Iterator[str]:
    """Files below a folder, relative to it, without what is no source."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and JUNK.isdisjoint(relative.parts):
            yield relative.as_posix()


def text_of(path: Path) -> str | None:
    """The text of a file, or None for what is long, missing or no UTF-8."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if "\0" in text or "\f" in text else text
