"""Shapes of searches, passages and files."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class SearchOptions(TypedDict, total=False):
    """What ``search`` takes beside ``query``, and ``multi_search`` beside ``queries``; what is left out is the
    daemon's to choose.

    ``roots`` are absolute paths (none given: all), ``paths`` globs relative to a root.
    """

    limit: int
    mode: Literal["keyword", "vector", "fusion", "full"]
    roots: list[str]
    paths: list[str]
    languages: list[str]
    kind: Literal["code", "docs", "data"]
    min_score: float
    rerank: bool
    max_per_file: int
    max_tokens: int
    merge: bool
    signatures: bool
    explain: bool
    deadline_ms: int


class ListOptions(TypedDict, total=False):
    """What ``list_files`` takes. ``skipped`` gives the files that are not searchable in place of those that are;
    ``after`` is the ``next`` of the page before.
    """

    roots: list[str]
    paths: list[str]
    languages: list[str]
    kind: Literal["code", "docs", "data"]
    skipped: bool
    limit: int
    after: str


class Why(TypedDict):
    """A retriever's part in a hit: its rank in that list from 1, or None where the list did not hold it. In mode
    ``full`` also the hit's ``features`` by name; what each weighs stands in the result's ``explanation``.
    """

    keyword_rank: int | None
    keyword_score: float | None
    vector_rank: int | None
    vector_score: float | None
    features: dict[str, float]


class Explanation(TypedDict):
    """What was made of a query: its type, the names and paths in it, what each feature of a hit weighs, and the
    evidence that the relevance was taken from.
    """

    query_type: str
    names: list[str]
    paths: list[str]
    weights: dict[str, float]
    evidence: dict[str, float]


class FoundBy(TypedDict):
    """Which of the queries of ``multi_search``, from 0, found a hit, and at which rank from 1."""

    query: int
    rank: int


class Hit(TypedDict):
    """One passage. ``path`` is absolute; lines count from 1, both ends included.

    ``symbols`` are those of the neighbours that were merged into it; ``cut`` is true where ``max_tokens`` cut it
    short; ``queries`` says which of several queries found it.
    """

    path: str
    root: str
    start_line: int
    end_line: int
    language: str
    kind: str
    symbol: str
    context: str
    score: float
    text: str
    stale: bool
    confidence: NotRequired[Literal["high", "low"]]
    why: NotRequired[Why]
    symbols: NotRequired[list[str]]
    cut: NotRequired[bool]
    queries: NotRequired[list[FoundBy]]


class Totals(TypedDict):
    """Hits, files and estimated tokens before ``max_tokens``, and how many hits were left out or cut, by reason:
    ``max_per_file``, ``max_tokens``, ``shortened``.
    """

    hits: int
    files: int
    tokens: int
    cut: dict[str, int]


class SearchResult(TypedDict):
    """``complete`` is false while part of the index or of the query was not ready; ``degraded``, ``skipped`` and
    ``cut`` say what, in words. ``relevance`` (0 to 1) says how likely it is that anything found answers the query,
    None where that cannot be said: in other modes than ``full``, and while not all of the index could be searched.
    """

    hits: list[Hit]
    total: int
    generation: int
    complete: bool
    degraded: list[str]
    skipped: list[str]
    cut: list[str]
    totals: Totals
    relevance: float | None
    explanation: NotRequired[Explanation]
    explanations: NotRequired[list[Explanation | None]]
    took_ms: float


class Span(TypedDict):
    """Lines of a file, as they are on disk now."""

    path: str
    root: str
    start_line: int
    end_line: int
    total_lines: int
    text: str
    cut: bool


class FileInfo(TypedDict):
    """A file that the index knows. ``skip`` is the reason why it is not searchable, or None."""

    path: str
    root: str
    language: str
    kind: str
    size: int
    chunks: int
    skip: str | None


class FileList(TypedDict):
    """Files in the order of their paths; ``next`` goes into ``after`` for the next page, None at the end."""

    files: list[FileInfo]
    total: int
    next: str | None
