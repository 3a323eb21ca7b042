"""The vector index of one space: the view, the space it belongs to, and the thread that changes it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from agentd.storage.embedding_table import Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from agentd.domain import Space
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.feed import Feed
    from agentd.storage.rows import UnembeddedChunk
    from agentd.storage.vector_view import VectorView

RECONCILE_PAGE = 2000


class VectorIndex:
    """One space's vectors. All changes go through one thread; searches run beside them."""

    def __init__(self, space: Space, view: VectorView, feed: Feed, thread: Executor) -> None:
        self.space = space
        self.view = view
        self._feed = feed
        self._thread = thread
        self._generation = view.generation

    @property
    def generation(self) -> int:
        """The position in the feed up to which removals were applied."""
        return self._generation

    @property
    def renewed(self) -> str:
        """See ``View``. Reconciling, and not the feed, brings back what was lost."""
        return self.view.renewed

    @renewed.setter
    def renewed(self, reason: str) -> None:
        """The follower knows nothing of vectors that wait in the queue: the embedder clears it."""

    @staticmethod
    def vector(codes: bytes, scale: float) -> Vector:
        """A vector as the cache gives it."""
        return Vector(codes, scale)

    async def add(self, rows: Sequence[UnembeddedChunk], known: dict[bytes, Vector]) -> None:
        """Add the vectors of ``rows``, found by text hash."""
        found = [known[row.text_hash] for row in rows]
        codes = np.frombuffer(b"".join(vector.codes for vector in found), dtype=np.int8)
        await self._in_thread(
            self.view.add,
            np.array([row.chunk_id for row in rows], dtype=np.uint64),
            np.array([row.document_id for row in rows], dtype=np.uint64),
            np.array([row.root_id for row in rows], dtype=np.uint64),
            codes.reshape(len(rows), self.space.dimension),
            np.array([vector.scale for vector in found], dtype=np.float32),
        )

    async def remove(self, chunk_ids: Sequence[int]) -> None:
        """Drop the vectors of these chunks."""
        if chunk_ids:
            await self._in_thread(self.view.remove, np.array(chunk_ids, dtype=np.uint64))

    async def read(self, document_ids: Sequence[int]) -> Sequence[tuple[int, int]] | None:
        """What ``apply`` needs to know; None while there is no vector to drop, as during the first indexing."""
        return await self._feed.chunk_ids(document_ids) if self.view.count else None

    def apply(self, document_ids: Sequence[int], chunks: Sequence[tuple[int, int]] | None) -> None:
        """Drop the vectors of chunks that the documents no longer have; ``chunks`` are (document id, chunk id) of those
        that they have. Runs in the follower's thread.
        """
        if chunks is None:
            return
        live: dict[int, list[int]] = {document_id: [] for document_id in document_ids}
        for document_id, chunk_id in chunks:
            live[document_id].append(chunk_id)
        for document_id, chunk_ids in live.items():
            self.view.retain(document_id, np.array(chunk_ids, dtype=np.uint64))

    def commit(self, generation: int) -> None:
        """Note the position; it is saved with the next snapshot, and what a crash loses is reconciled at start."""
        self._generation = generation

    def rebuild(self, reason: str) -> None:
        """See ``View``."""
        self.view.rebuild(reason)
        self._generation = 0

    async def check(self) -> str | None:
        """What is wrong with the files, or None, after saving what a snapshot is to hold."""
        await self.save()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.view.check)

    async def save(self) -> None:
        """Write a snapshot where anything changed since the last."""
        await self._in_thread(self.view.save, self._generation)

    async def reconcile(self, catalogue: Catalogue) -> int:
        """Make the view hold the chunks that have a vector by the catalogue; returns how many were queued.

        Missing ones are queued again (their vectors are in the cache), those of chunks that are gone, or have a vector
        of a better model, are dropped.
        """
        must, may = await catalogue.vectors.embeddable_ids(self.space.key)
        missing, stale = await asyncio.get_running_loop().run_in_executor(
            self._thread, differences, must, may, self.view.chunk_ids()
        )
        for start in range(0, len(missing), RECONCILE_PAGE):
            await catalogue.vectors.enqueue(self.space.key, missing[start : start + RECONCILE_PAGE].tolist())
        await self.remove(stale.tolist())
        return len(missing)

    async def _in_thread(self, call: Callable[..., object], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


Ids = npt.NDArray[np.uint64]


def differences(must: Ids, may: Ids, held: Ids) -> tuple[Ids, Ids]:
    """What must be held and is not, and what is held and may not be."""
    return np.setdiff1d(must, held, assume_unique=True), np.setdiff1d(held, may, assume_unique=True)
