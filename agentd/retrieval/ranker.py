"""Ranking in the interactive lane: gathers what the features of each candidate need, and has them scored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from agentd.compute.pool import Lane
from agentd.kernels.messages import RankCandidate, RankRequest, RankResult
from agentd.kernels.rank import FEW
from agentd.kernels.registry import RANK
from agentd.retrieval.analysis import is_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.compute.pool import Pool
    from agentd.config.settings import SearchSettings
    from agentd.retrieval.analysis import Analysis
    from agentd.retrieval.lists import Lists
    from agentd.retrieval.results import SearchQuery
    from agentd.retrieval.retrievers import Retriever
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.keyword_view import WeighedWord
    from agentd.storage.rows import CandidateRow


class Weigher(Protocol):
    """What ranking needs of keyword search."""

    async def scores(self, text: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """BM25 scores of those of ``chunk_ids`` that hold a word of ``text``."""

    async def weigh(self, text: str) -> list[WeighedWord]:
        """The words of a query and what each is worth."""


class Ranking(Struct, frozen=True):
    """Candidates in their final order with their scores, and what led to it; ``result.features`` are in the order of
    ``ids``, not of ``ranked``.
    """

    ranked: list[tuple[int, float]]
    ids: list[int]
    result: RankResult

    def features(self, chunk_id: int) -> dict[str, float]:
        """The features of a candidate, by name; empty for one that was not scored."""
        if chunk_id not in self.ids:
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
        self, query: SearchQuery, analysis: Analysis, lists: Lists, vector: Retriever | None, settings: SearchSettings
    ) -> Ranking:
        """Rank the best of ``lists``.

        Raises:
            AgentdError: a step failed; the order of the lists stands.
        """
        fused, candidates = lists.fused, max(settings.ranked, query.limit)
        head = [chunk_id for chunk_id, _ in fused[:candidates]]
        rows, keyword, cosines, words = await asyncio.gather(
            self._catalogue.passages.candidates(head, FEW),
            self._keyword.scores(query.text, [each for each in head if each not in lists.keyword_scores]),
            _cosines(vector, query.text, [each for each in head if each not in lists.vector_scores]),
            self._keyword.weigh(query.text),
        )
        links = await self._links(rows)
        ids = [chunk_id for chunk_id in head if chunk_id in rows]
        measured = (keyword | lists.keyword_scores, cosines | lists.vector_scores)
        request = RankRequest(
            query_type=analysis.type,
            terms=[(word.word, word.weight) for word in words],
            candidates=[_candidate(rows[each], measured, lists, links) for each in ids],
            missing=_missing(words),
            named=_named(analysis, lists),
            weights=settings.weights,
        )
        result = await self._pool.run(RANK, request, lane=Lane.INTERACTIVE)
        order = sorted(range(len(ids)), key=lambda at: (-result.scores[at], at))
        best = max(result.scores, default=0.0)
        ranked = [(ids[at], result.scores[at] - best) for at in order]
        last = ranked[-1][1] if ranked else 0.0
        return Ranking([*ranked, *((each, last - 1.0) for each, _ in fused[candidates:])], ids, result)

    async def _links(self, rows: dict[int, CandidateRow]) -> dict[int, int]:
        """How many documents among those of ``rows`` import each of them."""
        documents = list({row.document_id for row in rows.values()})
        links: dict[int, int] = {}
        for _, target in await self._catalogue.symbols.import_links(documents):
            links[target] = links.get(target, 0) + 1
        return links


async def _cosines(vector: Retriever | None, text: str, chunk_ids: Sequence[int]) -> dict[int, float]:
    return await vector.scores(text, chunk_ids) if vector is not None and chunk_ids else {}


def _candidate(
    row: CandidateRow, measured: tuple[dict[int, float], dict[int, float]], lists: Lists, links: dict[int, int]
) -> RankCandidate:
    keyword, cosines = measured
    return RankCandidate(
        document=row.document_id,
        path=row.path,
        language=row.language,
        kind=row.kind,
        start_line=row.start_line,
        names=row.names,
        context=row.context,
        doc=row.doc,
        keyword=keyword.get(row.chunk_id, 0.0),
        vector=cosines.get(row.chunk_id, 0.0),
        fusion=lists.fusion_scores.get(row.chunk_id, 0.0),
        definition=lists.named.definitions.get(row.chunk_id, 0.0),
        named_path=lists.named.paths.get(row.chunk_id, 0.0),
        links=links.get(row.document_id, 0),
        text=row.text,
    )


def _named(analysis: Analysis, lists: Lists) -> bool:
    """Whether the query names code: one ordinary word, such as ``installation``, does only where it is defined."""
    return bool(analysis.names and lists.named.definitions) or any(map(is_name, analysis.names))


def _missing(words: Sequence[WeighedWord]) -> float:
    total = sum(word.weight for word in words)
    return sum(word.weight for word in words if not word.known) / total if total else 0.0
