from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import kernels_for_tests as k
import pytest
from compute_harness import collect, descriptors, lines, pids_of, running_pool, until
from kernels_for_tests import Ask

from agentd.compute.pool import Lane, Pool, Priority
from agentd.config.settings import ComputeSettings
from agentd.errors import BusyError, ShuttingDownError, TaskFailedError, TaskTimeoutError

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_request_goes_to_another_process_and_its_result_comes_back() -> None:
    async with running_pool() as pool:
        interactive = await pool.run(k.ECHO, Ask("größe", 1.5), lane=Lane.INTERACTIVE)
        bulk = await pool.run(k.ECHO, Ask("größe", 1.5), lane=Lane.BULK)
        assert (interactive.text, interactive.number) == ("größe", 1.5)
        assert interactive.pid != bulk.pid
        assert {interactive.pid, bulk.pid} == set(pids_of(pool))
        assert os.getpid() not in {interactive.pid, bulk.pid}


async def test_a_result_of_megabytes_comes_whole() -> None:
    async with running_pool() as pool:
        result = await pool.run(k.BIG, Ask(number=5_000_000), lane=Lane.BULK)
        assert len(result.text) == 5_000_000


async def test_a_worker_lives_apart_from_the_terminal_the_output_and_the_secrets_of_the_daemon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    async with running_pool(nice=7) as pool:
        bulk = (await pool.run(k.FACTS, Ask(), lane=Lane.BULK)).text.splitlines()
        interactive = (await pool.run(k.FACTS, Ask(), lane=Lane.INTERACTIVE)).text.splitlines()
    expected = {"stdin=/dev/null", "stdout=/dev/null", "session=True", "sigint=True", "env:OMP_NUM_THREADS=1"}
    assert expected <= set(bulk)
    assert {f"nice={os.nice(0) + 7}", "oom=500"} <= set(bulk)
    assert f"nice={os.nice(0)}" in interactive
    assert "asyncio=False" in bulk
    assert not any("SOME_API_KEY" in line for line in bulk)
    assert "descriptors=4" in bulk  # 0, 1, 2 and its own end of the socket: none of the daemon's


async def test_the_lower_priority_number_runs_first_and_equals_in_order_of_arrival(tmp_path: Path) -> None:
    gate, log = tmp_path / "gate", tmp_path / "log"
    async with running_pool() as pool, asyncio.TaskGroup() as group:
        group.create_task(pool.run(k.WAIT_FOR_FILE, Ask(path=str(gate)), lane=Lane.BULK))
        await until(lambda: lines(tmp_path / "gate.started"))
        for name, priority in [
            ("embed", Priority.EMBED),
            ("parse 1", Priority.PARSE),
            ("parse 2", Priority.PARSE),
            ("walk", Priority.WALK),
            ("edit", Priority.EDIT),
        ]:
            group.create_task(pool.run(k.NOTE, Ask(name, path=str(log)), lane=Lane.BULK, priority=priority))
        await until(lambda: pool.stats().lanes[Lane.BULK].queued == 5)
        gate.touch()
        await until(lambda: len(lines(log)) == 5)
    assert lines(log) == ["edit", "walk", "parse 1", "parse 2", "embed"]


async def test_a_busy_bulk_lane_does_not_hold_up_the_interactive_one(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool() as pool:
        held = asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask(path=str(gate)), lane=Lane.BULK))
        await until(lambda: lines(tmp_path / "gate.started"))
        assert (await pool.run(k.ECHO, Ask("now"), lane=Lane.INTERACTIVE)).text == "now"
        assert not held.done()
        gate.touch()
        await held


async def test_the_parts_of_a_stream_come_in_order_and_the_worker_serves_on() -> None:
    async with running_pool() as pool:
        parts = [part async for part in pool.stream(k.COUNT, Ask("x" * 1000, 500), lane=Lane.BULK)]
        assert [part.number for part in parts] == list(range(500))
        assert [part async for part in pool.stream(k.COUNT, Ask(number=0), lane=Lane.BULK)] == []
        assert (await pool.run(k.ECHO, Ask(), lane=Lane.BULK)).pid == parts[0].pid


async def test_a_part_is_there_as_soon_as_it_is_made() -> None:
    async with running_pool() as pool, aclosing(pool.stream(k.SLOW_COUNT, Ask(number=100), lane=Lane.BULK)) as stream:
        assert (await anext(stream)).number == 0
        assert pool.stats().lanes[Lane.BULK].busy == 1  # with the other 99


async def test_a_slow_reader_stops_the_worker_and_is_not_timed_out(tmp_path: Path) -> None:
    made = tmp_path / "made"
    ask = Ask("x" * 100_000, 100, str(made))
    async with running_pool() as pool, aclosing(pool.stream(k.COUNT, ask, lane=Lane.BULK, timeout=0.3)) as stream:
        await anext(stream)
        await until(lambda: len(lines(made)) >= 5)
        await asyncio.sleep(0.5)  # longer than the time limit, and enough to make all 10 MB
        assert len(lines(made)) < 30
        assert [part.number async for part in stream] == list(range(1, 100))


async def test_the_time_limit_of_a_stream_starts_again_at_each_part() -> None:
    async with running_pool() as pool:
        stream = pool.stream(k.SLOW_COUNT, Ask(number=5), lane=Lane.BULK, timeout=0.3)
        assert len([part async for part in stream]) == 5


async def test_errors_of_ours_keep_their_kind_and_details_others_become_task_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with running_pool() as pool:
        with pytest.raises(TaskFailedError, match="found a shoe") as ours:
            await pool.run(k.FAIL, Ask("ours"), lane=Lane.BULK)
        with pytest.raises(TaskFailedError, match=r"no file \\udcff"):
            await pool.run(k.FAIL, Ask("surrogate"), lane=Lane.BULK)
        with pytest.raises(TaskFailedError, match="ValueError: cannot read it") as other:
            await pool.run(k.FAIL, Ask("it"), lane=Lane.BULK)
        assert pool.stats().lanes[Lane.BULK].failed == 3
    assert (ours.value.kind, ours.value.details) == ("model_invalid", {"path": "/shoe"})
    assert other.value.kind == "task_failed"
    logged = capsys.readouterr().out
    assert "in fail" in logged
    assert "text of a document" not in logged


async def test_a_stream_that_fails_gives_its_parts_before_the_error() -> None:
    parts: list[k.Reply] = []
    async with running_pool() as pool:
        with pytest.raises(TaskFailedError, match="no more"):
            await collect(pool.stream(k.COUNT_AND_FAIL, Ask(number=3), lane=Lane.BULK), parts)
    assert [part.number for part in parts] == [0, 1, 2]


async def test_what_cannot_run_is_refused_and_the_worker_lives() -> None:
    async with running_pool() as pool:
        pids = pids_of(pool)
        with pytest.raises(TaskFailedError, match="not in this registry"):
            await pool.run(k.UNLISTED, Ask(), lane=Lane.BULK)
        with pytest.raises(TaskFailedError, match="expected a Reply from kernel 'liar'"):
            await pool.run(k.LIAR, Ask(), lane=Lane.BULK)
        with pytest.raises(TaskFailedError, match="at most 67108864 bytes"):
            await pool.run(k.BIG, Ask(number=70_000_000), lane=Lane.BULK)
        with pytest.raises(TaskFailedError, match="at most 67108864 bytes"):
            await pool.run(k.ECHO, Ask("x" * 70_000_000), lane=Lane.BULK)
        with pytest.raises(TypeError, match=r"Pool\.stream"):
            await pool.run(k.COUNT, Ask(), lane=Lane.BULK)
        assert pids_of(pool) == pids


async def test_a_full_queue_refuses_and_says_when_to_come_back(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool(queue_length=2) as pool:
        held = [asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask(path=str(gate)), lane=Lane.BULK)) for _ in range(3)]
        await until(lambda: pool.stats().lanes[Lane.BULK].queued == 2)
        with pytest.raises(BusyError, match=r"compute\.queue_length") as refused:
            await pool.run(k.ECHO, Ask(), lane=Lane.BULK)
        wait = refused.value.details["retry_after_ms"]
        assert isinstance(wait, int)
        assert 0 < wait <= 10_000
        gate.touch()
        await asyncio.gather(*held)


async def test_stop_lets_running_tasks_end_and_refuses_the_rest(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with running_pool() as pool:
        running = asyncio.create_task(pool.run(k.WAIT_FOR_FILE, Ask("ended", path=str(gate)), lane=Lane.BULK))
        await until(lambda: lines(tmp_path / "gate.started"))
        queued = asyncio.create_task(pool.run(k.ECHO, Ask(), lane=Lane.BULK))
        await until(lambda: pool.stats().lanes[Lane.BULK].queued == 1)
        stopping = asyncio.create_task(pool.stop(20))
        with pytest.raises(ShuttingDownError):
            await queued
        with pytest.raises(ShuttingDownError):
            await pool.run(k.ECHO, Ask(), lane=Lane.BULK)
        gate.touch()
        assert (await running).text == "ended"
        await stopping
        assert pids_of(pool) == []


async def test_stop_kills_what_still_runs_after_the_grace(tmp_path: Path) -> None:
    started = tmp_path / "started"
    async with running_pool() as pool:
        spinning = asyncio.create_task(pool.run(k.SPIN, Ask(path=str(started)), lane=Lane.BULK))
        await until(lambda: lines(started))
        async with asyncio.timeout(5):
            await pool.stop(0.05)
        with pytest.raises(ShuttingDownError):
            await spinning
        assert pids_of(pool) == []


async def test_a_pool_that_was_not_started_says_so() -> None:
    with pytest.raises(ShuttingDownError, match="not started"):
        await Pool(ComputeSettings(), "kernels_for_tests").run(k.ECHO, Ask(), lane=Lane.BULK)


async def test_twenty_replaced_workers_leave_no_descriptor_behind(tmp_path: Path) -> None:
    async with running_pool() as pool:
        await pool.run(k.ECHO, Ask(), lane=Lane.BULK)
        before = descriptors()
        for _ in range(20):
            with pytest.raises(TaskTimeoutError):
                await pool.run(k.SPIN, Ask(path=str(tmp_path / "log")), lane=Lane.BULK, timeout=0.001)
        await pool.run(k.ECHO, Ask(), lane=Lane.BULK)
        assert descriptors() == before
        assert pool.stats().lanes[Lane.BULK].restarts == 20
