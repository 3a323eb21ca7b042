"""Ranking in the interactive lane: gathers what the features of each candidate need, and has them scored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct

from agentd.compute.pool import Lane
from agentd.kernels.messages import RankCandidate, RankRequest, RankResult
from agentd.kernels.rank import FEW
from agentd.kernels.registry import RANK
from agentd.retrieval.analysis import QueryType, is_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentd.compute.pool import Pool
    from agentd.config.settings import SearchSettings
    from agentd.retrieval.analysis import Analysis
    from agentd.retrieval.lists import Lists
    from agentd.retrieval.results import SearchQuery
    from agentd.retrieval.retrievers import Measures, ScoringRetriever
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.keyword_view import WeighedWord
    from agentd.storage.rows import CandidateRow


BEYOND = 1.0
"""What candidates that were not scored score less than the last that was."""


class Weigher(Protocol):
    """What ranking needs of keyword search."""

    async def measure(self, text: str, chunk_ids: Sequence[int]) -> Measures:
        """What the words of a query are worth, and the BM25 scores of those of ``chunk_ids`` that hold any."""


class Ranking(Struct, frozen=True):
    """Candidates in their final order with their scores, and what led to it; ``result.features``, there only for
    those who asked to have it explained, are in the order of ``ids``, not of ``ranked``.
    """

    ranked: list[tuple[int, float]]
    ids: list[int]
    result: RankResult

    def features(self, chunk_id: int) -> dict[str, float]:
        """The features of a candidate, by name; empty for one that was not scored."""
        if chunk_id not in self.ids or not self.result.features:
            return {}
        row = self.result.features[self.ids.index(chunk_id)]
        return {name: round(value, 4) for name, value in zip(self.result.names, row, strict=True)}


class Ranker:
    """Scores the best candidates of the fused lists; those beyond follow in the order that they had."""

    def __init__(self, keyword: Weigher, catalogue: Catalogue, pool: Pool) -> None:
        self._keyword = keyword
        self._catalogue = catalogue
        self._pool = pool

    async def rank(
        self,
        query: SearchQuery,
        analysis: Analysis,
        lists: Lists,
        vector: ScoringRetriever | None,
        settings: SearchSettings,
    ) -> Ranking:
        """Rank the best of ``lists``.

        Raises:
            AgentdError: a step failed; the order of the lists stands.
        """
        head = [chunk_id for chunk_id, _ in lists.fused[: max(settings.ranked, query.limit)]]
        candidates, (words, keyword), cosines = await asyncio.gather(
            self._catalogue.passages.candidates(head, FEW),
            self._keyword.measure(query.text, [each for each in head if each not in lists.keyword_scores]),
            _cosines(vector, query, [each for each in head if each not in lists.vector_scores]),
        )
        measured = Measured(keyword | lists.keyword_scores, cosines | lists.vector_scores, lists, candidates.links)
        ids = [chunk_id for chunk_id in head if chunk_id in candidates.rows]
        request = RankRequest(
            query_type=analysis.type,
            terms=[(word.word, word.weight) for word in words],
            candidates=[measured.candidate(candidates.rows[each]) for each in ids],
            missing=_missing(words),
            named=_named(analysis, lists),
            typed=query.text.strip() if analysis.type in NAMES else "",
            weights=settings.weights,
            explain=query.explain,
        )
        result = await self._pool.run(RANK, request, lane=Lane.INTERACTIVE)
        ranked = _ordered(ids, result.scores)
        last = ranked[-1][1] if ranked else 0.0
        return Ranking([*ranked, *((each, last - BEYOND) for each, _ in lists.fused[len(head) :])], ids, result)


def _ordered(ids: Sequence[int], scores: Sequence[float]) -> list[tuple[int, float]]:
    """Best first, each with how far its score is from the best."""
    best = max(scores, default=0.0)
    order = sorted(range(len(ids)), key=lambda at: (-scores[at], at))
    return [(ids[at], scores[at] - best) for at in order]


async def _cosines(vector: ScoringRetriever | None, query: SearchQuery, chunk_ids: Sequence[int]) -> dict[int, float]:
    return await vector.scores(query.text, query.filter, chunk_ids) if vector is not None and chunk_ids else {}


class Measured(NamedTuple):
    """What was measured of the candidates, by chunk; ``links`` by document."""

    keyword: Mapping[int, float]
    cosines: Mapping[int, float]
    lists: Lists
    links: Mapping[int, int]

    def candidate(self, row: CandidateRow) -> RankCandidate:
        """The row with all that is known of it."""
        chunk_id, named = row.chunk_id, self.lists.named
        return RankCandidate(
            document=row.document_id,
            path=row.path,
            language=row.language,
            kind=row.kind,
            start_line=row.start_line,
            names=row.names,
            context=row.context,
            doc=row.doc,
            keyword=self.keyword.get(chunk_id, 0.0),
            vector=self.cosines.get(chunk_id, 0.0),
            fusion=self.lists.fusion_scores.get(chunk_id, 0.0),
            definition=named.definitions.get(chunk_id, 0.0),
            named_path=named.paths.get(chunk_id, 0.0),
            links=self.links.get(row.document_id, 0),
            text=row.text,
        )


NAMES = frozenset({QueryType.IDENTIFIER, QueryType.QUALIFIED})
"""Types of queries that are a name and nothing else."""


def _named(analysis: Analysis, lists: Lists) -> bool:
    """Whether the query names code: one ordinary word, such as ``installation``, does only where it is defined."""
    return bool(analysis.names and lists.named.definitions) or any(map(is_name, analysis.names))


def _missing(words: Sequence[WeighedWord]) -> float:
    total = sum(word.weight for word in words)
    return sum(word.weight for word in words if not word.known) / total if total else 0.0
