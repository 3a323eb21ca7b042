"""Pages and searches of the web for as long as they may be kept: in memory, then in ``web.db``.

It holds only what can be asked again: a damaged file is set aside and a new one begun, and a disk that takes nothing
costs the cache, never a page.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from cachetools import TLRUCache
from msgspec import Struct

from agentd.errors import StateError
from agentd.storage import web_table as table
from agentd.storage.layout import used_bytes
from agentd.storage.renewable import RenewableDatabase
from agentd.storage.web_table import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = structlog.get_logger(__name__)

MEMORY_BYTES = 4 * 1024 * 1024
ENTRY_OVERHEAD_BYTES = 400


class WebCacheCounts(Struct):
    """How it answered, since the start; ``evicted`` left the file before their time."""

    memory_hits: int = 0
    disk_hits: int = 0
    misses: int = 0
    evicted: int = 0


class WebCache:
    """Made by ``WebCache.open``. ``clock`` is in seconds since the epoch."""

    def __init__(self, database: RenewableDatabase, clock: Callable[[], float] = time.time) -> None:
        self.counts = WebCacheCounts()
        self._database = database
        self._clock = clock
        self._memory: TLRUCache[tuple[str, bytes], Entry] = TLRUCache(
            MEMORY_BYTES, ttu=lambda _, entry, __: entry.expires, timer=clock, getsizeof=_entry_bytes
        )

    @classmethod
    async def open(cls, path: Path, clock: Callable[[], float] = time.time) -> WebCache:
        """Open the file at ``path``, made where missing, set aside and made anew where damaged.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read and written.
        """
        return cls(await RenewableDatabase.open(path, "agentd-web-cache", table.open_table), clock)

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._database.close()

    async def get(self, kind: str, key: bytes) -> bytes | None:
        """What was put, unless its time is over; None, too, where the disk does not give it."""
        entry = self._memory.get((kind, key))
        if entry is not None:
            self.counts.memory_hits += 1
            return entry.value
        try:
            entry = await self._database.run(table.get, kind, key, self._clock())
        except StateError as error:
            log.warning("web_cache_unusable", error=error.message)
        if entry is None:
            self.counts.misses += 1
            return None
        self.counts.disk_hits += 1
        self._remember(kind, key, entry)
        return entry.value

    async def put(self, kind: str, key: bytes, value: bytes, seconds: float) -> None:
        """Keep ``value`` for ``seconds``; in memory alone where the disk does not take it."""
        now = self._clock()
        entry = Entry(value, now + seconds)
        self._remember(kind, key, entry)
        try:
            await self._database.run(table.put, kind, key, entry, now)
        except StateError as error:
            log.warning("web_cache_unusable", error=error.message)

    async def maintain(self, limit_bytes: int) -> int:
        """Forget what is over its time, then what was used longest ago, until the file is within ``limit_bytes``;
        returns how many entries went. What they took goes back to the disk.
        """
        forgotten = evicted = 0
        while count := await self._database.run(table.forget_expired, self._clock()):
            forgotten += count
        while await self.disk_bytes() > limit_bytes and (count := await self._database.run(table.evict)):
            evicted += count
        self.counts.evicted += evicted
        if forgotten or evicted:
            await self._database.give_back()
        return forgotten + evicted

    async def disk_bytes(self) -> int:
        """What the file takes, free pages left out."""
        return await self._database.run(used_bytes)

    async def check(self) -> None:
        """Read the whole file and replace it where it is damaged. Raises StateUnusableError where it cannot be read."""
        await self._database.check()

    def shrink_memory(self) -> None:
        """Forget what is in memory; the disk has it all."""
        self._memory.clear()

    def _remember(self, kind: str, key: bytes, entry: Entry) -> None:
        if _entry_bytes(entry) <= self._memory.maxsize // 4:
            self._memory[kind, key] = entry


def _entry_bytes(entry: Entry) -> int:
    return len(entry.value) + ENTRY_OVERHEAD_BYTES
