"""Pending documents -> bulk workers -> catalogue.

The queue itself is in the database: what is pending survives a crash, and its memory is bounded. Here only what is in
flight is held: at most ``files_in_flight`` files, handed out in small batches and stored as they complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import structlog

from agentd.compute.pool import Priority
from agentd.domain import SkipReason
from agentd.errors import ComputeError, TaskMemoryError, TaskTimeoutError
from agentd.indexing.events import Events
from agentd.indexing.patience import stream_patiently
from agentd.indexing.progress import RateMeter
from agentd.indexing.signal import Signal
from agentd.kernels.messages import ParseRequest
from agentd.kernels.registry import PARSE
from agentd.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentd.compute.pool import Pool
    from agentd.config.settings import IndexSettings
    from agentd.kernels.messages import ParsedFile
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import PendingDocument

log = structlog.get_logger(__name__)

BATCH_FILES = 16
BATCH_BYTES = 256 * 1024
IN_FLIGHT_BYTES = 16 * 1024 * 1024
"""Source of the files in flight, but for one larger file. What was parsed of it takes some four times as much."""
"""A batch is about 50 ms of parsing: small enough that an edit never waits long behind one."""
STORE_FILES = 256
"""Results stored in one transaction: SQLite is fast where each has hundreds of rows or more."""
GATHER_FILES = 24
GATHER_SECONDS = 0.1
"""A transaction writes each page of an index that it touches, so a few files cost nearly as much as many. In flight are
more than twice as many, so that no worker waits meanwhile.
"""
NAMED_FILES = 8
"""Of those stored together, how many an event names: enough for edits, little for a first indexing."""
RECENT_NS = 10 * 1_000_000_000
"""A file changed so lately is being worked on: it goes before the rest of the lane."""


class Ingest:
    """Keeps the workers fed with pending documents and stores what they return."""

    def __init__(
        self,
        pool: Pool,
        catalogue: Catalogue,
        progress: Signal,
        settings: IndexSettings,
        *,
        events: Events | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.settings = settings
        self._events = events or Events()
        self._took = (metrics or Metrics()).histogram("index_stage_ms", stage="store")
        self.files = RateMeter(time.monotonic)
        self.idle = asyncio.Event()
        self._pool = pool
        self._catalogue = catalogue
        self._progress = progress
        self._in_flight: dict[int, int] = {}  # bytes of each file, by document
        self._room = Signal()
        self._results: asyncio.Queue[tuple[PendingDocument, ParsedFile]] = asyncio.Queue(STORE_FILES)
        self._wake = Signal()
        self._woken = True

    def wake(self) -> None:
        """Say that documents may be pending."""
        self._woken = True
        self.idle.clear()
        self._wake.give()

    async def run(self) -> None:
        """The service: never returns, except by cancellation. Started again after a failure, it begins afresh: what was
        in flight is still pending in the database.
        """
        self._in_flight.clear()
        self._results = asyncio.Queue(STORE_FILES)
        self.wake()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._store(), name="ingest-store")
            await self._hand_out(group)

    async def _hand_out(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._room.until(self._has_room)
            self._woken = False
            room = self.settings.files_in_flight - len(self._in_flight)
            room_bytes = min(BATCH_BYTES * room, IN_FLIGHT_BYTES - sum(self._in_flight.values()))
            pending = await self._catalogue.documents.next_pending(room, room_bytes, self._in_flight)
            for batch in batches(pending):
                self._in_flight |= {document.id: document.size for document in batch}
                group.create_task(self._parse(batch), name="ingest-parse")
            if not pending:
                await self._rest()

    def _has_room(self) -> bool:
        """Half of what may be in flight is free: enough for a batch of documents to be worth a look."""
        few = len(self._in_flight) <= self.settings.files_in_flight // 2
        return few and sum(self._in_flight.values()) <= IN_FLIGHT_BYTES // 2

    async def _rest(self) -> None:
        """Nothing can be handed out: wait for news, or for what is in flight."""
        if not self._in_flight and not self._woken:
            self.idle.set()
            self._progress.give()
        await self._wake.until(lambda: self._woken)

    async def _parse(self, batch: list[PendingDocument]) -> None:
        """Parse a batch; where its worker fails, find out which file it was by taking each alone."""
        waiting = list(batch)
        try:
            async for parsed in stream_patiently(
                self._pool, PARSE, self._request(batch), priority(batch, time.time_ns())
            ):
                await self._results.put((waiting.pop(0), parsed))
        except ComputeError as error:
            await self._fail(waiting, error)

    async def _fail(self, waiting: list[PendingDocument], error: ComputeError) -> None:
        if not waiting:
            return  # the worker died with all of its files delivered
        if len(waiting) > 1:
            for document in waiting:
                await self._parse([document])
            return
        first = waiting[0]
        reason = skip_reason(error)
        log.warning("file_skipped", path=first.path, reason=reason, error=str(error))
        await self._catalogue.documents.fail(first, reason)
        self._done([first])

    def _request(self, batch: list[PendingDocument]) -> ParseRequest:
        return ParseRequest(
            root=batch[0].root_path,
            paths=tuple(document.path for document in batch),
            max_file_bytes=self.settings.max_file_bytes,
            chunk_chars=self.settings.chunk_chars,
            index_secrets=self.settings.index_secrets,
        )

    async def _store(self) -> None:
        while True:
            await self._store_some(await self._ready())  # no name here, which would hold megabytes until the next come

    async def _store_some(self, results: list[tuple[PendingDocument, ParsedFile]]) -> None:
        with self._took.time():
            await self._catalogue.documents.store(results)
        self.files.add(len(results))
        documents = [document for document, _ in results]
        self._events.publish("indexed", **described(documents))
        self._done(documents)

    async def _ready(self) -> list[tuple[PendingDocument, ParsedFile]]:
        """What is to be stored next: while more is on its way, enough to be worth a transaction."""
        results = [await self._results.get()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                while len(results) < min(GATHER_FILES, len(self._in_flight)):
                    results.append(await self._results.get())
        with contextlib.suppress(asyncio.QueueEmpty):
            while len(results) < STORE_FILES:
                results.append(self._results.get_nowait())
        return results

    def _done(self, documents: Sequence[PendingDocument]) -> None:
        for document in documents:
            self._in_flight.pop(document.id, None)
        self._room.give()
        self._progress.give()
        if not self._in_flight:
            self.wake()  # look once more: what was pending while in flight may be pending again


def skip_reason(error: ComputeError) -> SkipReason:
    """Why a file is left out that its worker could not do."""
    match error:
        case TaskTimeoutError():
            return SkipReason.TIMEOUT
        case TaskMemoryError():
            return SkipReason.MEMORY
        case _:
            return SkipReason.WORKER_DIED


def batches(pending: Sequence[PendingDocument]) -> Iterator[list[PendingDocument]]:
    """Cut into runs of one root, bounded in files and in bytes."""
    batch: list[PendingDocument] = []
    size = 0
    for document in pending:
        full = len(batch) >= BATCH_FILES or size + document.size > BATCH_BYTES
        if batch and (full or document.root_id != batch[0].root_id):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += document.size
    if batch:
        yield batch


def described(documents: Sequence[PendingDocument]) -> dict[str, object]:
    """What the event ``indexed`` says of files that were read and stored."""
    named = [f"{document.root_path}/{document.path}" for document in documents[:NAMED_FILES]]
    return {"files": len(documents), "paths": named}


def priority(batch: Sequence[PendingDocument], now_ns: int) -> Priority:
    """A file that is being edited goes first."""
    return Priority.EDIT if now_ns - max(document.mtime_ns for document in batch) < RECENT_NS else Priority.PARSE
