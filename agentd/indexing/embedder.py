"""Chunks without a vector in a space -> cache or the space's model -> vector view.

The queue is in the database, newest edits first. Embedding waits while documents are pending, so that keyword search
is complete as soon as it can be.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from agentd.domain import embedding_text
from agentd.errors import BusyError, ComputeError, EgressError, NoWorkerError, ProviderError, ProviderRefusedError
from agentd.indexing.beginning_anew import BeginningAnew
from agentd.indexing.progress import RateMeter
from agentd.indexing.signal import Signal
from agentd.providers.contracts import Outgoing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from agentd.errors import AgentdError
    from agentd.indexing.members import Load, Member
    from agentd.indexing.vectors import VectorIndex
    from agentd.providers.contracts import Embedded
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.embedding_cache import EmbeddingCache
    from agentd.storage.embedding_table import Vector
    from agentd.storage.rows import UnembeddedChunk

log = structlog.get_logger(__name__)

KEEP_SECONDS = 0.25
RETRY_SECONDS = 1.0
PERHAPS_A_TEXT = frozenset({"server", "answer"})
"""Causes of a failure that one text may be to blame for: some servers answer 500, or NaN, to a few of them."""
MOST_DOUBTS = 3

Batch = list["UnembeddedChunk"]


class Embedder:
    """Gives every queued chunk of one space its vector. ``relieve`` is told which chunks have theirs in the view, so
    that other views let go of them.
    """

    def __init__(
        self,
        member: Member,
        catalogue: Catalogue,
        cache: EmbeddingCache,
        vectors: VectorIndex,
        progress: Signal,
        gate: asyncio.Event,
        relieve: Callable[[Sequence[UnembeddedChunk]], Awaitable[None]],
    ) -> None:
        self.embedded = RateMeter(time.monotonic)
        self.computed = RateMeter(time.monotonic)
        self.failed = 0
        self.truncated = 0
        self.idle = asyncio.Event()
        self._member = member
        self._load = member.load()
        self._catalogue = catalogue
        self._cache = cache
        self._vectors = vectors
        self._gate = gate
        self._relieve = relieve
        self._progress = progress
        self._seen = -1
        self._generation = -1
        self._in_flight: set[int] = set()
        self._doubts: Counter[int] = Counter()  # of chunks, how often one failed alone; emptied when all is done
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
        self._load = self._member.load()
        await self._vectors.reconcile(self._catalogue)
        async with asyncio.TaskGroup() as group:
            for number in range(self._load.at_once):
                group.create_task(self._compute(), name=f"embedder-{number}")
            group.create_task(self._keep(), name="embedder-keep")
            await self._hand_out()

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
            window = await self._catalogue.vectors.next_unembedded(
                self._vectors.space.key, self._load.window, self._in_flight
            )
            if not window:
                await self._rest()
                continue
            self.idle.clear()
            self._in_flight.update(row.chunk_id for row in window)
            for batch in batches(await self._from_cache(window), self._load):
                self._batches.put_nowait(batch)
            await self._room.until(lambda: len(self._in_flight) < self._load.window // 2)

    async def _rest(self) -> None:
        if not self._in_flight:
            self._doubts.clear()
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
            await self._member.usable.wait()
            await self._embed(batch)

    async def _embed(self, batch: Batch) -> None:
        """Embed a batch. One that the model cannot do is halved until the text is found that is to blame; where the
        model cannot be had, the batch waits for it.
        """
        texts = {row.text_hash: embedding_text(row.context, row.text, row.names) for row in batch}
        outgoing = Outgoing("embeddings", frozenset(row.root_path for row in batch))
        try:
            result = await self._member.model.embed(list(texts.values()), outgoing)
        except (BusyError, NoWorkerError):
            await self._put_off(batch)
        except EgressError:
            await self._let_go(batch)
        except ProviderError as error:
            if not self._member.failed(error):
                await self._halve(batch, error)
            elif error.details.get("cause") in PERHAPS_A_TEXT:
                await self._doubt(batch, error)
            else:
                await self._put_off(batch)
        except ComputeError as error:
            await self._halve(batch, error)
        else:
            await self._take(batch, list(texts), result)

    async def _take(self, batch: Batch, hashes: Sequence[bytes], result: Embedded) -> None:
        if result.space != self._vectors.space:  # the model changed behind its name
            self._member.look_again()
            await self._put_off(batch)
            return
        self.truncated += result.truncated
        self.computed.add(len(hashes))
        await self._results.put((batch, list(vectors(hashes, result, self._vectors.space.dimension))))

    async def _put_off(self, batch: Batch) -> None:
        await asyncio.sleep(RETRY_SECONDS)
        self._batches.put_nowait(batch)

    async def _doubt(self, batch: Batch, error: ProviderError) -> None:
        """The server broke at a batch: it is at fault, or one of the texts. Its halves show which; a text that fails by
        itself again and again, at a server that embeds others, is left to keyword search.
        """
        if len(batch) > 1:
            middle = len(batch) // 2
            self._batches.put_nowait(batch[:middle])
            await self._put_off(batch[middle:])
            return
        self._doubts[batch[0].chunk_id] += 1
        if self._doubts[batch[0].chunk_id] >= MOST_DOUBTS and self._vectors.view.count:
            await self._give_up(batch, error)
        else:
            await self._put_off(batch)

    async def _let_go(self, batch: Batch) -> None:
        """The configuration no longer lets text of this root go there: the chain of the root is about to change."""
        self._member.changed()
        await asyncio.sleep(RETRY_SECONDS)
        self._in_flight.difference_update(row.chunk_id for row in batch)
        self._room.give()

    async def _halve(self, batch: Batch, error: AgentdError) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._embed(batch[:middle])
            await self._embed(batch[middle:])
            return
        if isinstance(error, ProviderRefusedError) and not self._vectors.view.count:
            await self._put_off(
                batch
            )  # it has never taken any: that is not this text's fault, and the next may take it
            return
        await self._give_up(batch, error)

    async def _give_up(self, batch: Batch, error: AgentdError) -> None:
        self.failed += 1
        log.warning("embedding_failed", chunk=batch[0].chunk_id, error=str(error))
        await self._done(batch)

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
        """Put vectors into the view. A chunk deleted meanwhile may have slipped in after its removal was followed, and
        one may have got the vector of a better model: those that do not belong by now are taken out again, and later
        ones are still ahead in the feed, or are relieved by the other model's embedder.
        """
        if not rows:
            return
        await self._vectors.add(rows, known)
        chunk_ids = [row.chunk_id for row in rows]
        belonging = await self._catalogue.vectors.belonging(self._vectors.space.key, chunk_ids)
        await self._vectors.remove([chunk_id for chunk_id in chunk_ids if chunk_id not in belonging])
        self.embedded.add(len(rows))
        await self._done(rows)
        await self._relieve(rows)

    async def _done(self, rows: Sequence[UnembeddedChunk]) -> None:
        chunk_ids = [row.chunk_id for row in rows]
        await self._catalogue.vectors.embedded(self._vectors.space.key, chunk_ids)
        self._in_flight.difference_update(chunk_ids)
        self._room.give()
        self._progress.give()


def batches(rows: Sequence[UnembeddedChunk], load: Load) -> Iterator[Batch]:
    """Cut rows, sorted by length, into runs of about equal work; for a server, each of one root."""
    batch: Batch = []
    chars = 0
    for row in sorted(rows, key=lambda row: (row.root_id if load.one_root else 0, len(row.text))):
        full = chars + len(row.text) > load.chars or len(batch) == load.texts
        if batch and (full or (load.one_root and row.root_id != batch[0].root_id)):
            yield batch
            batch, chars = [], 0
        batch.append(row)
        chars += len(row.text)
    if batch:
        yield batch


def vectors(hashes: Sequence[bytes], result: Embedded, dimension: int) -> Iterator[tuple[bytes, bytes, float]]:
    """(hash, int8 codes, scale) of each text, in the order they were asked."""
    scales = memoryview(result.scales).cast("f")
    for row, text_hash in enumerate(hashes):
        yield text_hash, result.codes[row * dimension : (row + 1) * dimension], scales[row]
