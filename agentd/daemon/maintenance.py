"""The clean-up: every 30 seconds at a fixed cadence, whatever else happens."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0
"""Chores that failed are tried again before their next turn: what kept them, such as a full disk, may be over."""

Chore = tuple[str, "Callable[[], Awaitable[object]]"]


M_ARENA_MAX = -8
"""mallopt(3)."""
HEAPS = 2


def share_heaps() -> None:
    """Have all threads take memory from two heaps (glibc alone), before any of them starts. By itself the C library
    makes eight a core, and each keeps the gaps of its own peaks, whatever is given back: under edits and queries the
    daemon went from 66 to 111 MB in five minutes, with two heaps from 60 to 88.
    """
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def return_memory() -> None:
    """Give freed memory back to the system, which the C library keeps after indexing (malloc_trim(3), glibc alone)."""
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


class Maintenance:
    """Runs its chores one after the other; one that fails is logged and does not keep the others from their turn."""

    def __init__(self, chores: Sequence[Chore], interval: float) -> None:
        self.runs = 0
        self.problems: dict[str, str] = {}
        self._chores = list(chores)
        self._interval = interval

    def add(self, name: str, chore: Callable[[], Awaitable[object]]) -> None:
        """Take on another chore, after the others."""
        self._chores.append((name, chore))

    async def run(self) -> None:
        """The service. The next time is counted from the last planned one, so that the cadence does not drift; a run
        that took longer than the interval skips what it missed.
        """
        due = time.monotonic()
        while True:
            due += self._interval
            await self._until(due)
            await self.once()
            due = max(due, time.monotonic() - self._interval)

    async def _until(self, due: float) -> None:
        """Wait, and meanwhile try again what has failed."""
        while self.problems and due - time.monotonic() > RETRY_SECONDS:
            await asyncio.sleep(RETRY_SECONDS)
            for name, chore in self._chores:
                if name in self.problems:
                    await self._chore(name, chore)
        await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def once(self) -> None:
        """All chores, now."""
        began = time.monotonic()
        done = {name: await self._chore(name, chore) for name, chore in self._chores}
        self.runs += 1
        log.debug("maintenance", milliseconds=round((time.monotonic() - began) * 1000, 1), **done)

    async def _chore(self, name: str, chore: Callable[[], Awaitable[object]]) -> object:
        try:
            result = await chore()
        except Exception as error:  # an outermost edge: the other chores must have their turn
            self.problems[name] = f"{type(error).__name__}: {error}"
            log.exception("maintenance_failed", chore=name)
            return None
        self.problems.pop(name, None)
        return result
