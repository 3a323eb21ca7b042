"""What a search takes and gives. Field for field the shapes of ``agentd.protocol``, so that encoding is all that is
left to do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from agentd.domain import Filter


class Mode(StrEnum):
    """How to search: by words, by meaning, by both fused by rank alone, or by everything that is known, ranked."""

    KEYWORD = "keyword"
    VECTOR = "vector"
    FUSION = "fusion"
    FULL = "full"

    @property
    def uses_keyword(self) -> bool:
        """Whether words count."""
        return self is not Mode.VECTOR

    @property
    def uses_vectors(self) -> bool:
        """Whether meaning counts."""
        return self is not Mode.KEYWORD

    @property
    def ranks(self) -> bool:
        """Whether definitions, paths and the scorer take part."""
        return self is Mode.FULL


class SearchQuery(Struct, frozen=True):
    """A search. ``limit`` hits at most, ``max_per_file`` of them from one file (0: any number), all of them together of
    ``max_tokens`` (0: any number). ``merge`` makes one hit of neighbours, ``signatures`` shows heads for text.
    """

    text: str
    limit: int
    filter: Filter = Filter()
    mode: Mode = Mode.FULL
    min_score: float | None = None
    """Hits with a lower score are left out; None leaves out all where nothing seems relevant (full mode alone)."""
    rerank: bool | None = None
    """By the cross-encoder: yes, no, or None where one is configured."""
    max_per_file: int = 0
    max_tokens: int = 0
    merge: bool = False
    signatures: bool = False
    explain: bool = False
    deadline_seconds: float = 5.0


class Why(Struct, frozen=True):
    """Ranks from 1 and scores of a hit in each list, None where the list did not hold it; and its features, by name."""

    keyword_rank: int | None
    keyword_score: float | None
    vector_rank: int | None
    vector_score: float | None
    features: dict[str, float] = {}


class Explanation(Struct, frozen=True):
    """What was made of a query: its type (``retrieval.analysis``), the names and paths in it, what each feature of its
    hits weighs, and the evidence that its relevance was taken from.
    """

    query_type: str
    names: list[str]
    paths: list[str]
    weights: dict[str, float]
    evidence: dict[str, float]


class FoundBy(Struct, frozen=True):
    """Which of several queries (from 0) found a hit, and at which rank from 1."""

    query: int
    rank: int


class Hit(Struct, frozen=True):
    """One passage, as ``agentd.protocol.Hit`` describes it."""

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
    confidence: Literal["high", "low"] | UnsetType = UNSET
    why: Why | UnsetType = UNSET
    symbols: list[str] | UnsetType = UNSET
    cut: bool | UnsetType = UNSET
    queries: list[FoundBy] | UnsetType = UNSET


class Totals(Struct, frozen=True):
    """Hits, files and estimated tokens before ``max_tokens``, and how many hits were left out or cut, by reason."""

    hits: int
    files: int
    tokens: int
    cut: dict[str, int]


class SearchResult(Struct, frozen=True):
    """Hits, best first, and everything that was not as it should be, in words. Of several queries, ``explanations`` has
    one each, None for one that failed.
    """

    hits: list[Hit]
    total: int
    generation: int
    complete: bool
    degraded: list[str]
    skipped: list[str]
    cut: list[str]
    took_ms: float
    totals: Totals | UnsetType = UNSET
    relevance: float | None = None
    explanation: Explanation | UnsetType = UNSET
    explanations: list[Explanation | None] | UnsetType = UNSET
