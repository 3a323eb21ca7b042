"""Edges from file to file, brought up to date in the background: steps of the database's writer, short ones.

Linking waits while files are read, so that a large root is linked once and not again for every part of it; where that
takes long, it has its turn now and then.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from agentd.indexing.progress import RateMeter
from agentd.observability.metrics import Metrics

if TYPE_CHECKING:
    from agentd.indexing.signal import Signal
    from agentd.storage.database import Database
    from agentd.storage.linker import LinkQueue

FIRST_LIMIT = 1000
MAX_LIMIT = 20_000
"""Edges in a step."""
STEP_SECONDS = 0.03
"""What a step should take of the writer: those who store wait for no more than that."""
PATIENCE_SECONDS = 60.0
"""The longest that linking waits for files to be read."""
TURN_SECONDS = 2.0
"""How long it then goes on."""


class Linker:
    """Empties the queue of documents to link."""

    def __init__(
        self,
        queue: LinkQueue,
        database: Database,
        progress: Signal,
        gate: asyncio.Event,
        metrics: Metrics | None = None,
    ) -> None:
        self._took = (metrics or Metrics()).histogram("index_stage_ms", stage="link")
        self.idle = asyncio.Event()
        self.pending = 0
        """Documents to be linked, as of the last look."""
        self.linked = RateMeter(time.monotonic)
        self._queue = queue
        self._commits = database.commits
        self._progress = progress
        self._gate = gate
        self._seen = -1
        self._limit = FIRST_LIMIT

    @property
    def settled(self) -> bool:
        """Every edge of what is stored now has been followed."""
        return self.idle.is_set() and self._seen == self._commits.value

    async def run(self) -> None:
        """The service: never returns, except by cancellation."""
        while True:
            self._seen = self._commits.value
            self.pending = await self._queue.pending()
            if not self.pending:
                self.idle.set()
                self._progress.give()
                await self._commits.wait(self._seen)
                continue
            self.idle.clear()
            await self._turn()

    async def _turn(self) -> None:
        """Work until nothing is left, or until files are being read again."""
        end = 0.0
        if not self._gate.is_set():
            end = await self._wait_for_gate()
        while self._gate.is_set() or time.monotonic() < end:
            done, seconds = await self._queue.step(self._limit)
            if not done:
                break
            self._took.observe(1000 * seconds)
            self.linked.add(done)
            self._limit = next_limit(self._limit, seconds)
            self.pending = await self._queue.pending()
            self._progress.give()

    async def _wait_for_gate(self) -> float:
        """Wait until no file is read; returns until when to go on where that takes too long."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._gate.wait()
        except TimeoutError:
            return time.monotonic() + TURN_SECONDS
        return 0.0


def next_limit(limit: int, seconds: float) -> int:
    """How much to take in the next step, when ``limit`` took ``seconds``: at most twice as much as before.

    >>> next_limit(1000, 0.06), next_limit(1000, 0.001), next_limit(1, 0.5)
    (500, 2000, 1)
    """
    wanted = int(limit * STEP_SECONDS / max(seconds, 1e-6))
    return max(1, min(wanted, 2 * limit, MAX_LIMIT))
