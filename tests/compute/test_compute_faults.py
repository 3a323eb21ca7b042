"""Workers that die, hang, lie or cannot start; callers that go away."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import kernels_for_tests as k
import pytest
from compute_harness import collect, is_running, lines, pids_of, running_pool, until
from kernels_for_tests import Ask

from agentd.compute import fleet, process
from agentd.compute.pool import Lane, Pool
from agentd.config.settings import ComputeSettings
from agentd.errors import TaskTimeoutError, WorkerDiedError

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_task_whose_worker_is_killed_is_tried_once_more_and_nobody_notices(tmp_path: Path) -> None:
    gate, started = tmp_path / "gate", tmp_path / "gate.started"
    async with running_pool() as pool:
        result = asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask("right", path=str(gate)), lane=Lane.BULK))
        queued = [asyncio.create_task(pool.run(k.ECHO, Ask(str(n)), lane=Lane.BULK)) for n in range(5)]
        await until(lambda: lines(started))
        os.kill(int(lines(started)[0]), signal.SIGKILL)
        await until(lambda: len(lines(started)) == 2)
        gate.touch()
        assert (await result).text == "right"
        assert [(await task).text for task in queued] == ["0", "1", "2", "3", "4"]
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.done, stats.failed, stats.retried, stats.restarts) == (6, 0, 1, 1)


async def test_a_task_that_kills_its_second_worker_too_fails_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running_pool() as pool:
        with pytest.raises(
            WorkerDiedError, match=r"was killed by SIGKILL while it ran kernel 'die', at its second try"
        ):
            await pool.run(k.DIE, Ask(number=9, path=str(log)), lane=Lane.BULK)
        assert len(set(lines(log))) == 2
        assert (await pool.run(k.ECHO, Ask("on"), lane=Lane.BULK)).text == "on"
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.done, stats.failed, stats.retried) == (1, 1, 1)


async def test_a_stream_that_dies_before_its_first_part_is_tried_once_more(tmp_path: Path) -> None:
    async with running_pool() as pool:
        parts = [part async for part in pool.stream(k.DIE, Ask(number=1, path=str(tmp_path / "log")), lane=Lane.BULK)]
    assert [part.text for part in parts] == ["try 2"]


async def test_a_stream_that_dies_later_gives_its_parts_and_is_not_tried_again(tmp_path: Path) -> None:
    made, parts = tmp_path / "made", list[k.Reply]()
    async with running_pool() as pool:
        with pytest.raises(WorkerDiedError, match="after a part of its result"):
            await collect(pool.stream(k.COUNT_AND_DIE, Ask("x" * 50_000, 40, str(made)), lane=Lane.BULK), parts)
    assert [part.number for part in parts] == list(range(40))
    assert len(lines(made)) == 40


async def test_an_idle_worker_that_is_killed_is_replaced_at_once() -> None:
    async with running_pool() as pool:
        before = pids_of(pool)
        await pool.run(k.ECHO, Ask(), lane=Lane.BULK)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: len(set(pids_of(pool)) - set(before)) == len(Lane))
        for lane in Lane:
            assert (await pool.run(k.ECHO, Ask("on"), lane=lane)).text == "on"


async def test_a_task_over_its_time_limit_is_killed_and_not_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running_pool() as pool:
        with pytest.raises(TaskTimeoutError, match=r"'spin' ran for more than 0\.3 s"):
            await pool.run(k.SPIN, Ask(path=str(log)), lane=Lane.BULK, timeout=0.3)
        assert (await pool.run(k.ECHO, Ask("on"), lane=Lane.BULK)).text == "on"
        assert [is_running(int(pid)) for pid in lines(log)] == [False]
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.failed, stats.killed, stats.retried) == (1, 1, 0)


async def test_the_time_limit_of_the_settings_holds_where_the_task_has_none(tmp_path: Path) -> None:
    async with running_pool(task_timeout_seconds=0.3) as pool:
        with pytest.raises(TaskTimeoutError):
            await pool.run(k.HOLD_GIL, Ask(path=str(tmp_path / "log")), lane=Lane.INTERACTIVE)


async def test_a_worker_that_writes_rubbish_is_killed(tmp_path: Path) -> None:
    async with running_pool() as pool:
        with pytest.raises(WorkerDiedError):
            await pool.run(k.GARBLE, Ask(), lane=Lane.BULK)
        assert (await pool.run(k.ECHO, Ask("on"), lane=Lane.BULK)).text == "on"


async def test_a_queued_task_whose_caller_goes_away_never_runs(tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    async with running_pool() as pool:
        running = asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask(path=str(gate)), lane=Lane.BULK))
        await until(lambda: lines(tmp_path / "gate.started"))
        queued = asyncio.create_task(pool.run(k.NOTE, Ask("cancelled", path=str(log)), lane=Lane.BULK))
        await until(lambda: pool.stats().lanes[Lane.BULK].queued == 1)
        queued.cancel()
        await asyncio.wait([queued])
        assert pool.stats().lanes[Lane.BULK].queued == 0
        gate.touch()
        await running
        await pool.run(k.NOTE, Ask("last", path=str(log)), lane=Lane.BULK)
    assert lines(log) == ["last"]


async def test_a_running_task_whose_caller_goes_away_may_end_within_the_grace(tmp_path: Path) -> None:
    gate, started = tmp_path / "gate", tmp_path / "gate.started"
    async with running_pool() as pool:
        running = asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask("old", path=str(gate)), lane=Lane.BULK))
        await until(lambda: lines(started))
        running.cancel()
        await asyncio.wait([running])
        gate.touch()
        new = await pool.run(k.ECHO, Ask("new"), lane=Lane.BULK)
        assert (new.text, [str(new.pid)]) == ("new", lines(started))
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.done, stats.cancelled, stats.killed) == (1, 1, 0)


async def test_a_running_task_whose_caller_goes_away_is_killed_after_the_grace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "CANCEL_GRACE_SECONDS", 0.2)
    log = tmp_path / "log"
    async with running_pool() as pool:
        running = asyncio.create_task(pool.run(k.SPIN, Ask(path=str(log)), lane=Lane.BULK))
        await until(lambda: lines(log))
        running.cancel()
        await asyncio.wait([running])
        assert (await pool.run(k.ECHO, Ask("on"), lane=Lane.BULK)).text == "on"
        assert not is_running(int(lines(log)[0]))
        stats = pool.stats().lanes[Lane.BULK]
        assert (stats.cancelled, stats.killed, stats.retried) == (1, 1, 0)


async def test_a_stream_left_early_frees_its_worker_although_it_was_stopped_for_being_ahead(tmp_path: Path) -> None:
    made = tmp_path / "made"
    async with running_pool() as pool:
        async with aclosing(pool.stream(k.COUNT, Ask("x" * 100_000, 60, str(made)), lane=Lane.BULK)) as stream:
            await anext(stream)
            await until(lambda: len(lines(made)) >= 5)
        reply = await pool.run(k.ECHO, Ask("next"), lane=Lane.BULK)
        assert reply.text == "next"
        assert len(lines(made)) < 60  # it gave up between two parts, and so needed no kill
        assert pool.stats().lanes[Lane.BULK].killed == 0


async def has_lines(path: Path, count: int) -> None:
    await until(lambda: len(lines(path)) >= count)


async def test_a_task_that_pauses_gives_up_at_once_when_its_caller_goes_away(tmp_path: Path) -> None:
    """The worker lives, with all that it has loaded, and its next task is its own."""
    log = tmp_path / "log"
    async with running_pool() as pool:
        for number in range(5):
            toiling = asyncio.create_task(pool.run(k.TOIL, Ask(path=str(log)), lane=Lane.INTERACTIVE))
            await has_lines(log, number + 1)
            began = time.monotonic()
            toiling.cancel()
            reply = await pool.run(k.ECHO, Ask("next"), lane=Lane.INTERACTIVE)
            assert reply.text == "next"
            assert time.monotonic() - began < process.CANCEL_GRACE_SECONDS
        assert len(set(lines(log))) == 1
        stats = pool.stats().lanes[Lane.INTERACTIVE]
        assert (stats.cancelled, stats.killed, stats.failed) == (5, 0, 0)


async def test_a_cancel_that_comes_too_late_is_not_taken_for_the_next_task(tmp_path: Path) -> None:
    """The task ends by itself just as its caller goes away: whatever follows must run to its end."""
    gate, started = tmp_path / "gate", tmp_path / "gate.started"
    async with running_pool() as pool:
        for number in range(20):
            waiting = asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask(path=str(gate)), lane=Lane.INTERACTIVE))
            await has_lines(started, number + 1)
            gate.touch()
            await asyncio.sleep(0.0002 * number)  # waits for nothing: the end and the cancel meet at other moments
            waiting.cancel()
            parts = [
                each.number
                async for each in pool.stream(k.COUNT, Ask("", 5, str(tmp_path / "made")), lane=Lane.INTERACTIVE)
            ]
            assert parts == [0, 1, 2, 3, 4]
            gate.unlink()
        assert pool.stats().lanes[Lane.INTERACTIVE].killed == 0


async def test_a_pool_whose_workers_cannot_start_says_so_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "FIRST_DELAY_SECONDS", 0.01)
    pool = Pool(ComputeSettings(), "no_such_registry")
    with pytest.raises(WorkerDiedError, match="lane can be started: 5 attempts in a row failed"):
        await pool.start()
    assert pids_of(pool) == []


async def test_a_lane_that_breaks_later_fails_its_tasks_waits_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "FIRST_DELAY_SECONDS", 0.05)
    broken, starts = tmp_path / "broken", tmp_path / "starts"
    (tmp_path / "fragile_registry.py").write_text(
        "from pathlib import Path\nfrom kernels_for_tests import KERNELS\n"
        f"with Path({str(starts)!r}).open('a') as file: file.write('start\\n')\n"
        f"if Path({str(broken)!r}).exists(): raise SystemExit(3)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    async with running_pool("fragile_registry") as pool:
        broken.touch()
        with pytest.raises(WorkerDiedError, match="bulk lane can be started"):
            await pool.run(k.DIE, Ask(number=9, path=str(tmp_path / "log")), lane=Lane.BULK)
        began = time.monotonic()
        with pytest.raises(WorkerDiedError, match="bulk lane can be started"):
            await pool.run(k.ECHO, Ask(), lane=Lane.BULK)
        assert time.monotonic() - began < 0.05  # no worker is there to wait for
        await asyncio.sleep(0.3)  # within the wait after the fifth failure, 0.8 s
        assert (len(lines(starts)), pool.stats().lanes[Lane.BULK].workers) == (2 + 5, 0)
        assert (await pool.run(k.ECHO, Ask("on"), lane=Lane.INTERACTIVE)).text == "on"
        broken.unlink()
        await until(lambda: len(lines(starts)) == 2 + 5 + 1)
        await until(lambda: pool.stats().lanes[Lane.BULK].ready == 1)
        assert (await pool.run(k.ECHO, Ask("back"), lane=Lane.BULK)).text == "back"
