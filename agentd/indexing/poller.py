"""Directories of one root that no event tells of, compared with the disk at intervals by a worker."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog

from agentd.compute.pool import Priority
from agentd.errors import AgentdError
from agentd.indexing.patience import stream_patiently
from agentd.indexing.signal import Signal
from agentd.kernels.messages import PollRequest
from agentd.kernels.registry import POLL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agentd.compute.pool import Pool
    from agentd.indexing.watcher import Hints

log = structlog.get_logger(__name__)

SHARE = 20
"""A look may take one part in this many of the time: over a slow disk the interval grows."""


class Poller:
    """Keeps the states of its directories, 16 bytes an entry, and says what differs at each look.

    ``interval`` is the time between the end of a look and the next one, in seconds.
    """

    def __init__(self, pool: Pool, interval: float) -> None:
        self.interval = interval
        self._pool = pool
        self._states: dict[str, bytes] = {}
        self._changed = Signal()
        self._looked_at = 0.0
        self._took = 0.0

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, directory: object) -> bool:
        return directory in self._states

    async def run(self, hints: Hints) -> None:
        """The service: tell ``hints`` what each look finds."""
        while True:
            if not self._states:
                await self._changed.wait()
            elif (delay := self._looked_at + max(self.interval, SHARE * self._took) - time.monotonic()) > 0:
                await self._changed.wait(delay)
            elif changed := await self.poll():
                hints(changed)

    def reconfigure(self, interval: float) -> None:
        """Take another interval, from now on."""
        self.interval = interval
        self._changed.give()

    async def add(self, directories: Collection[str]) -> set[str]:
        """Look at ``directories`` (absolute) from now on; those that are new. What changed in them before this returns
        may go unseen: scan them once more.
        """
        fresh = [directory for directory in directories if directory not in self._states]
        if fresh:
            if not self._states:
                self._looked_at = time.monotonic()
            states, _ = await self._look(fresh, [])
            self._states.update(zip(fresh, states, strict=True))
            self._changed.give()
        return set(fresh)

    def drop(self, directories: Iterable[str]) -> None:
        """Look at these no more."""
        for directory in directories:
            self._states.pop(directory, None)

    async def poll(self) -> list[str]:
        """Look at all; the paths that changed or came, and the directories that lost entries."""
        began = time.monotonic()
        directories = list(self._states)
        try:
            states, changed = await self._look(directories, list(self._states.values()))
        except AgentdError as error:  # a worker that hung on a disk was killed: the next look may find it mended
            log.warning("poll_failed", directories=len(directories), error=error.message)
            return []
        finally:
            self._looked_at = time.monotonic()
            self._took = self._looked_at - began
        now = zip(directories, states, strict=True)
        self._states.update((path, state) for path, state in now if path in self._states)
        return changed

    async def _look(self, directories: list[str], known: list[bytes]) -> tuple[list[bytes], list[str]]:
        states: list[bytes] = []
        changed: list[str] = []
        request = PollRequest(directories, known)
        async with aclosing(stream_patiently(self._pool, POLL, request, Priority.WALK)) as pages:
            async for page in pages:
                states += page.states
                changed += page.changed
        return states, changed
