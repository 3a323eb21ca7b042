"""What the daemon holds for speed alone, and can give back: caches, buffers, vectors that nobody uses."""

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


class Reserves:
    """Gives back what can be had again. ``release_keyword_writer`` lets its buffer go where nothing is in it."""

    def __init__(self, stores: Stores, release_keyword_writer: Callable[[], Awaitable[None]]) -> None:
        self.queries: MeaningRetriever | None = None
        self._stores = stores
        self._release_keyword_writer = release_keyword_writer

    async def give_memory(self) -> None:
        """Empty every cache of this process, and hand what was freed to the system: some 30 MB, filled again as queries
        come.
        """
        if self.queries is not None:
            self.queries.forget()
        await self._stores.cache.shrink_memory()
        await self._stores.catalogue.database.shrink_memory()
        await self._release_keyword_writer()
        await asyncio.to_thread(return_memory)

    async def give_disk(self, wanted_bytes: int) -> None:
        """Delete damaged files that were set aside, evict up to so many bytes of vectors that no chunk uses, and return
        every free page and every log to the disk.
        """
        await asyncio.to_thread(self._forget_damaged)
        cache, queue = self._stores.cache, self._stores.catalogue.vectors
        keep = max(0, await cache.disk_bytes() - wanted_bytes)
        await cache.evict(queue.all_text_hashes(), await self._stores.catalogue.spaces.in_use(), keep)
        await cache.give_back()
        await self._stores.catalogue.database.give_back()

    def _forget_damaged(self) -> None:
        state = self._stores.catalogue.database.path.parent
        for directory in (state, state / VECTORS_NAME):
            forget_all_copies(directory)
