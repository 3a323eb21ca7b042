"""The compute pool: whatever takes longer than the loop can spare runs in worker processes, in two lanes.

::

    pool.run(EMBED, request, lane=Lane.INTERACTIVE)
      └─ LaneDispatcher    queue by priority, retry, counts
          └─ Fleet         processes: growth, shrinkage, replacement with backoff
              └─ Worker    the task it holds, time limits, backpressure
                  └─ Link  frames over a socketpair, exit watch, kill      ──────  worker.py, in its own process
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from agentd.compute.fleet import FleetOptions
from agentd.compute.frames import pack
from agentd.compute.lane import LaneDispatcher
from agentd.compute.messages import Run, Setup
from agentd.compute.process import CANCEL_GRACE_SECONDS
from agentd.compute.spawn import Spawner
from agentd.compute.stats import Lane, LaneStats, PoolStats, WorkerStats
from agentd.compute.task import Priority, Task
from agentd.errors import ShuttingDownError, TaskFailedError
from agentd.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentd.config.settings import ComputeSettings
    from agentd.kernels.registry import Kernel

__all__ = ["Lane", "LaneStats", "Pool", "PoolStats", "Priority", "WorkerStats"]

Request = TypeVar("Request", bound=msgspec.Struct)
Result = TypeVar("Result", bound=msgspec.Struct)

_MOST_BULK_WORKERS = 4
"""Where the settings leave it to us: more would slow the machine's owner down for little."""
KILL_SHARE = 1.5
"""Times its limit at which a worker is killed with its task; below, it leaves after the task."""
_DATA_SHARE = 2
_DATA_BYTES = 128 * 1024 * 1024
"""What a worker can have at all: so many times its limit, and what it needs with parsers and model loaded."""
_OOM_SCORE_ADJUST = {Lane.INTERACTIVE: 0, Lane.BULK: 500}
"""When memory runs out the system takes a bulk worker first: it costs a retry, the daemon would cost everything."""


class Pool:
    """Runs kernels in worker processes, one task at a time in each.

    Workers run the kernels of ``registry`` and nothing else: a dotted module whose ``KERNELS`` maps names to Kernel.
    Only the one who builds the pool names it, and a task carries a kernel's name alone, so that nothing that comes
    over the wire can choose code. Tests name a registry of their own.
    """

    def __init__(
        self, settings: ComputeSettings, registry: str = "agentd.kernels.registry", metrics: Metrics | None = None
    ) -> None:
        self._settings = settings
        self._metrics = metrics or Metrics()
        self._registry = registry
        self._spawner = Spawner()
        self._lanes: dict[Lane, LaneDispatcher] = {}  # empty before start

    async def start(self) -> None:
        """Start the interactive workers and one bulk worker, and wait until they are ready.

        Raises WorkerDiedError, and leaves no process behind, when one does not start after several attempts.
        """
        self._lanes = {lane: self._dispatcher(lane) for lane in Lane}
        try:
            await asyncio.gather(*(dispatcher.start() for dispatcher in self._lanes.values()))
        except BaseException:
            await self.stop(0)
            raise

    async def stop(self, grace_seconds: float) -> None:
        """Take no new tasks, let running ones end within ``grace_seconds``, then end every process.

        Queued tasks, and running ones after the grace, fail with ShuttingDownError.
        """
        await asyncio.gather(*(dispatcher.stop(grace_seconds) for dispatcher in self._lanes.values()))
        self._spawner.close()  # last: the end of its thread kills what it forked

    async def run(
        self,
        kernel: Kernel[Request, Result],
        request: Request,
        *,
        lane: Lane,
        priority: Priority = Priority.PARSE,
        timeout: float | None = None,  # noqa: ASYNC109  # bounds the worker's time, not the caller's wait in the queue
    ) -> Result:
        """Run a kernel and return its result.

        ``timeout`` is in seconds of running, time in the queue apart; None means ``task_timeout_seconds``. Cancelling
        the caller takes the task out of the queue, or stops its worker when it does not end soon.

        Raises BusyError (queue full), TaskTimeoutError, TaskFailedError (``kind`` is that of the error raised in the
        worker), TaskMemoryError, WorkerDiedError (twice, or none can be started), ShuttingDownError.
        """
        if kernel.streams:
            raise TypeError(f"kernel {kernel.name!r} streams: use Pool.stream")
        task = self._task(kernel, request, priority, timeout)
        dispatcher = self._dispatcher_of(lane)
        dispatcher.submit(task)
        try:
            part = await task.take()
        finally:
            dispatcher.withdraw(task)
        if part is None:
            raise TaskFailedError(f"expected a result of kernel {kernel.name!r}, found none")
        return _decode(kernel, part)

    async def stream(
        self,
        kernel: Kernel[Request, Result],
        request: Request,
        *,
        lane: Lane,
        priority: Priority = Priority.PARSE,
        timeout: float | None = None,  # noqa: ASYNC109  # bounds the worker's time, not the caller's
    ) -> AsyncGenerator[Result, None]:
        """Run a kernel and yield the parts of its result as they come; the task is submitted at the first step.

        ``timeout`` starts again at each part, and stands still while the caller has yet to take what has come: a slow
        caller makes the worker wait. Close the generator (``contextlib.aclosing``) where it may be left early.

        Raises as ``run`` does, after the parts that came before; a worker that died is tried again only before the
        first part.
        """
        task = self._task(kernel, request, priority, timeout)
        dispatcher = self._dispatcher_of(lane)
        dispatcher.submit(task)
        try:
            while (part := await task.take()) is not None:
                yield _decode(kernel, part)
        finally:
            dispatcher.withdraw(task)

    @property
    def bulk_workers(self) -> int:
        """How many workers the bulk lane grows to."""
        return self._settings.bulk_workers or min(len(os.sched_getaffinity(0)), _MOST_BULK_WORKERS)

    async def recycle(self) -> int:
        """Retire idle workers over ``worker_memory_megabytes`` of resident memory; returns how many."""
        return sum(dispatcher.recycle(self._memory_limit) for dispatcher in self._lanes.values())

    def enforce(self, share_bytes: int | None = None) -> int:
        """Hold every worker to ``worker_memory_megabytes``, or to ``share_bytes`` where that is less.

        Over it one leaves as soon as it has no task; over KILL_SHARE times the setting it is killed, and its task fails
        with TaskMemoryError. Returns how many were killed. Made for every second: 40 µs a worker.
        """
        most = self._memory_limit
        limit = most if share_bytes is None else min(share_bytes, most)
        for dispatcher in self._lanes.values():
            dispatcher.recycle(limit)
        return sum(dispatcher.enforce(limit, int(KILL_SHARE * most)) for dispatcher in self._lanes.values())

    def cap_bulk(self, most: int | None) -> None:
        """Run at most ``most`` bulk workers from now on, each after the task that it holds; None lifts it. At 0 what
        the lane is given waits, and is done later.
        """
        if Lane.BULK in self._lanes:
            self._lanes[Lane.BULK].cap(most)

    def shed_bulk(self) -> int:
        """Retire the bulk workers that have nothing to do, and their models with them; returns how many."""
        return self._lanes[Lane.BULK].shed() if Lane.BULK in self._lanes else 0

    def stats(self) -> PoolStats:
        """Counts of each lane, and each worker as it is now."""
        return PoolStats(
            lanes={lane: dispatcher.stats() for lane, dispatcher in self._lanes.items()},
            workers=[worker for dispatcher in self._lanes.values() for worker in dispatcher.workers()],
        )

    def _dispatcher(self, lane: Lane) -> LaneDispatcher:
        settings = self._settings
        least, most = {
            Lane.INTERACTIVE: (settings.interactive_workers, settings.interactive_workers),
            Lane.BULK: (1, self.bulk_workers),
        }[lane]
        options = FleetOptions(
            lane=lane,
            minimum=least,
            maximum=most,
            idle_seconds=settings.idle_seconds,
            setup=Setup(
                self._registry,
                settings.nice if lane is Lane.BULK else 0,
                _OOM_SCORE_ADJUST[lane],
                _DATA_SHARE * self._memory_limit + _DATA_BYTES,
            ),
        )
        return LaneDispatcher(options, settings.queue_length, self._spawner, self._metrics)

    @property
    def _memory_limit(self) -> int:
        return self._settings.worker_memory_megabytes * 1024 * 1024

    def _dispatcher_of(self, lane: Lane) -> LaneDispatcher:
        if not self._lanes:
            raise ShuttingDownError("the compute pool does not run: it was not started")
        return self._lanes[lane]

    def _task(
        self, kernel: Kernel[Any, Any], request: msgspec.Struct, priority: Priority, timeout: float | None
    ) -> Task:
        frame = pack(Run(kernel.name, msgspec.Raw(msgspec.msgpack.encode(request))))
        seconds = self._settings.task_timeout_seconds if timeout is None else timeout
        return Task(kernel.name, frame, priority, seconds, CANCEL_GRACE_SECONDS)


def _decode(kernel: Kernel[Any, Result], part: msgspec.Raw) -> Result:
    try:
        return msgspec.msgpack.decode(part, type=kernel.result)
    except msgspec.DecodeError as error:
        raise TaskFailedError(
            f"expected a {kernel.result.__name__} from kernel {kernel.name!r}, found something else: {error}"
        ) from error
