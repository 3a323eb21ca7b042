"""Vectors by the hash of the exact text embedded: in memory, then in ``embeddings.db``.

The file outlives the index and is shared by all roots, so a rename, a branch or a second worktree embeds nothing
again. It holds only what can be computed again: a damaged file is set aside and a new one begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachetools import LRUCache
from msgspec import Struct

from agentd.storage import embedding_table as table
from agentd.storage.embedding_table import Vector
from agentd.storage.layout import used_bytes
from agentd.storage.renewable import RenewableDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Collection, Sequence
    from pathlib import Path

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

    def __init__(self, database: RenewableDatabase, memory_bytes: int) -> None:
        self.counts = CacheCounts()
        self._database = database
        self._memory: LRUCache[tuple[str, bytes], Vector] = LRUCache(memory_bytes, getsizeof=_entry_bytes)

    @classmethod
    async def open(cls, path: Path, memory_megabytes: int) -> EmbeddingCache:
        """Open the file at ``path``, made where missing, set aside and made anew where damaged.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read and written.
        """
        database = await RenewableDatabase.open(path, "agentd-embeddings", table.open_table)
        return cls(database, memory_megabytes * 1024 * 1024)

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._database.close()

    async def get_many(self, space: str, hashes: Collection[bytes]) -> dict[bytes, Vector]:
        """The vectors that are there, by hash."""
        wanted = dict.fromkeys(hashes)
        found = {digest: vector for digest in wanted if (vector := self._memory.get((space, digest))) is not None}
        self.counts.memory_hits += len(found)
        missing = [digest for digest in wanted if digest not in found]
        if missing:
            read = await self._database.run(table.get, space, missing)
            self.counts.disk_hits += len(read)
            self.counts.misses += len(missing) - len(read)
            self._remember(space, read)
            found.update(read)
        return found

    async def put_many(self, space: str, vectors: Sequence[tuple[bytes, bytes, float]]) -> None:
        """Keep (hash, codes, scale) for good, in one transaction."""
        await self._database.run(table.put, space, vectors)
        self._remember(space, {digest: Vector(codes, scale) for digest, codes, scale in vectors})

    async def evict(self, in_use: AsyncIterable[Sequence[bytes]], active: Collection[str], limit_bytes: int) -> int:
        """Bring the file to ``limit_bytes``: of the vectors that no chunk uses, those used longest ago go first.

        ``in_use`` gives the hashes of every chunk, in pages; vectors outside the spaces in ``active`` are used by none.
        Where too much is in use the file stays over its limit. Returns the number of vectors evicted.
        """
        if await self.disk_bytes() <= limit_bytes:
            return 0
        await self._database.run(table.begin_census)
        async for hashes in in_use:
            await self._database.run(table.note_in_use, hashes)
        evicted = 0
        while await self.disk_bytes() > limit_bytes and (count := await self._database.run(table.evict, list(active))):
            evicted += count
        await self._database.run(table.end_census)
        self.counts.evicted += evicted
        return evicted

    async def disk_bytes(self) -> int:
        """What the file takes, free pages left out."""
        return await self._database.run(used_bytes)

    async def give_back(self) -> None:
        """Give what evicted vectors took, and the write-ahead log, back to the disk."""
        await self._database.give_back()

    async def shrink_memory(self) -> None:
        """Forget the vectors and the pages that are in memory; the disk has them all."""
        self._memory.clear()
        await self.forget_pages()

    async def forget_pages(self) -> None:
        """Let go of the pages of the file that are in memory."""
        await self._database.shrink_memory()

    def _remember(self, space: str, vectors: dict[bytes, Vector]) -> None:
        for digest, vector in vectors.items():
            if _entry_bytes(vector) <= self._memory.maxsize:
                self._memory[space, digest] = vector

    async def check(self) -> None:
        """Read the whole file and replace it where it is damaged. Raises StateUnusableError where it cannot be read."""
        await self._database.check()


def _entry_bytes(vector: Vector) -> int:
    return len(vector.codes) + ENTRY_OVERHEAD_BYTES
