"""The search pipeline: retrieve in parallel, fuse, rank, compare with the disk."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import structlog

from agentd.domain import embedding_text
from agentd.errors import AgentdError, DeadlineError
from agentd.retrieval.analysis import Analysis, analyse
from agentd.retrieval.chosen import Chosen
from agentd.retrieval.definitions import Names
from agentd.retrieval.entries import absolute
from agentd.retrieval.lists import Lists
from agentd.retrieval.passages import Found
from agentd.retrieval.reranker import reorder
from agentd.retrieval.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import TypeVar

    from agentd.config.settings import SearchSettings
    from agentd.observability.metrics import Histogram, Metrics, Timing
    from agentd.retrieval.definitions import Namer
    from agentd.retrieval.ranker import Ranker, Ranking
    from agentd.retrieval.reranker import Reranker
    from agentd.retrieval.results import SearchQuery
    from agentd.retrieval.retrievers import Ranked, Retriever, ScoringRetriever
    from agentd.retrieval.verification import Verifier
    from agentd.storage.catalogue import Catalogue

    T = TypeVar("T")

log = structlog.get_logger(__name__)

VECTORS_OFF = "vectors are switched off (embedding.enabled)"
SPACE_SHARE = 0.7
"""Of the time that is left, what the model of one space may take: the other spaces' hits must not be late with it."""
ROWS_PAGE = 32
"""Rows fetched and verified at a time, until the answer is filled."""


class IndexState(Protocol):
    """What a search needs to know of the index, and to ask of it."""

    def unfinished(self, *, vectors: bool) -> list[str]:
        """Why results may be incomplete, in words, with or without the vectors; empty when everything is indexed."""

    async def refresh(self, paths: Iterable[str], within: float) -> bool:
        """Read these files (absolute) again at once; True when searches see them as they are now."""


class Searcher:
    """Finds what fits a query, once more where files turned out to have changed."""

    def __init__(
        self,
        catalogue: Catalogue,
        keyword: Retriever,
        namer: Namer,
        ranker: Ranker,
        reranker: Reranker,
        verifier: Verifier,
        index: IndexState,
        settings: SearchSettings,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.vector: ScoringRetriever | None = None
        self.vector_problem = VECTORS_OFF
        self._catalogue = catalogue
        self._keyword = keyword
        self._namer = namer
        self._ranker = ranker
        self._reranker = reranker
        self._verifier = verifier
        self._index = index
        self._metrics = metrics
        self._stages: dict[str, Histogram] = {}

    async def find(self, query: SearchQuery) -> Found:
        """The passages that fit ``query``, best first, from what is ready within its deadline.

        Raises:
            DeadlineError: no retriever answered in time.
        """
        deadline = time.monotonic() + query.deadline_seconds
        chosen = await self._find(query, deadline)
        if chosen.disk.changed and await self._refresh(chosen.disk.changed, deadline):
            chosen = await self._find(query, deadline)
        return self._found(query, chosen)

    async def _refresh(self, changed: Iterable[str], deadline: float) -> bool:
        with self._timed("refresh"):
            return await self._index.refresh(changed, self._patience(deadline))

    def _timed(self, stage: str) -> Timing:
        histogram = self._stages.get(stage)
        if histogram is None:
            histogram = self._stages[stage] = self._metrics.histogram("search_stage_ms", stage=stage)
        return histogram.time()

    def _patience(self, deadline: float) -> float:
        return max(0.0, min(self.settings.verify_milliseconds / 1000, deadline - time.monotonic()))

    async def _find(self, query: SearchQuery, deadline: float) -> Chosen:
        analysis = analyse(query.text)
        lists = await self._retrieve(query, analysis, deadline)
        ranking = await self._rank(query, analysis, lists, deadline) if query.mode.ranks else None
        ranked = lists.fused if ranking is None else ranking.ranked
        verdict = judge(query, ranking, self.settings, sure=self._sure(lists))
        if not verdict.withheld and (query.mode.ranks or query.rerank):
            ranked = await self._rerank(query, ranked, lists, deadline)
        chosen = Chosen(query, analysis, lists, ranking, verdict)
        await self._choose(chosen, ranked, deadline)
        return chosen

    def _sure(self, lists: Lists) -> bool:
        """Whether all of the index was searched: what is not there yet must not count against what is."""
        return bool(self.vector) and not lists.problems and not self._index.unfinished(vectors=True)

    async def _retrieve(self, query: SearchQuery, analysis: Analysis, deadline: float) -> Lists:
        """Every list, each on its own: one that fails or is late is named, and the others stand."""
        mode, limit = query.mode, max(self.settings.candidates, query.limit * 2)
        problems: list[str] = []

        async def one(name: str, call: Callable[[], Awaitable[T]], empty: T) -> T:
            return await self._stage(name, call, empty, problems, deadline)

        def retrieve(retriever: Retriever) -> Callable[[], Awaitable[Ranked]]:
            return lambda: retriever.retrieve(query.text, query.filter, limit)

        def near(vector: ScoringRetriever) -> Callable[[], Awaitable[Ranked]]:
            seconds = max(0.0, deadline - time.monotonic()) * SPACE_SHARE
            return lambda: vector.retrieve_within(query.text, query.filter, limit, seconds, problems)

        nothing: Ranked = []
        none = Names({}, {})
        keyword, vector, named = await asyncio.gather(
            one("keyword", retrieve(self._keyword), nothing) if mode.uses_keyword else _given(nothing),
            one("vector", near(self.vector), nothing) if mode.uses_vectors and self.vector else _given(nothing),
            one("names", lambda: self._namer.find(analysis, query.filter), none) if mode.ranks else _given(none),
        )
        if mode.uses_vectors and self.vector is None:
            problems.append(f"vector: {self.vector_problem}")
        if any("deadline" in problem for problem in problems) and not keyword and not vector:
            raise DeadlineError(
                f"nothing was found within {query.deadline_seconds * 1000:.0f} ms; ask again with a longer deadline_ms"
            )
        return Lists(keyword, vector, named, problems, self.settings.rrf_k)

    async def _stage(
        self, name: str, call: Callable[[], Awaitable[T]], empty: T, problems: list[str], deadline: float
    ) -> T:
        """The result of a step, or ``empty`` and why."""
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                with self._timed(name):
                    return await call()
        except TimeoutError:
            problems.append(f"{name}: not ready before the deadline")
        except AgentdError as error:
            log.warning("search_stage_failed", stage=name, kind=error.kind, error=str(error))
            problems.append(f"{name}: {error.message}")
        return empty

    async def _rank(self, query: SearchQuery, analysis: Analysis, lists: Lists, deadline: float) -> Ranking | None:
        if not lists.fused:
            return None
        return await self._stage(
            "ranking",
            lambda: self._ranker.rank(query, analysis, lists, self.vector, self.settings),
            None,
            lists.problems,
            deadline,
        )

    async def _rerank(self, query: SearchQuery, ranked: Ranked, lists: Lists, deadline: float) -> Ranked:
        """The first of ``ranked`` in the order that a cross-encoder gives them, where one is to be asked."""
        wanted = self._reranker.configured if query.rerank is None else query.rerank
        head = ranked[: self._reranker.settings.candidates]
        if not wanted or not head:
            return ranked
        rows = await self._catalogue.passages.hits([chunk_id for chunk_id, _ in head])
        ids = [chunk_id for chunk_id, _ in head if chunk_id in rows]
        judged = await self._reranker.rerank(
            query.text,
            [embedding_text(rows[each].context, rows[each].text) for each in ids],
            deadline - time.monotonic(),
        )
        if judged.problem:
            lists.problems.append(f"rerank: {judged.problem}")
            return ranked
        scores = [score for chunk_id, score in head if chunk_id in rows]
        reordered = reorder(ids, judged.scores, self._reranker.settings.weight)
        return [*zip(reordered, scores, strict=True), *ranked[len(head) :]]

    async def _choose(self, chosen: Chosen, ranked: Ranked, deadline: float) -> None:
        """Walk down the ranking until the answer is filled with hits whose files are still there."""
        chosen.below = chosen.verdict.below(ranked)
        for start in range(0, len(ranked), ROWS_PAGE):
            page = chosen.verdict.kept(ranked[start : start + ROWS_PAGE])
            if not page:
                return
            with self._timed("rows"):
                rows = await self._catalogue.passages.hits([chunk_id for chunk_id, _ in page])
            signatures = {absolute(row): row.signature for row in rows.values()}
            with self._timed("verify"):
                states = await self._verifier.verify(signatures, self._patience(deadline))
            chosen.take(page, rows, states)
            if chosen.filled:
                return

    def _found(self, query: SearchQuery, chosen: Chosen) -> Found:
        unfinished = self._index.unfinished(vectors=query.mode.uses_vectors)
        problems, doubts = chosen.lists.problems, chosen.disk.doubts()
        return Found(
            passages=chosen.passages,
            total=len(chosen.lists.fused),
            generation=self._catalogue.feed.changed.value,
            complete=not (unfinished or problems or doubts),
            degraded=[*problems, *unfinished, *doubts],
            skipped=chosen.disk.skipped(),
            cut=chosen.verdict.cut(chosen.below),
            relevance=chosen.verdict.relevance,
            explanation=chosen.explanation() if query.explain else None,
        )


async def _given(value: T) -> T:
    return value
