"""Vectors by the hash of the exact text embedded: in memory, then in ``embeddings.db``.

The file outlives the index and is shared by all roots, so a rename, a branch or a second worktree embeds nothing
again. It holds only what can be computed again: a damaged file is set aside and a new one begun.
"""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from cachetools import LRUCache
from msgspec import Struct

from agentd.errors import StateDamagedError
from agentd.storage import embedding_table as table
from agentd.storage.connection import Connection, guarded, is_damaged, open_or_replace, transact, unusable
from agentd.storage.database_check import check_tables, checking
from agentd.storage.embedding_table import Vector
from agentd.storage.free_space import forget_pages, return_pages, truncate_log
from agentd.storage.set_aside import SQLITE_COMPANIONS, set_aside

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Collection, Sequence
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

ENTRY_OVERHEAD_BYTES = 400
"""What an entry costs in memory beside its codes: key, hash, vector and the links of the cache's dicts."""


class CacheCounts(Struct):
    """How texts asked for were answered, since the start; a text that a call names twice counts once. ``evicted`` are
    vectors that left the file.
    """

    memory_hits: int = 0
    disk_hits: int = 0
    misses: int = 0
    evicted: int = 0


class EmbeddingCache:
    """Made by ``EmbeddingCache.open``. Spaces are named by ``Space.key``, texts by their 16-byte hash."""

    def __init__(self, path: Path, connection: Connection, memory_bytes: int) -> None:
        self.counts = CacheCounts()
        self._path = path
        self._connection = connection
        self._replacing = asyncio.Lock()
        self._damage = ""
        """Why the connection was closed; a new file is made when it is needed next."""
        self._memory: LRUCache[tuple[str, bytes], Vector] = LRUCache(memory_bytes, getsizeof=_entry_bytes)

    @classmethod
    async def open(cls, path: Path, memory_megabytes: int) -> EmbeddingCache:
        """Open the file at ``path``, made where missing, set aside and made anew where damaged.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read and written.
        """
        return cls(
            path, await Connection.open(_THREAD, partial(_open_or_replace, path)), memory_megabytes * 1024 * 1024
        )

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._connection.close()

    async def get_many(self, space: str, hashes: Collection[bytes]) -> dict[bytes, Vector]:
        """The vectors that are there, by hash."""
        wanted = dict.fromkeys(hashes)
        found = {digest: vector for digest in wanted if (vector := self._memory.get((space, digest))) is not None}
        self.counts.memory_hits += len(found)
        missing = [digest for digest in wanted if digest not in found]
        if missing:
            read = await self._run(table.get, space, missing)
            self.counts.disk_hits += len(read)
            self.counts.misses += len(missing) - len(read)
            self._remember(space, read)
            found.update(read)
        return found

    async def put_many(self, space: str, vectors: Sequence[tuple[bytes, bytes, float]]) -> None:
        """Keep (hash, codes, scale) for good, in one transaction."""
        await self._run(table.put, space, vectors)
        self._remember(space, {digest: Vector(codes, scale) for digest, codes, scale in vectors})

    async def evict(self, in_use: AsyncIterable[Sequence[bytes]], active: Collection[str], limit_bytes: int) -> int:
        """Bring the file to ``limit_bytes``: of the vectors that no chunk uses, those used longest ago go first.

        ``in_use`` gives the hashes of every chunk, in pages; vectors outside the spaces in ``active`` are used by none.
        Where too much is in use the file stays over its limit. Returns the number of vectors evicted.
        """
        if await self.disk_bytes() <= limit_bytes:
            return 0
        await self._run(table.begin_census)
        async for hashes in in_use:
            await self._run(table.note_in_use, hashes)
        evicted = 0
        while await self.disk_bytes() > limit_bytes and (count := await self._run(table.evict, list(active))):
            evicted += count
        await self._run(table.end_census)
        self.counts.evicted += evicted
        return evicted

    async def disk_bytes(self) -> int:
        """What the file takes, free pages left out."""
        return await self._run(table.used_bytes)

    async def give_back(self) -> None:
        """Give what evicted vectors took, and the write-ahead log, back to the disk, in steps between which others
        write.
        """
        connection = await self._sound_connection()
        while await connection.run(guarded, self._path, return_pages, 0):
            pass
        await connection.run(guarded, self._path, truncate_log)

    async def shrink_memory(self) -> None:
        """Forget the vectors and the pages that are in memory; the disk has them all."""
        self._memory.clear()
        await self.forget_pages()

    async def forget_pages(self) -> None:
        """Let go of the pages of the file that are in memory."""
        connection = await self._sound_connection()
        await connection.run(guarded, self._path, forget_pages)

    def _remember(self, space: str, vectors: dict[bytes, Vector]) -> None:
        for digest, vector in vectors.items():
            if _entry_bytes(vector) <= self._memory.maxsize:
                self._memory[space, digest] = vector

    async def check(self) -> None:
        """Read the whole file, beside everybody else, and replace it where it is damaged.

        Raises:
            StateUnusableError: it cannot be read.
        """
        connection = await self._sound_connection()
        try:
            async with checking(self._path) as checker:
                await check_tables(checker, self._path)
        except StateDamagedError as error:
            await self._give_up(connection, error.message)

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
        """The connection, to a new file where the old one proved damaged; tried anew where the disk was full."""
        async with self._replacing:
            if self._damage:
                self._connection = await Connection.open(
                    _THREAD, partial(_set_aside_and_open, self._path, self._damage)
                )
                self._damage = ""
            return self._connection


_THREAD = "agentd-embeddings"


def _open_or_replace(path: Path) -> sqlite3.Connection:
    return open_or_replace(path, table.open_table)[0]


def _set_aside_and_open(path: Path, reason: str) -> sqlite3.Connection:
    set_aside(path, reason, SQLITE_COMPANIONS)
    return _open_or_replace(path)


def _entry_bytes(vector: Vector) -> int:
    return len(vector.codes) + ENTRY_OVERHEAD_BYTES
