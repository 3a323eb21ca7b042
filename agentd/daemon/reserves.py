"""What the daemon can do without, and gives back: caches, buffers, unused vectors, in need old answers and runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentd.daemon.maintenance import return_memory
from agentd.daemon.stores import VECTORS_NAME
from agentd.storage.set_aside import forget_all_copies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentd.daemon.stores import Stores
    from agentd.retrieval.meaning import MeaningRetriever
    from agentd.storage.web_cache import WebCache

NEWEST_KEPT = 50
"""Of answers and of runs, which stay however little room there is: some 2 MB, and some 10 MB."""
MOST_KEPT = 100_000
"""All that the settings allow to be kept."""


class Reserves:
    """Gives back what can be had again. ``release_keyword_writer`` lets its buffer go where nothing is in it."""

    def __init__(self, stores: Stores, release_keyword_writer: Callable[[], Awaitable[None]]) -> None:
        self.queries: MeaningRetriever | None = None
        self.web_cache: Callable[[], WebCache | None] = lambda: None
        self._stores = stores
        self._release_keyword_writer = release_keyword_writer

    async def give_memory(self) -> None:
        """Empty every cache of this process, and hand what was freed to the system: some 30 MB, filled again as queries
        come.
        """
        if self.queries is not None:
            self.queries.forget()
        if (web := self.web_cache()) is not None:
            web.shrink_memory()
        await self._stores.cache.shrink_memory()
        await self._stores.catalogue.database.shrink_memory()
        await self._release_keyword_writer()
        await asyncio.to_thread(return_memory)

    async def give_disk(self, wanted_bytes: int) -> None:
        """Delete damaged files that were set aside, then up to so many bytes of pages of the web, of vectors that no
        chunk uses, and last of old runs and answers; every free page and every log goes back to the disk.
        """
        await asyncio.to_thread(self._forget_damaged)
        wanted_bytes -= await self._give_pages(wanted_bytes)
        wanted_bytes -= await self._give_vectors(wanted_bytes)
        await self._stores.catalogue.database.give_back()
        most = NEWEST_KEPT if wanted_bytes > 0 else MOST_KEPT
        await self._stores.runs.give_back(most)
        await self._stores.answers.give_back(most)

    async def _give_pages(self, wanted_bytes: int) -> int:
        if (web := self.web_cache()) is None:
            return 0
        before = await web.disk_bytes()
        await web.maintain(max(0, before - max(0, wanted_bytes)))
        return before - await web.disk_bytes()

    async def _give_vectors(self, wanted_bytes: int) -> int:
        cache, queue = self._stores.cache, self._stores.catalogue.vectors
        before = await cache.disk_bytes()
        in_use = await self._stores.catalogue.spaces.in_use()
        await cache.evict(queue.all_text_hashes(), in_use, max(0, before - max(0, wanted_bytes)))
        await cache.give_back()
        return before - await cache.disk_bytes()

    def _forget_damaged(self) -> None:
        state = self._stores.catalogue.database.path.parent
        for directory in (state, state / VECTORS_NAME):
            forget_all_copies(directory)
