"""The workers of one lane: how many there are, which are idle, and what happens when one ends."""

from __future__ import annotations

import asyncio
import subprocess
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agentd.compute.process import State, Worker
from agentd.compute.stats import WorkerStats, resident_bytes
from agentd.errors import NoWorkerError

if TYPE_CHECKING:
    from typing import Protocol

    from agentd.compute.messages import Setup
    from agentd.compute.spawn import Spawner
    from agentd.compute.stats import Lane
    from agentd.compute.task import Task

    class User(Protocol):
        """Who gives the workers their tasks."""

        def workers_changed(self) -> None:
            """A worker is idle, or one is missing: see what can be done."""

        def task_ended(self, task: Task) -> None:
            """A worker ended ``task`` and lived."""

        def task_lost(self, task: Task, worker: Worker) -> None:
            """``worker`` died while it held ``task``."""

        def starts_failed(self, error: NoWorkerError) -> None:
            """No worker is there, and none can be started."""


FAILED_STARTS = 5
"""Failed starts in a row after which a lane without workers fails its tasks instead of letting them wait."""
FIRST_DELAY_SECONDS = 0.1
LAST_DELAY_SECONDS = 30.0
"""The wait after a failed start doubles from the first to the last of these."""
KILL_SECONDS = 5.0
"""How long SIGKILL may take: a process that hangs in the kernel, on a dead network disk say, is left to the system."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """What sets the workers of one lane apart from those of another."""

    lane: Lane
    minimum: int
    maximum: int
    idle_seconds: float
    setup: Setup


def start_delay(failures: int) -> float:
    """Seconds to wait after the ``failures``-th failed start in a row, counted from 1."""
    return float(min(FIRST_DELAY_SECONDS * 2 ** min(failures - 1, 16), LAST_DELAY_SECONDS))


class Fleet:
    """Between ``minimum`` and ``maximum`` worker processes, all on the loop's thread."""

    def __init__(self, options: FleetOptions, spawner: Spawner, user: User) -> None:
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._spawner = spawner
        self._user = user
        self._workers: set[Worker] = set()  # every process that is not gone
        self._idle: dict[Worker, asyncio.TimerHandle] = {}  # in the order in which they became idle, with their leave
        self._spawning: set[asyncio.Task[None]] = set()
        self._failures = 0  # failed starts in a row
        self._pause: asyncio.TimerHandle | None = None  # set while a failed start is waited out
        self._closing = False
        self._most = options.maximum  # fewer while the machine, or a budget, has no room for more
        self._started: asyncio.Future[None] = self._loop.create_future()
        self._empty = asyncio.Event()  # set while there is no process
        self._empty.set()
        self._past_busy_seconds = 0.0  # of workers that are gone
        self.killed = 0
        self.recycled = 0
        self.restarts = 0

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def ready(self) -> int:
        """How many workers run a task or could."""
        return sum(worker.state in {State.IDLE, State.BUSY} for worker in self._workers)

    @property
    def failure(self) -> NoWorkerError | None:
        """Why there is no worker and a task had better not wait for one; None where things are well."""
        if self._failures < FAILED_STARTS or self.ready:
            return None
        return NoWorkerError(
            f"no worker of the {self._options.lane} lane can be started: {self._failures} attempts in a row failed. "
            "Their traces stand on standard error; new attempts are made from time to time",
            lane=self._options.lane.value,
        )

    @property
    def busy_seconds(self) -> float:
        """Seconds that workers have spent on tasks."""
        return self._past_busy_seconds + sum(worker.busy_seconds for worker in self._workers)

    async def start(self) -> None:
        """Start ``minimum`` workers and wait for their hellos. Raises NoWorkerError when they cannot be started."""
        self.provide(0)
        await self._started

    async def stop(self) -> None:
        """End every process: idle ones are asked, the others killed."""
        self._closing = True
        self._started.cancel()
        if self._pause is not None:
            self._pause.cancel()
        await asyncio.gather(*self._spawning)
        for worker in self._workers:
            self._dismiss(worker)
        try:
            async with asyncio.timeout(KILL_SECONDS):
                await self._empty.wait()
        except TimeoutError:
            log.error("compute.unkillable", pids=[worker.pid for worker in self._workers])

    def take(self) -> Worker | None:
        """Take the worker that was busy last, whose caches are warm; None when all are busy."""
        if not self._idle:
            return None
        worker, leave = self._idle.popitem()
        leave.cancel()
        return worker

    def provide(self, waiting: int) -> None:
        """Start what is missing: up to the minimum always, up to the maximum while ``waiting`` tasks have no worker;
        never more than ``cap`` allows.
        """
        if self._closing or self._pause is not None:
            return
        staying = [worker for worker in self._workers if worker.state is not State.LEAVING]
        busy = sum(worker.state is State.BUSY for worker in staying)
        wanted = min(self._most, max(self._options.minimum, busy + waiting))
        for _ in range(wanted - len(staying) - len(self._spawning)):
            # Without the context of whoever needed it: the worker's log lines are not those of one request.
            spawning = self._loop.create_task(self._spawn(), context=Context())
            self._spawning.add(spawning)
            spawning.add_done_callback(self._spawning.discard)

    def recycle(self, limit_bytes: int) -> int:
        """Retire idle workers whose resident memory is over ``limit_bytes``; returns how many."""
        heavy = [worker for worker in self._idle if resident_bytes(worker.pid) > limit_bytes]
        for worker in heavy:
            log.info("compute.recycled", pid=worker.pid, lane=self._options.lane)
            self._retire(worker)
        self.recycled += len(heavy)
        self._user.workers_changed()
        return len(heavy)

    def cap(self, most: int | None) -> None:
        """Have at most ``most`` workers from now on, 0 included; None lifts it. Those beyond it leave, busy ones after
        their task.
        """
        self._most = self._options.maximum if most is None else min(most, self._options.maximum)
        while self._idle and self._staying() > self._most:
            self._retire(next(iter(self._idle)))
        self._user.workers_changed()

    def shed(self) -> int:
        """Retire every idle worker, also one that will be replaced: a new one holds no model and no parser yet. Returns
        how many.
        """
        idle = list(self._idle)
        for worker in idle:
            self._retire(worker)
        self._user.workers_changed()
        return len(idle)

    def enforce(self, limit_bytes: int, kill_bytes: int) -> int:
        """Let busy workers over ``limit_bytes`` leave after their task, kill those over ``kill_bytes`` with it; returns
        how many were killed.
        """
        over = 0
        for worker in list(self._workers):
            if worker.state is not State.BUSY:
                continue
            used = resident_bytes(worker.pid)
            worker.spent = worker.spent or used > limit_bytes
            if used > kill_bytes:
                over += 1
                worker.exceed(used, kill_bytes)
        return over

    def describe(self) -> list[WorkerStats]:
        """Each process as it is now."""
        return [
            WorkerStats(
                pid=worker.pid,
                lane=self._options.lane,
                rss_bytes=resident_bytes(worker.pid),
                tasks=worker.tasks,
                busy=worker.state is State.BUSY,
            )
            for worker in self._workers
        ]

    def worker_idle(self, worker: Worker, ended: Task | None) -> None:
        """Called by a worker."""
        self._idle[worker] = self._loop.call_later(self._options.idle_seconds, self._idle_out, worker)
        if ended is not None:
            self._failures = 0
            self._user.task_ended(ended)
        elif not self._started.done() and len(self._idle) >= self._options.minimum:
            self._started.set_result(None)
        if worker.spent:
            self.recycled += 1
        if worker.spent or self._staying() > self._most:
            self._retire(worker)
        self._user.workers_changed()

    def worker_gone(self, worker: Worker) -> None:
        """Called by a worker."""
        self._workers.discard(worker)
        if leave := self._idle.pop(worker, None):
            leave.cancel()
        self._past_busy_seconds += worker.busy_seconds
        self.killed += worker.killed
        if not self._workers:
            self._empty.set()
        if not worker.retired and not self._closing:
            self._note_end(worker)
        if worker.task is not None:
            self._user.task_lost(worker.task, worker)
        self._user.workers_changed()

    async def _spawn(self) -> None:
        try:
            spawned = await self._spawner.spawn(self._options.lane)
        except (OSError, subprocess.SubprocessError) as error:
            self._start_failed(str(error))
            return
        worker = Worker(spawned, self)
        self._workers.add(worker)
        self._empty.clear()
        await worker.connect(spawned.connection, self._options.setup)

    def _note_end(self, worker: Worker) -> None:
        self.restarts += 1
        if worker.settled:
            self._failures = 0
            note = log.debug if worker.killed else log.warning  # a cancelled watch is nobody's concern
            note("compute.worker_ended", pid=worker.pid, lane=self._options.lane, how=worker.ending)
        else:
            self._start_failed(f"pid {worker.pid} {worker.ending}")

    def _start_failed(self, reason: str) -> None:
        """Wait before the next start, so that a broken installation does not keep the machine busy."""
        self._failures += 1
        delay = start_delay(self._failures)
        log.warning("compute.start_failed", lane=self._options.lane, reason=reason, failures=self._failures, wait=delay)
        if self._pause is None and not self._closing:
            self._pause = self._loop.call_later(delay, self._end_pause)
        if (error := self.failure) is not None:
            if not self._started.done():
                self._started.set_exception(error)
            self._user.starts_failed(error)

    def _end_pause(self) -> None:
        self._pause = None
        self._user.workers_changed()

    def _idle_out(self, worker: Worker) -> None:
        if self._staying() > self._options.minimum:
            self._retire(worker)

    def _staying(self) -> int:
        return sum(worker.state is not State.LEAVING for worker in self._workers)

    def _retire(self, worker: Worker) -> None:
        self._idle.pop(worker).cancel()
        worker.leave()

    def _dismiss(self, worker: Worker) -> None:
        if worker.state is State.BUSY:
            worker.kill()
        elif worker.state is not State.LEAVING:
            worker.leave()
