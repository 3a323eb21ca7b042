"""The two lists that a search fuses: keyword and vector, each (chunk id, score) from best to worst."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agentd.storage.globs import glob_to_tantivy_regex
from agentd.storage.keyword_view import KeywordFilter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from agentd.domain import Filter
    from agentd.storage.keyword_view import KeywordView, WeighedWord

Ranked = list[tuple[int, float]]


class Retriever(Protocol):
    """One way to find chunks."""

    async def retrieve(self, text: str, only: Filter, limit: int) -> Ranked:
        """The best ``limit`` chunks for ``text`` among those that ``only`` lets through."""


class ScoringRetriever(Retriever, Protocol):
    """One that also says how well chunks fit that others found."""

    async def retrieve_within(self, text: str, only: Filter, limit: int, seconds: float, problems: list[str]) -> Ranked:
        """The same, from what is ready in ``seconds``; what part of it was not is added to ``problems``, in words."""

    async def scores(self, text: str, only: Filter, chunk_ids: Sequence[int]) -> dict[int, float]:
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
