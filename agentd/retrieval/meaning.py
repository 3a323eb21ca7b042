"""Search by meaning over every space that holds vectors of the roots asked.

Each space has a model of its own: the query is embedded once for each, side by side. The lists are fused by rank, for
cosines of two models do not compare; a chunk that two of them found counts once, where it ranks best. What the ranker
sees of a cosine is mapped onto the scale that its weights were learned on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from cachetools import LRUCache

from agentd.errors import AgentdError, ProviderUnavailableError
from agentd.observability.metrics import Metrics
from agentd.providers.contracts import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor

    from agentd.domain import Filter, Space
    from agentd.providers.contracts import EmbeddingModel
    from agentd.retrieval.retrievers import Ranked
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.vector_kernels import Ids
    from agentd.storage.vector_view import VectorView

QUERY_CACHE = 512
"""Vectors of the last queries: a search that is refined by filters alone embeds nothing."""
SCORE_SECONDS = 1.0
"""What ranking waits for the vector of a query, where it is not known yet."""


class Scale(NamedTuple):
    """Maps cosines of a space onto those of the model in the package: a straight line."""

    factor: float = 1.0
    shift: float = 0.0

    def onto(self, cosine: float) -> float:
        """The mapped cosine, from -1 to 1."""
        return min(1.0, max(-1.0, self.factor * cosine + self.shift))


class SearchedSpace(NamedTuple):
    """A space for some roots: ``root_ids`` are those asked that have vectors in it, None for all there are; ``roots``
    are their paths. ``away`` says why its model cannot be had; empty where it can.
    """

    name: str
    space: Space
    model: EmbeddingModel
    view: VectorView
    root_ids: tuple[int, ...] | None
    roots: frozenset[str]
    away: str
    scale: Scale


class MeaningRetriever:
    """A ScoringRetriever. ``spaces`` gives those that hold vectors of some roots, by their ids; none for all."""

    def __init__(
        self,
        spaces: Callable[[Sequence[int]], Iterable[SearchedSpace]],
        catalogue: Catalogue,
        threads: Executor,
        metrics: Metrics | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        self._spaces = spaces
        self._catalogue = catalogue
        self._threads = threads
        self._queries: LRUCache[tuple[str, str], tuple[bytes, float]] = LRUCache(QUERY_CACHE)
        self._took = metrics.histogram("search_stage_ms", stage="embed_query")
        self._hits = metrics.counter("query_vectors", result="hit")
        self._misses = metrics.counter("query_vectors", result="miss")

    async def retrieve(self, text: str, only: Filter, limit: int) -> Ranked:
        """See Retriever.

        Raises:
            AgentdError: no space could be searched.
        """
        problems: list[str] = []
        ranked = await self.retrieve_within(text, only, limit, float("inf"), problems)
        if problems and not ranked:
            raise ProviderUnavailableError("; ".join(problem.removeprefix("vector: ") for problem in problems))
        return ranked

    async def retrieve_within(self, text: str, only: Filter, limit: int, seconds: float, problems: list[str]) -> Ranked:
        """See ScoringRetriever."""
        narrowed = only.paths or only.languages or only.kinds
        documents = await self._catalogue.passages.document_ids(only) if narrowed else None

        async def one(space: SearchedSpace) -> Ranked:
            try:
                async with asyncio.timeout(seconds if seconds < float("inf") else None):
                    return await self._search(space, text, limit, documents)
            except TimeoutError:
                problems.append(f"vector: {space.name} was not ready in time")
            except AgentdError as error:
                problems.append(f"vector: {error.message}")
            return []

        return merged(await asyncio.gather(*map(one, self._spaces(only.roots))))

    async def scores(self, text: str, only: Filter, chunk_ids: Sequence[int]) -> dict[int, float]:
        """See ScoringRetriever. A space that cannot be had in time gives none."""
        loop = asyncio.get_running_loop()
        found: dict[int, float] = {}
        for space in self._spaces(only.roots):
            try:
                async with asyncio.timeout(SCORE_SECONDS):
                    codes, scale = await self._query(space, text)
            except (TimeoutError, AgentdError):  # retrieving has said so already
                continue
            cosines = await loop.run_in_executor(self._threads, space.view.cosines, codes, scale, chunk_ids)
            found = {chunk_id: space.scale.onto(cosine) for chunk_id, cosine in cosines.items()} | found
        return found

    def forget(self) -> None:
        """Let go of the vectors of the last queries."""
        self._queries.clear()

    async def _search(self, space: SearchedSpace, text: str, limit: int, documents: Ids | None) -> Ranked:
        codes, scale = await self._query(space, text)
        loop = asyncio.get_running_loop()
        ranked = await loop.run_in_executor(
            self._threads, space.view.search, codes, scale, limit, documents, space.root_ids
        )
        return [(chunk_id, space.scale.onto(cosine)) for chunk_id, cosine in ranked]

    async def _query(self, space: SearchedSpace, text: str) -> tuple[bytes, float]:
        """The vector of a query, which is sent on behalf of the roots that are asked and use the space."""
        known = self._queries.get((space.space.key, text))
        (self._misses if known is None else self._hits).increment()
        if known is not None:
            return known
        if space.away:
            raise ProviderUnavailableError(f"{space.name} cannot be had: {space.away}")
        with self._took.time():
            result = await space.model.embed([text], Outgoing("embeddings", space.roots), query=True)
        if result.space != space.space:
            raise ProviderUnavailableError(f"{space.name} is another model than the one that its vectors are of")
        vector = result.codes, float(memoryview(result.scales).cast("f")[0])
        self._queries[space.space.key, text] = vector
        return vector


def merged(lists: Sequence[Ranked]) -> Ranked:
    """One list: each chunk once, at its best rank, with the score it has there. Of equals earlier lists go first."""
    if len(lists) == 1:
        return lists[0]
    best: dict[int, tuple[int, int, float]] = {}
    for number, ranked in enumerate(lists):
        for rank, (chunk_id, score) in enumerate(ranked):
            if chunk_id not in best or (rank, number) < best[chunk_id][:2]:
                best[chunk_id] = (rank, number, score)
    return [(chunk_id, found[2]) for chunk_id, found in sorted(best.items(), key=lambda item: item[1][:2])]
