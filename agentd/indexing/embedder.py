"""Chunks without a vector -> cache or bulk workers -> vector view.

The queue is in the database, newest edits first. Embedding waits while documents are pending, so that keyword search
is complete as soon as it can be.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import structlog

from agentd.compute.pool import Lane, Priority
from agentd.domain import embedding_text
from agentd.errors import BusyError, ComputeError, NoWorkerError
from agentd.indexing.beginning_anew import BeginningAnew
from agentd.indexing.progress import RateMeter
from agentd.indexing.signal import Signal
from agentd.kernels.messages import EmbedRequest
from agentd.kernels.registry import EMBED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentd.compute.pool import Pool
    from agentd.config.settings import EmbeddingSettings
    from agentd.indexing.vectors import VectorIndex
    from agentd.kernels.messages import EmbedResult
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.embedding_cache import EmbeddingCache
    from agentd.storage.embedding_table import Vector
    from agentd.storage.rows import UnembeddedChunk

log = structlog.get_logger(__name__)

WINDOW = 512
"""Chunks sorted by length at a time: enough for even batches, few enough that an edit is next."""
BATCH_CHARS = 4800
"""A batch is about 1,000 tokens, some 90 ms on one core: the longest that other work of the lane waits for it."""
BATCH_TEXTS = 32
KEEP_SECONDS = 0.25
RETRY_SECONDS = 1.0

Batch = list["UnembeddedChunk"]


class Embedder:
    """Gives every queued chunk of the space its vector."""

    def __init__(
        self,
        pool: Pool,
        catalogue: Catalogue,
        cache: EmbeddingCache,
        vectors: VectorIndex,
        settings: EmbeddingSettings,
        progress: Signal,
        gate: asyncio.Event,
    ) -> None:
        self.embedded = RateMeter(time.monotonic)
        self.computed = RateMeter(time.monotonic)
        self.failed = 0
        self.truncated = 0
        self.idle = asyncio.Event()
        self._pool = pool
        self._catalogue = catalogue
        self._cache = cache
        self._vectors = vectors
        self._settings = settings
        self._gate = gate
        self._progress = progress
        self._seen = -1
        self._generation = -1
        self._in_flight: set[int] = set()
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._results: asyncio.Queue[tuple[Batch, list[tuple[bytes, bytes, float]]]] = asyncio.Queue()
        self._room = Signal()
        self._anew = BeginningAnew()

    async def run(self) -> None:
        """The service: never returns, except by cancellation.

        It begins with what the view has lost (a crash, a deleted folder, a failure of this service): that is queued
        again, and comes from the cache.
        """
        await self._anew.run(self._run)

    def reconcile(self) -> None:
        """Begin again with what the view has lost."""
        self.idle.clear()
        self._anew.ask()

    async def _run(self) -> None:
        self.idle.clear()
        self._in_flight.clear()
        self._batches = asyncio.Queue()
        self._results = asyncio.Queue()
        await self._vectors.reconcile(self._catalogue)
        async with asyncio.TaskGroup() as group:
            # Two more than the lane has workers keep its queue from running dry between batches.
            for number in range(self._pool.bulk_workers + 2):
                group.create_task(self._compute(), name=f"embedder-{number}")
            group.create_task(self._keep(), name="embedder-keep")
            await self._hand_out()

    @property
    def space(self) -> str:
        """Key of the space that is being filled."""
        return self._vectors.space.key

    @property
    def settled(self) -> bool:
        """Every chunk of the queue as it is now has its vector. Only what moves the generation fills the queue: other
        commits wake the service, and must not make an answer look incomplete meanwhile.
        """
        return self.idle.is_set() and self._generation == self._catalogue.feed.changed.value

    async def _hand_out(self) -> None:
        while True:
            await self._gate.wait()
            self._seen = self._catalogue.database.commits.value
            self._generation = self._catalogue.feed.changed.value
            window = await self._catalogue.vectors.next_unembedded(self._vectors.space.key, WINDOW, self._in_flight)
            if not window:
                await self._rest()
                continue
            self.idle.clear()
            self._in_flight.update(row.chunk_id for row in window)
            for batch in batches(await self._from_cache(window)):
                self._batches.put_nowait(batch)
            await self._room.until(lambda: len(self._in_flight) < WINDOW // 2)

    async def _rest(self) -> None:
        if not self._in_flight:
            self.idle.set()
            self._vectors.view.renewed = ""
            self._progress.give()
        await self._catalogue.database.commits.wait(self._seen)

    async def _from_cache(self, window: Sequence[UnembeddedChunk]) -> list[UnembeddedChunk]:
        """Add what the cache has; return the rest."""
        found = await self._cache.get_many(self._vectors.space.key, [row.text_hash for row in window])
        # Of another length it is damaged; a new one takes its place in the cache.
        known = {key: vector for key, vector in found.items() if len(vector.codes) == self._vectors.space.dimension}
        await self._add([row for row in window if row.text_hash in known], known)
        return [row for row in window if row.text_hash not in known]

    async def _compute(self) -> None:
        while True:
            batch = await self._batches.get()
            await self._gate.wait()
            await self._embed(batch)

    async def _embed(self, batch: Batch) -> None:
        """Embed a batch. One that a worker cannot do is halved until the text is found that is to blame."""
        texts = {row.text_hash: embedding_text(row.context, row.text, row.names) for row in batch}
        try:
            result = await self._pool.run(
                EMBED, self._request(list(texts.values())), lane=Lane.BULK, priority=Priority.EMBED
            )
        except (BusyError, NoWorkerError):
            await asyncio.sleep(RETRY_SECONDS)
            self._batches.put_nowait(batch)
        except ComputeError as error:
            await self._halve(batch, error)
        else:
            self.truncated += result.truncated
            self.computed.add(len(texts))
            await self._results.put((batch, list(vectors(list(texts), result))))

    async def _halve(self, batch: Batch, error: ComputeError) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._embed(batch[:middle])
            await self._embed(batch[middle:])
            return
        self.failed += 1
        log.warning("embedding_failed", chunk=batch[0].chunk_id, error=str(error))
        await self._done([batch[0].chunk_id])

    def _request(self, texts: list[str]) -> EmbedRequest:
        return EmbedRequest(
            directory=self._vectors.model_directory,
            texts=texts,
            max_tokens=self._settings.max_tokens,
            batch_tokens=self._settings.batch_tokens,
        )

    async def _keep(self) -> None:
        """Store what is ready, several batches in one transaction."""
        while True:
            await self._keep_some([await self._results.get()])

    async def _keep_some(self, ready: list[tuple[Batch, list[tuple[bytes, bytes, float]]]]) -> None:
        if not self._batches.empty():  # much is on its way: a transaction costs as much for one batch as for ten
            await asyncio.sleep(KEEP_SECONDS)
        with contextlib.suppress(asyncio.QueueEmpty):
            while True:
                ready.append(self._results.get_nowait())
        found = [vector for _, some in ready for vector in some]
        await self._cache.put_many(self._vectors.space.key, found)
        by_hash = {text_hash: self._vectors.vector(codes, scale) for text_hash, codes, scale in found}
        await self._add([row for batch, _ in ready for row in batch], by_hash)

    async def _add(self, rows: Sequence[UnembeddedChunk], known: dict[bytes, Vector]) -> None:
        """Put vectors into the view. A chunk deleted meanwhile may have slipped in after its removal was followed:
        those that are gone by now are taken out again, and later ones are still ahead in the feed.
        """
        if not rows:
            return
        await self._vectors.add(rows, known)
        chunk_ids = [row.chunk_id for row in rows]
        alive = await self._catalogue.passages.existing(chunk_ids)
        await self._vectors.remove([chunk_id for chunk_id in chunk_ids if chunk_id not in alive])
        self.embedded.add(len(rows))
        await self._done(chunk_ids)

    async def _done(self, chunk_ids: list[int]) -> None:
        await self._catalogue.vectors.embedded(self._vectors.space.key, chunk_ids)
        self._in_flight.difference_update(chunk_ids)
        self._room.give()
        self._progress.give()


def batches(rows: Sequence[UnembeddedChunk]) -> Iterator[Batch]:
    """Cut rows, sorted by length, into runs of about equal work."""
    batch: Batch = []
    chars = 0
    for row in sorted(rows, key=lambda row: len(row.text)):
        if batch and (chars + len(row.text) > BATCH_CHARS or len(batch) == BATCH_TEXTS):
            yield batch
            batch, chars = [], 0
        batch.append(row)
        chars += len(row.text)
    if batch:
        yield batch


def vectors(hashes: Sequence[bytes], result: EmbedResult) -> Iterator[tuple[bytes, bytes, float]]:
    """(hash, int8 codes, scale) of each text, in the order they were asked."""
    scales = memoryview(result.scales).cast("f")
    for row, text_hash in enumerate(hashes):
        yield text_hash, result.codes[row * result.dimension : (row + 1) * result.dimension], scales[row]
