"""How many workers there are, and when they go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import kernels_for_tests as k
from compute_harness import lines, pids_of, running_pool, until
from kernels_for_tests import Ask

from agentd.compute.pool import Lane, Pool
from agentd.compute.stats import resident_bytes

if TYPE_CHECKING:
    from pathlib import Path


def _hold(pool: Pool, gate: Path, tasks: int) -> list[asyncio.Task[k.Reply]]:
    ask = Ask(path=str(gate))
    return [asyncio.create_task(pool.run(k.WAIT_FOR_FILE, ask, lane=Lane.BULK)) for _ in range(tasks)]


async def test_the_bulk_lane_grows_to_its_bound_runs_in_parallel_and_shrinks_to_one(tmp_path: Path) -> None:
    gate, started = tmp_path / "gate", tmp_path / "gate.started"
    async with running_pool(bulk_workers=2, idle_seconds=0.2) as pool:
        assert pool.stats().lanes[Lane.BULK].workers == 1
        held = _hold(pool, gate, 5)
        await until(lambda: len(lines(started)) == 2)
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.workers, stats.busy, stats.queued) == (2, 2, 3)
        gate.touch()
        assert len({reply.pid for reply in await asyncio.gather(*held)}) == 2
        await until(lambda: pool.stats().lanes[Lane.BULK].workers == 1)
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.done, stats.restarts, stats.killed) == (5, 0, 0)
        await pool.run(k.ECHO, Ask(), lane=Lane.BULK)


async def test_the_last_workers_of_each_lane_stay_however_long_they_are_idle() -> None:
    async with running_pool(bulk_workers=2, interactive_workers=2, idle_seconds=0.05) as pool:
        pids = pids_of(pool)
        assert len(pids) == 3
        await asyncio.sleep(0.4)
        assert sorted(pids_of(pool)) == sorted(pids)


async def test_an_idle_worker_over_its_memory_is_retired_and_replaced(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool(worker_memory_megabytes=128) as pool:
        assert await pool.recycle() == 0
        heavy = (await pool.run(k.HOARD, Ask(number=150_000_000), lane=Lane.BULK)).pid
        assert resident_bytes(heavy) > 150_000_000
        held = _hold(pool, gate, 1)
        await until(lambda: lines(tmp_path / "gate.started"))
        assert await pool.recycle() == 0  # it is busy
        gate.touch()
        await asyncio.gather(*held)
        assert await pool.recycle() == 1
        assert (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid != heavy
        await until(lambda: heavy not in pids_of(pool))
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.recycled, stats.killed, stats.restarts) == (1, 0, 0)


async def test_stats_tell_each_worker_with_its_memory_and_work(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool() as pool:
        held = _hold(pool, gate, 1)
        await until(lambda: lines(tmp_path / "gate.started"))
        workers = {worker.lane: worker for worker in pool.stats().workers}
        assert (workers[Lane.BULK].busy, workers[Lane.BULK].tasks) == (True, 1)
        assert (workers[Lane.INTERACTIVE].busy, workers[Lane.INTERACTIVE].tasks) == (False, 0)
        assert all(worker.rss_bytes > 5_000_000 for worker in workers.values())
        await asyncio.sleep(0.1)
        gate.touch()
        await asyncio.gather(*held)
        assert pool.stats().lanes[Lane.BULK].busy_seconds >= 0.1


def test_a_process_that_is_gone_holds_no_memory() -> None:
    assert resident_bytes(2**22 + 1) == 0
