"""Workers that take more memory than they may, and lanes that are made to need less."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import kernels_for_tests as k
import pytest
from compute_harness import lines, pids_of, running_pool, until
from kernels_for_tests import Ask

from agentd.compute.pool import KILL_SHARE, Lane, Pool
from agentd.compute.stats import resident_bytes
from agentd.errors import TaskMemoryError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

LIMIT = 128 * 1024 * 1024


async def grown(pool: Pool, to: float, gate: Path) -> tuple[AsyncGenerator[k.Reply, None], int]:
    """A bulk worker that holds so many bytes, inside its task; and its process id."""
    stream = pool.stream(k.SWELL, Ask(number=to, path=str(gate)), lane=Lane.BULK)
    return stream, (await anext(stream)).pid


async def test_a_busy_worker_over_its_memory_leaves_after_its_task(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool(worker_memory_megabytes=128) as pool:
        stream, heavy = await grown(pool, LIMIT, gate)
        assert LIMIT < resident_bytes(heavy) < KILL_SHARE * LIMIT
        assert pool.enforce() == 0
        assert heavy in pids_of(pool)
        gate.touch()
        assert [part async for part in stream] == []  # the task ends well
        assert (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid != heavy
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.recycled, stats.killed, stats.failed) == (1, 0, 0)


async def test_a_worker_far_over_its_memory_is_killed_and_its_task_fails_once(tmp_path: Path) -> None:
    async with running_pool(worker_memory_megabytes=128) as pool:
        stream, bomb = await grown(pool, 1.7 * LIMIT, tmp_path / "gate")
        assert pool.enforce() == 1
        with pytest.raises(TaskMemoryError, match=r"kernel 'swell' grew its worker to \d+ MiB .*worker_memory"):
            await anext(stream)
        assert (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid != bomb
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.killed, stats.retried, stats.failed) == (1, 0, 1)


async def test_what_asks_for_too_much_at_once_is_refused_and_costs_its_own_task() -> None:
    async with running_pool(worker_memory_megabytes=128) as pool:
        first = (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid
        with pytest.raises(TaskMemoryError, match="asked for more memory than a worker may have") as error:
            await pool.run(k.EXPLODE, Ask(number=4e9), lane=Lane.BULK)
        assert error.value.kind == "task_memory"
        assert (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid != first  # it is not trusted to have let go
        assert pool.stats().lanes[Lane.BULK].retried == 0


async def test_a_share_below_the_setting_makes_large_workers_leave_and_kills_none(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool(worker_memory_megabytes=512) as pool:
        stream, heavy = await grown(pool, LIMIT, gate)
        pool.enforce(LIMIT)
        gate.touch()
        assert [part async for part in stream] == []
        assert (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid != heavy


async def test_a_held_lane_keeps_its_tasks_and_no_worker_and_goes_on_where_it_was(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool(bulk_workers=2) as pool:
        asks = [Ask(path=str(gate)) for _ in range(3)]
        held = [asyncio.create_task(pool.run(k.WAIT_FOR_FILE, ask, lane=Lane.BULK)) for ask in asks]
        await until(lambda: len(lines(tmp_path / "gate.started")) == 2)
        pool.cap_bulk(0)
        gate.touch()
        await until(lambda: pool.stats().lanes[Lane.BULK].workers == 0)
        assert [task.done() for task in held].count(False) == 1
        await pool.run(k.ECHO, Ask(), lane=Lane.INTERACTIVE)  # queries do not notice
        assert pool.stats().lanes[Lane.BULK].queued == 1
        pool.cap_bulk(None)
        await asyncio.gather(*held)
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.done, stats.failed, stats.killed) == (3, 0, 0)


async def test_a_lane_capped_at_one_worker_runs_one_task_at_a_time(tmp_path: Path) -> None:
    started = tmp_path / "gate.started"
    async with running_pool(bulk_workers=2) as pool:
        pool.cap_bulk(1)
        ask = Ask(path=str(tmp_path / "gate"))
        held = [asyncio.create_task(pool.run(k.WAIT_FOR_FILE, ask, lane=Lane.BULK)) for _ in range(3)]
        await until(lambda: lines(started))
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.workers, stats.busy, stats.queued) == (1, 1, 2)
        pool.cap_bulk(None)
        await until(lambda: len(lines(started)) == 2)
        (tmp_path / "gate").touch()
        await asyncio.gather(*held)


async def test_idle_workers_are_shed_and_fresh_ones_come() -> None:
    async with running_pool() as pool:
        first = (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid
        assert pool.shed_bulk() == 1
        assert (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid != first
