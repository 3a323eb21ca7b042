"""File-change events as hints (docs/decisions/0005-watching.md).

A hint may be late, doubled or missing; scans decide what is true. What the kernel itself says about missing ones, an
overflow or a watch that ended, is acted upon here, and once a minute an event of our own shows that events arrive.
"""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from agentd.indexing import inotify
from agentd.indexing.inotify import LEAST_LIMIT, Inotify
from agentd.indexing.signal import Signal
from agentd.indexing.watch_table import WatchTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agentd.indexing.inotify import Event

log = structlog.get_logger(__name__)

CHANGES = (
    inotify.MODIFY
    | inotify.CLOSE_WRITE
    | inotify.ATTRIB
    | inotify.CREATE
    | inotify.DELETE
    | inotify.MOVED_FROM
    | inotify.MOVED_TO
)
ENDS = inotify.DELETE_SELF | inotify.MOVE_SELF
HOW = inotify.ONLY_DIRECTORY | inotify.NO_FOLLOW | inotify.NO_UNLINKED | inotify.ADD_TO_MASK
"""ADD_TO_MASK because two paths may lead to one directory, which has one watch."""

READ_BYTES = 16 * 1024
"""Some 400 events, which take the loop about a millisecond; others have their turn between two reads."""
STEP_SECONDS = 0.01
"""Between two looks at the queue. Meanwhile the kernel joins equal events, such as the writes of a log."""
SLICE = 512
"""Directories that one call of a thread arms: 2 ms."""
CHECK_SECONDS = 60.0
ANSWER_SECONDS = 5.0
"""How long the event of a check may take: it waits behind at most one full queue."""
LIMITS = "fs.inotify.max_user_instances or fs.inotify.max_user_watches"
USED_UP = frozenset({errno.ENOSPC, errno.ENOMEM})


class Hints(Protocol):
    """Who wants to know."""

    def __call__(self, paths: Iterable[str], /) -> None:
        """Take absolute paths that may have changed, on the loop."""


class Armed(NamedTuple):
    """``new`` directories are watched from now on; for those ``beyond`` there is no watch left."""

    new: set[str]
    beyond: set[str]


class Watcher:
    """All watched directories of all roots: one inotify instance, read by the loop, armed in threads.

    ``missed`` is called when events were lost, or may have been: everything has to be looked at. ``limit`` is how many
    directories may be watched; the system may allow fewer.
    """

    def __init__(self, hints: Hints, missed: Callable[[], None], canary: str) -> None:
        self.limit = LEAST_LIMIT
        self.full = False
        """Whether the system refused the last watch that was asked for."""
        self.problem = ""
        """Why nothing can be watched, in words; empty while all is well."""
        self.lost = 0
        """How often events were lost."""
        self._hints = hints
        self._missed = missed
        self._canary = canary  # a directory that is there as long as we are, and whose opening nobody minds
        self._canary_watch = -1
        self._sang = Signal()
        self._songs = 0
        self._inotify: Inotify | None = None
        self._table = WatchTable()
        self._above: set[str] = set()  # a few folders above roots, watched for moves alone
        self._ended: set[int] = set()  # watches that ended between their arming and the note of it
        self._arming = asyncio.Lock()
        self._reading: asyncio.Handle | None = None

    @property
    def directories(self) -> int:
        """How many directories are watched; those above roots do not count."""
        return len(self._table) - sum(folder in self._table for folder in self._above)

    @property
    def budget(self) -> int:
        """How many directories can be watched, as far as is known."""
        return min(self.limit, self.directories) if self.full else self.limit

    def watched(self) -> set[str]:
        """The directories, as they are now."""
        return self._table.directories()

    def __contains__(self, directory: object) -> bool:
        return directory in self._table

    async def run(self) -> None:
        """The service: see to it, once a minute, that events arrive; where none does, begin anew."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if self._inotify is not None and not await self.check():
                self._begin_anew("no event arrives")

    async def check(self) -> bool:
        """Make an event, and say whether it arrived. Opening a directory is one, and writes nothing to a disk."""
        songs = self._songs
        try:
            await asyncio.to_thread(_open, self._canary)
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._sang.until(lambda: self._songs != songs)
        except TimeoutError:
            return False
        except OSError:  # the state itself is gone: others say so
            return True
        return True

    async def watch(self, directories: Iterable[str], *, above: bool = False) -> Armed:
        """Watch those of ``directories`` (absolute) that are not watched yet, or, if they lie ``above`` a root, whether
        they are moved or deleted.

        What changed in them before this returns may have gone unseen: scan them once more. Directories that vanish
        meanwhile, or that cannot be read, are left out.
        """
        async with self._arming:
            fresh = [directory for directory in directories if directory not in self._table]
            room = len(fresh) if above else max(0, self.limit - self.directories)
            if not fresh or (instance := await self._opened()) is None:
                return Armed(set(), set(fresh))
            if above:
                self._above.update(fresh)
            new: set[str] = set()
            for at in range(0, min(len(fresh), room), SLICE):
                part = fresh[at : min(at + SLICE, room)]
                armed, used_up = await self._arm(instance, part, ENDS if above else CHANGES | ENDS)
                new |= armed
                self.full = used_up > 0
                if self.full:
                    room = at + used_up - 1
                    break
            return Armed(new, set(fresh[room:]))

    async def unwatch(self, directories: Iterable[str]) -> None:
        """End the watches of exactly these directories."""
        async with self._arming:
            directories = list(directories)
            self._above.difference_update(directories)
            ended = [watch for directory in directories if (watch := self._table.remove(directory)) is not None]
            if ended and self._inotify is not None:
                await asyncio.to_thread(_end, self._inotify, ended)

    async def forget(self, directory: str) -> None:
        """End the watches of ``directory`` and of all below: it went away, or something else is there."""
        await self.unwatch(self._table.below([directory]))

    def close(self) -> None:
        """End all watches."""
        if self._inotify is None:
            return
        asyncio.get_running_loop().remove_reader(self._inotify.fileno())
        if self._reading is not None:
            self._reading.cancel()
        self._inotify.close()
        self._inotify = None
        self._table = WatchTable()

    async def _opened(self) -> Inotify | None:
        """The instance; None where the user can have no other."""
        if self._inotify is not None:
            return self._inotify
        try:
            instance, self._canary_watch = await asyncio.to_thread(_open_instance, self._canary)
        except OSError as error:
            self.problem = f"this user's inotify instances or watches are used up ({error.strerror}); raise {LIMITS}"
            return None
        self.problem, self._inotify = "", instance
        self._wait_for_events(instance)
        return instance

    async def _arm(self, instance: Inotify, directories: Sequence[str], mask: int) -> tuple[set[str], int]:
        """Those that are watched now, and the number (from 1) of the first that the system refused; 0 for none."""
        self._ended.clear()
        watches = await asyncio.to_thread(_add, instance, directories, mask | HOW)
        armed: set[str] = set()
        if instance is not self._inotify:  # it was closed meanwhile, and its watches with it
            return armed, 0
        for directory, watch in zip(directories, watches, strict=False):
            if watch >= 0 and watch not in self._ended:
                self._table.add(directory, watch)
                armed.add(directory)
        return armed, len(watches) + 1 if len(watches) < len(directories) else 0

    def _wait_for_events(self, instance: Inotify) -> None:
        asyncio.get_running_loop().add_reader(instance.fileno(), self._drain)

    def _drain(self) -> None:
        """Read until the queue is empty, then leave it alone for a step."""
        loop, instance = asyncio.get_running_loop(), self._inotify
        if instance is None:
            return
        loop.remove_reader(instance.fileno())
        try:
            events = instance.read(READ_BYTES)
        except OSError as error:
            self._begin_anew(str(error))
            return
        if events:
            self._take(events)
            self._reading = loop.call_soon(self._drain)
        else:
            self._reading = loop.call_later(STEP_SECONDS, self._wait_for_events, instance)

    def _take(self, events: Sequence[Event]) -> None:
        hints: dict[str, None] = {}
        moved: set[str] = set()
        for event in events:
            if event.mask & inotify.QUEUE_OVERFLOW:
                self._lose("the kernel's queue of events overflowed (fs.inotify.max_queued_events)")
            elif event.watch == self._canary_watch:
                self._songs += 1
                self._sang.give()
            else:
                for path in self._interpret(event, moved):
                    hints[path] = None
        if moved:
            self._forget_moved(moved)
        if hints:
            self._hints(hints)

    def _interpret(self, event: Event, moved: set[str]) -> Iterable[str]:
        """The paths that an event is about."""
        if event.mask & inotify.IGNORED:
            if self._arming.locked():
                self._ended.add(event.watch)
            return self._table.end(event.watch)
        directories = self._table.paths(event.watch)
        if event.mask & inotify.MOVE_SELF:
            moved.update(directories)
        if not event.name:
            return directories
        try:
            event.name.encode()
        except UnicodeEncodeError:  # cannot go over the wire; the walk of its directory reports it
            return directories
        paths = [f"{directory}/{event.name}" for directory in directories]
        if event.mask & inotify.MOVED_FROM and event.mask & inotify.IS_DIRECTORY:
            moved.update(paths)
        return paths

    def _forget_moved(self, moved: set[str]) -> None:
        """What was watched below a directory that moved is watched still, by paths that are wrong now."""
        ended = [self._table.remove(path) for path in self._table.below(moved)]
        if self._inotify is not None:
            _end(self._inotify, [watch for watch in ended if watch is not None])

    def _lose(self, reason: str) -> None:
        self.lost += 1
        log.warning("watch_events_lost", reason=reason, directories=len(self._table))
        self._missed()

    def _begin_anew(self, reason: str) -> None:
        """A watch that does not work is no watch: whoever looks at everything arms everything."""
        self.close()
        self._lose(reason)


def _open_instance(canary: str) -> tuple[Inotify, int]:
    instance = Inotify()
    try:
        return instance, instance.add(canary, inotify.OPEN)
    except OSError:
        instance.close()
        raise


def _add(instance: Inotify, directories: Sequence[str], mask: int) -> list[int]:
    """The watch of each, -1 for one that vanished or cannot be read; ends before the first that the limit refuses."""
    watches = []
    for directory in directories:
        try:
            watches.append(instance.add(directory, mask))
        except OSError as error:
            if error.errno in USED_UP:
                break
            watches.append(-1)
    return watches


def _end(instance: Inotify, watches: Iterable[int]) -> None:
    for watch in watches:
        instance.remove(watch)


def _open(directory: str) -> None:
    os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
