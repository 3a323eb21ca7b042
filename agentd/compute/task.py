"""A task on its way through the pool, and the queue in which it waits."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from enum import IntEnum
from time import perf_counter
from typing import TYPE_CHECKING

from structlog.contextvars import get_contextvars

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgspec import Raw

    from agentd.errors import AgentdError

BUFFER_BYTES = 512 * 1024
"""Parts that a slow consumer may have waiting; past it the worker is no longer read, and soon blocks in its write."""


class Priority(IntEnum):
    """What runs first within a lane: the lower number; equals in order of arrival."""

    EDIT = 0
    WALK = 1
    PARSE = 2
    EMBED = 3
    RERANK = 4


class Task:
    """One request to a kernel, and the parts of its result that have come but were not taken yet.

    The worker's side puts parts, and ends the task once; the caller's side takes them in order.
    """

    def __init__(self, kernel: str, frame: bytes, priority: Priority, timeout: float, grace: float) -> None:
        self.kernel = kernel
        self.grace = grace  # seconds that it may run on when its caller is gone
        self.frame = frame  # the Run message, ready to be written
        self.priority = priority
        self.timeout = timeout  # seconds from dispatch to the first part, and from each part to the next
        self.since = perf_counter()  # of its submission, then of its last dispatch
        self.asker = get_contextvars()  # the request that it works for: the context of workers has none
        self.attempts = 0  # counted by the worker that takes it
        self.productive = False  # a part has come, so another try would repeat it
        self.ended = False  # nothing more will come: done, failed or given up
        self.given_up = False  # ended by its caller
        self.error: AgentdError | None = None  # why it ended, where it failed
        self.on_room: Callable[[], None] | None = None  # a worker's that stopped reading; called when parts are taken
        self._parts: deque[tuple[Raw, int]] = deque()
        self._buffered = 0  # bytes in _parts
        self._waiter: asyncio.Future[None] | None = None  # the caller's, while it waits for a part

    @property
    def full(self) -> bool:
        """Whether the worker should stop reading until ``on_room`` is called."""
        return self._buffered >= BUFFER_BYTES

    def put(self, values: Sequence[Raw], size: int) -> None:
        """Add parts of ``size`` bytes in all."""
        self.productive = True
        share, rest = divmod(size, len(values))
        self._parts.extend((value, share + (rest if number == 0 else 0)) for number, value in enumerate(values))
        self._buffered += size
        self._wake()

    def end(self, error: AgentdError | None = None) -> None:
        """Let the caller have what has come, and then the end or ``error``."""
        self.ended = True
        self.error = error
        self._wake()

    def give_up(self) -> None:
        """The caller is gone: hold nothing for it."""
        self.ended = True
        self.given_up = True
        self._parts.clear()
        self._buffered = 0

    async def take(self) -> Raw | None:
        """Wait for the next part; None at the end. Raises the error that ended the task, after its last part."""
        while not self._parts:
            if self.error is not None:
                raise self.error
            if self.ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        value, size = self._parts.popleft()
        self._buffered -= size
        if self.on_room is not None and self._buffered <= BUFFER_BYTES // 2:
            self.on_room()
        return value

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class TaskQueue:
    """Tasks by priority, then by arrival. Any task can be taken out again, in constant time."""

    def __init__(self) -> None:
        self._levels: dict[Priority, OrderedDict[Task, None]] = {
            priority: OrderedDict() for priority in sorted(Priority)
        }
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def push(self, task: Task, *, front: bool = False) -> None:
        """Add at the end of the task's priority; ``front`` puts one that has waited already before its equals."""
        level = self._levels[task.priority]
        level[task] = None
        if front:
            level.move_to_end(task, last=False)
        self._length += 1

    def pop(self) -> Task:
        """Take the next one out; raises IndexError when there is none."""
        for level in self._levels.values():
            if level:
                self._length -= 1
                return level.popitem(last=False)[0]
        raise IndexError("no task is queued")

    def remove(self, task: Task) -> bool:
        """Take ``task`` out and say whether it was there."""
        if task not in self._levels[task.priority]:
            return False
        del self._levels[task.priority][task]
        self._length -= 1
        return True
