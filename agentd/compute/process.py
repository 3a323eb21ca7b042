"""One worker as its lane sees it: what it is doing, for how long it may, and what becomes of the task it holds."""

from __future__ import annotations

import asyncio
import time
from enum import Enum, auto
from typing import TYPE_CHECKING

import structlog

from agentd.compute.frames import pack
from agentd.compute.link import Link
from agentd.compute.messages import Cancel, Done, Failed, Hello, Part
from agentd.errors import TaskFailedError, TaskMemoryError, TaskTimeoutError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Protocol

    from agentd.compute.messages import FromWorker, Setup
    from agentd.compute.spawn import Spawned
    from agentd.compute.task import Task
    from agentd.errors import ComputeError

    class Owner(Protocol):
        """The lane that the worker serves."""

        def worker_idle(self, worker: Worker, ended: Task | None) -> None:
            """The worker can take a task: it said hello, or has just ``ended`` one."""

        def worker_gone(self, worker: Worker) -> None:
            """The process has ended; ``worker.task`` is what it held, or None."""


HELLO_SECONDS = 60.0
"""A start is Python and a few imports, 0.1 s; what takes this long on any machine is stuck."""
CANCEL_GRACE_SECONDS = 0.5
"""How long a task that nobody waits for may run on, if its kernel does not pause, before its worker is killed: a new
one costs about as little."""
SETTLED_SECONDS = 1.0
"""A worker that dies idle within this time of its hello has not really started."""
LEAVE_SECONDS = 2.0
"""From hanging up on an idle worker to killing it."""

log = structlog.get_logger(__name__)

_cancel = pack(Cancel())


class State(Enum):
    """A worker's life, in order; IDLE and BUSY take turns."""

    STARTING = auto()
    IDLE = auto()
    BUSY = auto()
    LEAVING = auto()
    GONE = auto()


class Worker:
    """A worker process and the one task that it may hold."""

    def __init__(self, spawned: Spawned, owner: Owner) -> None:
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self._link = Link(spawned, self)
        self._timer: asyncio.TimerHandle | None = None  # the one limit that applies in the present state
        self._paused = False  # the task's buffer is full, and nothing is read
        self.state = State.STARTING
        self.task: Task | None = None  # set while BUSY; stays when the process died with it
        self.since = time.monotonic()  # of the present state
        self.tasks = 0  # tasks taken
        self.busy_seconds = 0.0  # over the tasks that ended
        self.killed = False
        self.retired = False
        self.spent = False  # it has grown too large, and leaves when its task ends
        self._ready_at: float | None = None

    async def connect(self, connection: socket.socket, setup: Setup) -> None:
        """Begin to talk; ``owner.worker_idle`` follows when the process is ready."""
        await self._link.connect(connection)
        self._limit(HELLO_SECONDS, self.kill)
        self._link.send(pack(setup))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._link.pid

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        return self._link.ending

    @property
    def settled(self) -> bool:
        """Whether the start succeeded: it took a task, or lived on for a while after its hello."""
        return self.tasks > 0 or (self._ready_at is not None and time.monotonic() - self._ready_at >= SETTLED_SECONDS)

    def run(self, task: Task) -> None:
        """Give an idle worker its next task."""
        self._enter(State.BUSY)
        self.task = task
        self.tasks += 1
        task.attempts += 1
        self._link.send(task.frame)
        self._limit(task.timeout, self._time_out)

    def abandon(self) -> None:
        """Nobody waits for the task any more: let it end where its kernel next pauses, but not for long."""
        self._link.send(_cancel)
        self._limit(self.task.grace if self.task else CANCEL_GRACE_SECONDS, self.kill)
        self._read_on()

    def leave(self) -> None:
        """Ask an idle process to end."""
        self.retired = True
        self._enter(State.LEAVING)
        self._limit(LEAVE_SECONDS, self.kill)
        self._link.close()

    def exceed(self, used_bytes: int, limit_bytes: int) -> None:
        """End the process, and its task with it, because of the memory that it holds."""
        log.warning("compute.over_memory", pid=self.pid, bytes=used_bytes, limit=limit_bytes)
        self._end_with(
            lambda task: TaskMemoryError(
                f"kernel {task.kernel!r} grew its worker to {used_bytes >> 20} MiB and was killed: give it less to do, "
                "or raise compute.worker_memory_megabytes",
            )
        )

    def kill(self) -> None:
        """End the process now; ``owner.worker_gone`` follows."""
        self.killed = True
        if self.state is not State.GONE:
            self._enter(State.LEAVING)
        self._clear_limit()
        self._link.kill()

    def received(self, message: FromWorker, size: int) -> None:
        """Called by the link."""
        if isinstance(message, Part):
            self._add(message, size)
        elif isinstance(message, Done):
            self._finish(None)
        elif isinstance(message, Failed):
            self._finish(self._failure(message))
        elif isinstance(message, Hello):
            self._ready_at = time.monotonic()
            self._rest(None)

    def gone(self) -> None:
        """Called by the link."""
        self._read_on()
        self._clear_limit()
        self._enter(State.GONE)
        self._owner.worker_gone(self)

    def _add(self, part: Part, size: int) -> None:
        task = self.task
        if task is None or task.ended:
            return
        task.put(part.values, size)
        if not task.full:
            self._limit(task.timeout, self._time_out)
        elif not self._paused:
            self._paused = True
            self._clear_limit()  # from here on it is the caller who takes the time
            self._link.pause()
            task.on_room = self._room

    def _room(self) -> None:
        if self.task is not None and self._paused:
            self._limit(self.task.timeout, self._time_out)
        self._read_on()

    def _read_on(self) -> None:
        if self.task is not None:
            self.task.on_room = None
        if self._paused:
            self._paused = False
            self._link.resume()

    def _finish(self, error: ComputeError | None) -> None:
        if self.task is None or self.state is not State.BUSY:
            return  # it ended just as it was told to leave: whoever told it has dealt with the task
        self._read_on()
        task, self.task = self.task, None
        if not task.ended:
            task.end(error)
        self._rest(task)

    def _rest(self, ended: Task | None) -> None:
        if self.state is State.LEAVING:
            return
        self._clear_limit()
        self._enter(State.IDLE)
        self._owner.worker_idle(self, ended)

    def _failure(self, message: Failed) -> ComputeError:
        if message.kind == TaskMemoryError.kind:
            self.spent = True  # it stands at its limit, and what the task left may stay
            return TaskMemoryError(message.message)
        kernel, asker = (self.task.kernel, self.task.asker) if self.task is not None else ("", {})
        error = TaskFailedError(message.message, **message.details)
        error.kind = message.kind
        if message.kind == TaskFailedError.kind:  # not one that the kernel raised on purpose
            log.warning("compute.kernel_raised", kernel=kernel, pid=self.pid, trace=message.trace, **asker)
        return error

    def _time_out(self) -> None:
        self._end_with(
            lambda task: TaskTimeoutError(
                f"kernel {task.kernel!r} ran for more than {task.timeout:g} s without a result and was killed: "
                "give it less to do, or raise compute.task_timeout_seconds",
            )
        )

    def _end_with(self, error_of: Callable[[Task], ComputeError]) -> None:
        task = self.task
        self.kill()
        if task is not None and not task.ended:
            task.end(error_of(task))

    def _enter(self, state: State) -> None:
        now = time.monotonic()
        if self.state is State.BUSY:
            self.busy_seconds += now - self.since
        self.state, self.since = state, now

    def _limit(self, seconds: float, action: Callable[[], None]) -> None:
        self._clear_limit()
        self._timer = self._loop.call_later(seconds, action)

    def _clear_limit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
