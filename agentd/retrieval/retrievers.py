"""The two lists that a search fuses: keyword and vector, each (chunk id, score) from best to worst."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cachetools import LRUCache

from agentd.compute.pool import Lane
from agentd.kernels.messages import EmbedRequest
from agentd.kernels.registry import EMBED
from agentd.observability.metrics import Metrics
from agentd.storage.globs import glob_to_tantivy_regex
from agentd.storage.keyword_view import KeywordFilter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from agentd.compute.pool import Pool
    from agentd.domain import Filter
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.keyword_view import KeywordView, WeighedWord
    from agentd.storage.vector_view import VectorView

Ranked = list[tuple[int, float]]

QUERY_CACHE = 512
"""Vectors of the last queries: a search that is refined by filters alone embeds nothing."""


class Retriever(Protocol):
    """One way to find chunks."""

    async def retrieve(self, text: str, only: Filter, limit: int) -> Ranked:
        """The best ``limit`` chunks for ``text`` among those that ``only`` lets through."""


class ScoringRetriever(Retriever, Protocol):
    """One that also says how well chunks fit that others found."""

    async def scores(self, text: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """The scores of those of ``chunk_ids`` that it has any for."""


class Measures(NamedTuple):
    """The words of a query, and BM25 by chunk for those of some chunks that hold any of them."""

    words: list[WeighedWord]
    scores: dict[int, float]


class KeywordRetriever:
    """BM25 over the keyword view, in a thread: tantivy releases the GIL."""

    def __init__(self, view: KeywordView, threads: Executor) -> None:
        self._view = view
        self._threads = threads

    async def retrieve(self, text: str, only: Filter, limit: int) -> Ranked:
        """See Retriever."""
        restrict = KeywordFilter(
            root_ids=only.roots,
            path_regexes=tuple(glob_to_tantivy_regex(glob) for glob in only.paths),
            languages=only.languages,
            kinds=tuple(kind.value for kind in only.kinds),
        )
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._view.search, text, restrict, limit)

    async def measure(self, text: str, chunk_ids: Sequence[int]) -> Measures:
        """What the words of ``text`` are worth, and the scores of chunks by them."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._measure, text, chunk_ids)

    def _measure(self, text: str, chunk_ids: Sequence[int]) -> Measures:
        return Measures(self._view.weigh(text), self._view.scores(text, chunk_ids))


class VectorRetriever:
    """Cosine over the vector view of one space; the query is embedded in the interactive lane."""

    def __init__(
        self,
        view: VectorView,
        model_directory: str,
        max_tokens: int,
        pool: Pool,
        catalogue: Catalogue,
        threads: Executor,
        metrics: Metrics | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        self._view = view
        self._model_directory = model_directory
        self._max_tokens = max_tokens
        self._pool = pool
        self._catalogue = catalogue
        self._threads = threads
        self._queries: LRUCache[str, tuple[bytes, float]] = LRUCache(QUERY_CACHE)
        self._took = metrics.histogram("search_stage_ms", stage="embed_query")
        self._hits = metrics.counter("query_vectors", result="hit")
        self._misses = metrics.counter("query_vectors", result="miss")

    async def retrieve(self, text: str, only: Filter, limit: int) -> Ranked:
        """See Retriever.

        Raises:
            ComputeError: the query could not be embedded.
        """
        known = self._queries.get(text)
        (self._misses if known is None else self._hits).increment()
        codes, scale = known or await self._embed(text)
        narrowed = only.paths or only.languages or only.kinds
        documents = await self._catalogue.passages.document_ids(only) if narrowed else None
        roots = only.roots or None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._view.search, codes, scale, limit, documents, roots)

    async def scores(self, text: str, chunk_ids: Sequence[int]) -> dict[int, float]:
        """See ScoringRetriever."""
        codes, scale = self._queries.get(text) or await self._embed(text)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._view.cosines, codes, scale, chunk_ids)

    def forget(self) -> None:
        """Let go of the vectors of the last queries."""
        self._queries.clear()

    async def _embed(self, text: str) -> tuple[bytes, float]:
        request = EmbedRequest(directory=self._model_directory, texts=[text], max_tokens=self._max_tokens)
        with self._took.time():
            result = await self._pool.run(EMBED, request, lane=Lane.INTERACTIVE)
        vector = result.codes, float(memoryview(result.scales).cast("f")[0])
        self._queries[text] = vector
        return vector
