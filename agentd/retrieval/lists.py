"""What the retrievers gave for one query, and the ranking that their ranks alone make of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from agentd.retrieval.fusion import reciprocal_rank_fusion

if TYPE_CHECKING:
    from agentd.retrieval.definitions import Names
    from agentd.retrieval.retrievers import Ranked


class Lists:
    """Each retriever's list, best first; ``problems`` say why a list is empty."""

    def __init__(
        self,
        keyword: Ranked,
        vector: Ranked,
        named: Names,
        problems: list[str],
        rrf_k: int,
    ) -> None:
        self.keyword = keyword
        self.vector = vector
        self.named = named
        self.problems = problems
        self._rrf_k = rrf_k

    @cached_property
    def keyword_scores(self) -> dict[int, float]:
        """BM25 by chunk."""
        return dict(self.keyword)

    @cached_property
    def vector_scores(self) -> dict[int, float]:
        """Cosine by chunk."""
        return dict(self.vector)

    @cached_property
    def fusion_scores(self) -> dict[int, float]:
        """Reciprocal rank fusion of keyword and vector by chunk."""
        return dict(self._found)

    @cached_property
    def fused(self) -> Ranked:
        """All chunks by reciprocal rank fusion; what the query names counts like a list of its own."""
        named = [sorted(each.items(), key=lambda item: (-item[1], item[0])) for each in self.named if each]
        return self._fuse([self.keyword, self.vector, *named]) if named else self._found

    @cached_property
    def _found(self) -> Ranked:
        return self._fuse([self.keyword, self.vector])

    def _fuse(self, rankings: list[Ranked]) -> Ranked:
        weighted = [(1.0, [chunk_id for chunk_id, _ in ranking]) for ranking in rankings]
        return reciprocal_rank_fusion(weighted, self._rrf_k)


def place(chunk_id: int, ranked: Ranked) -> tuple[int | None, float | None]:
    """(rank from 1, score) of a chunk in a list, or Nones."""
    for rank, (identity, score) in enumerate(ranked, start=1):
        if identity == chunk_id:
            return rank, round(score, 6)
    return None, None
