"""File-change events as hints (docs/decisions: watchfiles).

Directories are watched one by one, not recursively, so that ignored trees cost no watches. An armed set of
directories cannot grow, therefore new directories get a set of their own, and when there are several they are joined
into one. A hint may be late, doubled or missing; scans decide what is true.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import structlog
from watchfiles._rust_notify import RustNotify

if TYPE_CHECKING:
    from collections.abc import Iterable

log = structlog.get_logger(__name__)

STEP_MILLISECONDS = 20
"""How long a burst must pause before its events are handed over; also how often an idle thread wakes."""
BURST_MILLISECONDS = 200
"""A burst that never pauses is handed over in slices of this length."""
MAX_SETS = 4
"""Each armed set is a thread and an inotify instance, of which a user has 128."""
JOIN_SECONDS = 2.0
LOST_SECONDS = 1.0
"""A file with an odd name may be written to all the time; its directories are armed anew at most this often."""
ARM_TRIES = 5
"""A tree that loses directories faster than this is scanned again anyway."""

ADDED, DELETED = 1, 3
"""Values of watchfiles.Change; its enum is not imported because it brings asyncio helpers along."""


Deliver = Callable[[set[tuple[int, str]]], None]


class Hints(Protocol):
    """Who wants to know: absolute paths, and whether each appeared or went away (rather than changed)."""

    def __call__(self, changes: Iterable[tuple[str, bool]], /) -> None:
        """Take hints, on the loop."""


class ArmedSet:
    """One fixed set of watched directories and the thread that reads its events.

    An event for a name that is not UTF-8 ends it for good, and takes others that were waiting along: the extension
    raises the same error at each call from then on. ``lost`` is told, in the thread.
    """

    def __init__(self, directories: set[str], deliver: Deliver, lost: Callable[[ArmedSet], None]) -> None:
        self.directories = directories
        ordered = sorted(directories)
        self._notify = RustNotify(ordered, False, False, 0, False, True)  # noqa: FBT003 positional-only in the extension
        self._stop = threading.Event()
        self._deliver = deliver
        self._lost = lost
        self._thread = threading.Thread(target=self._read, name="watcher", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                changes = self._notify.watch(BURST_MILLISECONDS, STEP_MILLISECONDS, 0, self._stop)
            except RuntimeError as error:  # WatchfilesRustInternalError is one
                log.warning("watch_lost", directories=len(self.directories), error=str(error))
                if not self._stop.wait(LOST_SECONDS):
                    self._lost(self)
                return
            if isinstance(changes, str):  # "stop", or "signal" on a main thread, which this never is
                return
            self._deliver(changes)

    def close(self) -> None:
        """End the thread and give the watches back; blocks for a step or two."""
        self._stop.set()
        self._thread.join(JOIN_SECONDS)
        self._notify.close()


class Watcher:
    """All watched directories of all roots."""

    def __init__(self, hints: Hints) -> None:
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
            OSError: the system's watch or instance limit is reached; nothing new is watched.
        """
        async with self._arming:
            fresh = {directory for directory in directories if directory not in self._watched}
            if not fresh:
                return set()
            if len(self._sets) < MAX_SETS:
                armed = await self._arm(fresh)
            else:
                armed = await self._join(fresh)
            self._watched |= armed
            return armed & fresh

    def forget(self, directory: str) -> None:
        """Take ``directory`` and all below it for not watched: it went away, or was replaced by another."""
        if directory not in self._watched:
            return  # a file, as a rule; a branch switch brings thousands of them at once
        below = directory + "/"
        self._watched = {path for path in self._watched if path != directory and not path.startswith(below)}

    async def close(self) -> None:
        """End all threads."""
        async with self._arming:
            closing, self._sets, self._watched = self._sets, [], set()
            await asyncio.to_thread(close_all, closing)

    async def _join(self, fresh: set[str]) -> set[str]:
        """Arm everything in one new set before the old ones go, so that no event falls between them."""
        old = self._sets
        self._sets = []
        try:
            armed = await self._arm(self._watched | fresh)
        except OSError:
            self._sets = old
            raise
        await asyncio.to_thread(close_all, old)
        return armed

    async def _arm(self, directories: set[str]) -> set[str]:
        loop = asyncio.get_running_loop()

        def deliver(changes: set[tuple[int, str]]) -> None:
            hints = [(path, change in {ADDED, DELETED}) for change, path in changes]
            # The loop may be closed already when the last events of a shutdown arrive.
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._hints, hints)

        def lost(armed: ArmedSet) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._give_up, armed)

        armed, existing = await asyncio.to_thread(arm_existing, directories, deliver, lost)
        if armed is not None:
            self._sets.append(armed)
        return existing

    def _give_up(self, lost: ArmedSet) -> None:
        """Take all that ``lost`` watched for not watched. What is looked at because of the hints is armed anew."""
        if lost in self._sets:
            self._sets.remove(lost)
            self._watched -= lost.directories
            self._hints([(directory, False) for directory in lost.directories])


def close_all(sets: list[ArmedSet]) -> None:
    """Close several sets; blocks for a step or two each."""
    for armed in sets:
        armed.close()


def arm_existing(
    directories: set[str], deliver: Deliver, lost: Callable[[ArmedSet], None]
) -> tuple[ArmedSet | None, set[str]]:
    """Arm those of ``directories`` that exist; one that vanishes between the look and the arming is dropped."""
    for _ in range(ARM_TRIES):
        existing = {directory for directory in directories if os.path.isdir(directory)}
        if not existing:
            break
        try:
            return ArmedSet(existing, deliver, lost), existing
        except FileNotFoundError:
            continue
    return None, set()
