"""A lane: its queue, and the rules by which tasks meet workers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from agentd.compute.fleet import Fleet, FleetOptions
from agentd.compute.stats import LaneStats, WorkerStats
from agentd.compute.task import Task, TaskQueue
from agentd.compute.times import TaskTimes
from agentd.errors import BusyError, ShuttingDownError, WorkerDiedError

if TYPE_CHECKING:
    from agentd.compute.process import Worker
    from agentd.compute.spawn import Spawner
    from agentd.observability.metrics import Metrics

ATTEMPTS = 2
"""Tries of a task whose worker died. Twice is no accident: then it is the task that kills workers."""
_RETRY_MILLISECONDS = (50, 10_000)
"""Bounds of what a refused caller is told to wait."""


class LaneDispatcher:
    """Runs tasks in order of priority on the lane's workers. Everything here happens on the loop's thread."""

    def __init__(self, options: FleetOptions, queue_length: int, spawner: Spawner, metrics: Metrics) -> None:
        self._lane = options.lane
        self._times = TaskTimes(options.lane, metrics)
        self._queue_length = queue_length
        self._queue = TaskQueue()
        self._fleet = Fleet(options, spawner, self)
        self._running: dict[Task, Worker] = {}
        self._calm: asyncio.Event = asyncio.Event()  # set while no task runs
        self._calm.set()
        self._closing = False
        self._done = 0
        self._failed = 0
        self._cancelled = 0
        self._retried = 0
        self._refused = 0

    async def start(self) -> None:
        """Start the first workers. Raises WorkerDiedError when they cannot be started."""
        await self._fleet.start()

    async def stop(self, grace_seconds: float) -> None:
        """Fail queued tasks at once, running ones after ``grace_seconds``, and end every process."""
        self._closing = True
        self._fail_queued(ShuttingDownError("the daemon stopped before this task was begun"))
        with suppress(TimeoutError):  # what still runs after the grace is killed with its worker
            async with asyncio.timeout(grace_seconds):
                await self._calm.wait()
        await self._fleet.stop()

    def submit(self, task: Task) -> None:
        """Run or queue ``task``. Raises BusyError, ShuttingDownError, or WorkerDiedError when no worker can start."""
        if self._closing:
            raise ShuttingDownError("the daemon is stopping and takes no new tasks")
        if (failure := self._fleet.failure) is not None:
            raise failure
        if len(self._queue) >= self._queue_length:
            self._refused += 1
            raise self._busy()
        self._queue.push(task)
        self.workers_changed()

    def withdraw(self, task: Task) -> None:
        """Give up a task whose caller has gone; one that has ended is left as it is."""
        if task.ended:
            return
        task.give_up()
        self._cancelled += 1
        if not self._queue.remove(task):
            self._running[task].abandon()

    def recycle(self, limit_bytes: int) -> int:
        """Retire idle workers whose resident memory is over ``limit_bytes``; returns how many."""
        return self._fleet.recycle(limit_bytes)

    def enforce(self, limit_bytes: int, kill_bytes: int) -> int:
        """Let busy workers over ``limit_bytes`` leave after their task, kill those over ``kill_bytes`` with it; returns
        how many were killed.
        """
        return self._fleet.enforce(limit_bytes, kill_bytes)

    def cap(self, most: int | None) -> None:
        """Run at most ``most`` workers; None lifts it. At 0 tasks wait, and may be given all the same."""
        self._fleet.cap(most)

    def shed(self) -> int:
        """Retire every idle worker; returns how many."""
        return self._fleet.shed()

    def stats(self) -> LaneStats:
        """Counts of this lane."""
        return LaneStats(
            workers=len(self._fleet),
            ready=self._fleet.ready,
            busy=len(self._running),
            queued=len(self._queue),
            done=self._done,
            failed=self._failed,
            cancelled=self._cancelled,
            retried=self._retried,
            killed=self._fleet.killed,
            recycled=self._fleet.recycled,
            restarts=self._fleet.restarts,
            busy_seconds=self._fleet.busy_seconds,
            refused=self._refused,
        )

    def workers(self) -> list[WorkerStats]:
        """Each worker of this lane."""
        return self._fleet.describe()

    def workers_changed(self) -> None:
        """Bring waiting tasks and idle workers together. Called by the fleet too."""
        while self._queue and (worker := self._fleet.take()) is not None:
            task = self._queue.pop()
            self._running[task] = worker
            self._calm.clear()
            self._times.dispatched(task)
            worker.run(task)
        self._fleet.provide(len(self._queue))

    def task_ended(self, task: Task) -> None:
        """Called by the fleet."""
        self._release(task)

    def task_lost(self, task: Task, worker: Worker) -> None:
        """Try once more what died unfinished, unless the caller already has a part of it. Called by the fleet."""
        if task.ended:
            self._release(task)
        elif self._closing:
            self._drop(task, ShuttingDownError("the daemon stopped while this task ran"))
        elif task.productive or task.attempts >= ATTEMPTS:
            self._drop(task, self._died(task, worker))
        else:
            self._retried += 1
            del self._running[task]
            self._queue.push(task, front=True)

    def starts_failed(self, error: WorkerDiedError) -> None:
        """Called by the fleet."""
        self._fail_queued(error)

    def _fail_queued(self, error: ShuttingDownError | WorkerDiedError) -> None:
        while self._queue:
            self._failed += 1
            self._queue.pop().end(error)

    def _drop(self, task: Task, error: ShuttingDownError | WorkerDiedError) -> None:
        task.end(error)
        self._release(task)

    def _release(self, task: Task) -> None:
        """Account for a task that has ended, and that no worker holds any more."""
        del self._running[task]
        self._times.ended(task)
        if not task.given_up:
            self._failed += task.error is not None
            self._done += task.error is None
        if not self._running:
            self._calm.set()

    def _busy(self) -> BusyError:
        pace = self._fleet.busy_seconds / max(self._done, 1) / max(len(self._fleet), 1)  # seconds from end to end
        least, most = _RETRY_MILLISECONDS
        wait = round(min(max(pace * 1000 * len(self._queue) / 2, least), most))
        return BusyError(
            f"the {self._lane} queue holds its {self._queue_length} tasks: try again in {wait} ms, "
            "or raise compute.queue_length",
            retry_after_ms=wait,
        )

    def _died(self, task: Task, worker: Worker) -> WorkerDiedError:
        tries = "at its second try" if task.attempts >= ATTEMPTS else "after a part of its result had been delivered"
        return WorkerDiedError(
            f"the {self._lane} worker {worker.pid} {worker.ending} while it ran kernel {task.kernel!r}, {tries}: "
            "its trace, if there is one, stands on standard error",
            kernel=task.kernel,
            pid=worker.pid,
        )
