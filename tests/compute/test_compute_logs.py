"""Lines about a task name the request that it was for; lines about a worker name none."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import kernels_for_tests as k
import pytest
import structlog
from compute_harness import running_pool, until
from kernels_for_tests import Ask
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs

from agentd.compute.pool import Lane
from agentd.errors import TaskFailedError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> None:
    structlog.reset_defaults()


async def test_a_kernel_that_raises_is_logged_with_the_request() -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with running_pool() as pool:
            with bound_contextvars(request="7-1"), pytest.raises(TaskFailedError):
                await pool.run(k.FAIL, Ask("x"), lane=Lane.BULK)
    (line,) = [line for line in logs if line["event"] == "compute.kernel_raised"]
    assert line["request"] == "7-1"


async def test_a_worker_does_not_keep_the_request_that_it_was_started_for(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with running_pool(bulk_workers=2) as pool:
            before = {worker.pid for worker in pool.stats().workers}
            with bound_contextvars(request="7-1"):
                waiting = asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask(path=str(gate)), lane=Lane.BULK))
                other = asyncio.create_task(pool.run(k.ECHO, Ask(), lane=Lane.BULK))
            await until(lambda: {worker.pid for worker in pool.stats().workers if worker.tasks} - before)
            (new,) = {worker.pid for worker in pool.stats().workers} - before
            gate.touch()
            await asyncio.gather(waiting, other)
            os.kill(new, signal.SIGKILL)
            await until(lambda: [line for line in logs if line["event"] == "compute.worker_ended"])
    (line,) = [line for line in logs if line["event"] == "compute.worker_ended"]
    assert line["pid"] == new
    assert "request" not in line


async def test_waiting_and_running_are_timed_by_lane_and_kernel() -> None:
    async with running_pool() as pool:
        for _ in range(3):
            await pool.run(k.ECHO, Ask(), lane=Lane.INTERACTIVE)
    for name in ("task_wait_ms", "task_run_ms"):
        ((labels, times),) = pool._metrics.histograms(name).items()
        assert dict(labels) == {"kernel": "echo", "lane": "interactive"}
        assert times.count == 3
        assert times.total > 0
