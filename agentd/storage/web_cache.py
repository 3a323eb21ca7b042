"""Pages and searches of the web for as long as they may be kept: in memory, then in ``web.db``.

It holds only what can be asked again: a damaged file is set aside and a new one begun, and a disk that takes nothing
costs the cache, never a page.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import structlog
from cachetools import TLRUCache
from msgspec import Struct

from agentd.errors import StateError
from agentd.storage import web_table as table
from agentd.storage.connection import Connection, guarded, is_damaged, open_or_replace, transact, unusable
from agentd.storage.free_space import return_pages, truncate_log
from agentd.storage.set_aside import SQLITE_COMPANIONS, set_aside
from agentd.storage.web_table import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)

MEMORY_BYTES = 4 * 1024 * 1024
ENTRY_OVERHEAD_BYTES = 400
_THREAD = "agentd-web-cache"


class WebCacheCounts(Struct):
    """How it answered, since the start; ``evicted`` left the file before their time."""

    memory_hits: int = 0
    disk_hits: int = 0
    misses: int = 0
    evicted: int = 0


class WebCache:
    """Made by ``WebCache.open``. ``clock`` is in seconds since the epoch."""

    def __init__(self, path: Path, connection: Connection, clock: Callable[[], float] = time.time) -> None:
        self.counts = WebCacheCounts()
        self._path = path
        self._connection = connection
        self._clock = clock
        self._replacing = asyncio.Lock()
        self._damage = ""
        """Why the connection was closed; a new file is made when it is needed next."""
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
        return cls(path, await Connection.open(_THREAD, partial(_open_or_replace, path)), clock)

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._connection.close()

    async def get(self, kind: str, key: bytes) -> bytes | None:
        """What was put, unless its time is over; None, too, where the disk does not give it."""
        entry = self._memory.get((kind, key))
        if entry is not None:
            self.counts.memory_hits += 1
            return entry.value
        try:
            entry = await self._run(table.get, kind, key, self._clock())
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
            await self._run(table.put, kind, key, entry, now)
        except StateError as error:
            log.warning("web_cache_unusable", error=error.message)

    async def maintain(self, limit_bytes: int) -> int:
        """Forget what is over its time, then what was used longest ago, until the file is within ``limit_bytes``;
        returns how many entries went. What they took goes back to the disk.
        """
        forgotten = evicted = 0
        while count := await self._run(table.forget_expired, self._clock()):
            forgotten += count
        while await self.disk_bytes() > limit_bytes and (count := await self._run(table.evict)):
            evicted += count
        self.counts.evicted += evicted
        if forgotten or evicted:
            await self._give_back()
        return forgotten + evicted

    async def disk_bytes(self) -> int:
        """What the file takes, free pages left out."""
        return await self._run(table.used_bytes)

    async def _give_back(self) -> None:
        connection = await self._sound_connection()
        while await connection.run(guarded, self._path, return_pages, 0):
            pass
        await connection.run(guarded, self._path, truncate_log)

    def shrink_memory(self) -> None:
        """Forget what is in memory; the disk has it all."""
        self._memory.clear()

    def _remember(self, kind: str, key: bytes, entry: Entry) -> None:
        if _entry_bytes(entry) <= self._memory.maxsize // 4:
            self._memory[kind, key] = entry

    async def _run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run in a transaction; where the file proves damaged, once more on the new one that takes its place."""
        connection = await self._sound_connection()
        try:
            return await connection.run(transact, function, *args, **kwargs)
        except sqlite3.Error as error:
            if not is_damaged(error):
                raise unusable(self._path, error) or error from error
            await self._give_up(connection, str(error))
        return await (await self._sound_connection()).run(transact, function, *args, **kwargs)

    async def _give_up(self, damaged: Connection, reason: str) -> None:
        # Several calls may have met the damage; the first one counts.
        async with self._replacing:
            if self._connection is damaged and not self._damage:
                self._damage = reason
                await damaged.close()

    async def _sound_connection(self) -> Connection:
        async with self._replacing:
            if self._damage:
                self._connection = await Connection.open(
                    _THREAD, partial(_set_aside_and_open, self._path, self._damage)
                )
                self._damage = ""
            return self._connection


def _open_or_replace(path: Path) -> sqlite3.Connection:
    return open_or_replace(path, table.open_table)[0]


def _set_aside_and_open(path: Path, reason: str) -> sqlite3.Connection:
    set_aside(path, reason, SQLITE_COMPANIONS)
    return _open_or_replace(path)


def _entry_bytes(entry: Entry) -> int:
    return len(entry.value) + ENTRY_OVERHEAD_BYTES
