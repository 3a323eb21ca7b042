"""File-change events as hints (docs/decisions/0005-watching.md).

A set of watched directories cannot grow, therefore new directories get a set of their own, and when there are several
they are joined into one. A hint may be late, doubled or missing; scans decide what is true.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import structlog

from agentd.compute.pool import MOST_WATCHERS, Lane
from agentd.errors import AgentdError
from agentd.kernels.messages import WatchRequest
from agentd.kernels.registry import WATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentd.compute.pool import Pool

log = structlog.get_logger(__name__)

MAX_SETS = MOST_WATCHERS - 1
"""Each set is a worker process and an inotify instance, of which a user has 128."""
LOST_SECONDS = 1.0
"""A file with an odd name may be written to all the time; its directories are armed anew at most this often."""
FOREVER = 10 * 365 * 86_400.0
"""Seconds that a watch may wait for its next event."""


class Hints(Protocol):
    """Who wants to know: absolute paths, and whether each came or went (rather than changed)."""

    def __call__(self, changes: Iterable[tuple[str, bool]], /) -> None:
        """Take hints, on the loop."""


class ArmedSet:
    """One fixed set of watched directories, in a worker of the watch lane.

    ``lost`` is told when that worker dies, or its watch fails.
    """

    def __init__(self, pool: Pool, hints: Hints, lost: Callable[[ArmedSet], None]) -> None:
        self.directories: set[str] = set()
        self._pool = pool
        self._hints = hints
        self._lost = lost
        self._armed: asyncio.Future[set[str]] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None] | None = None

    async def arm(self, directories: set[str]) -> None:
        """Watch those that exist; they are in ``directories`` then.

        Raises:
            AgentdError: nothing is watched: the system's limit is reached, or there is no worker.
        """
        self._reading = asyncio.create_task(self._read(directories), name="watcher")
        try:
            self.directories = directories - await self._armed
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the watch; its worker is killed."""
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self, directories: set[str]) -> None:
        request = WatchRequest(sorted(directories))
        try:
            async with aclosing(self._pool.stream(WATCH, request, lane=Lane.WATCH, timeout=FOREVER)) as events:
                async for event in events:
                    if self._armed.done():
                        self._hints(event.changes)
                    else:
                        self._armed.set_result(set(event.missing))
                        # Whoever arms goes on first: it notes what is watched, then events say what is so no longer.
                        await asyncio.sleep(0)
        except AgentdError as error:
            if not self._armed.done():
                self._armed.set_exception(error)
                return
            log.warning("watch_lost", directories=len(self.directories), error=error.message)
            await asyncio.sleep(LOST_SECONDS)
            self._lost(self)


class Watcher:
    """All watched directories of all roots."""

    def __init__(self, pool: Pool, hints: Hints) -> None:
        self._pool = pool
        self._hints = hints
        self._sets: list[ArmedSet] = []
        self._watched: set[str] = set()
        self._arming = asyncio.Lock()

    @property
    def directories(self) -> int:
        """How many directories are watched."""
        return len(self._watched)

    async def watch(self, directories: Iterable[str]) -> set[str]:
        """Watch those of ``directories`` (absolute) that are not watched yet, and return them.

        What changed in them before this returns may have gone unseen: scan them once more. Directories that vanish
        meanwhile are left out.

        Raises:
            AgentdError: the system's watch or instance limit is reached; nothing new is watched.
        """
        async with self._arming:
            fresh = {directory for directory in directories if directory not in self._watched}
            if not fresh:
                return set()
            joined = len(self._sets) >= MAX_SETS
            armed = await self._arm(self._watched | fresh if joined else fresh)
            if joined:  # the new set watches everything by now, so no event falls between it and the old ones
                self._drop(self._sets[:-1])
            self._watched |= armed.directories
            return armed.directories & fresh

    def forget(self, directory: str) -> None:
        """Take ``directory`` and all below it for not watched: it went away, or was replaced by another."""
        if directory not in self._watched:
            return  # a file, as a rule; a branch switch brings thousands of them at once
        below = directory + "/"
        self._watched = {path for path in self._watched if path != directory and not path.startswith(below)}

    def close(self) -> None:
        """End all watches."""
        self._watched = set()
        self._drop(self._sets[:])

    async def _arm(self, directories: set[str]) -> ArmedSet:
        armed = ArmedSet(self._pool, self._hints, self._give_up)
        await armed.arm(directories)
        self._sets.append(armed)
        return armed

    def _drop(self, sets: list[ArmedSet]) -> None:
        for armed in sets:
            self._sets.remove(armed)
            armed.close()

    def _give_up(self, lost: ArmedSet) -> None:
        """Take all that ``lost`` watched for not watched. What is looked at because of the hints is armed anew."""
        if lost in self._sets:
            self._sets.remove(lost)
            self._watched -= lost.directories
            self._hints([(directory, False) for directory in lost.directories])
