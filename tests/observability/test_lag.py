from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING, Any, cast

from agentd.observability.lag import IDLE_SECONDS, CollectorPauses, LagProbe

if TYPE_CHECKING:
    from collections.abc import Mapping


async def ticks(probe: LagProbe, more: int) -> None:
    goal = cast("int", probe.snapshot()["count"]) + more
    async with asyncio.timeout(10):
        while cast("int", probe.snapshot()["count"]) < goal:  # noqa: ASYNC110 - the probe tells nobody of its ticks
            await asyncio.sleep(0)


async def probed(probe: LagProbe, blocking_seconds: float) -> Mapping[str, Any]:
    """Let the probe tick, block the loop once, and let it tick again."""
    task = asyncio.create_task(probe.run())
    await ticks(probe, 3)
    time.sleep(blocking_seconds)  # noqa: ASYNC251 - the fault that the probe is there to see
    await ticks(probe, 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return probe.snapshot()


async def test_a_blocked_loop_is_seen_as_lag_of_that_length() -> None:
    snapshot = await probed(LagProbe(interval_seconds=0.005), blocking_seconds=0.2)
    assert 150 < snapshot["max_ms"] < 2000
    assert snapshot["p50_ms"] <= snapshot["p99_ms"] <= snapshot["p999_ms"] <= snapshot["max_ms"]


async def test_an_idle_process_is_looked_at_less_often_and_a_busy_one_as_often_as_before() -> None:
    probe = LagProbe(interval_seconds=0.02)
    task = asyncio.create_task(probe.run())
    await asyncio.sleep(2 * IDLE_SECONDS)
    before = cast("int", probe.snapshot()["count"])
    await asyncio.sleep(0.5)
    idle = cast("int", probe.snapshot()["count"]) - before
    assert 1 <= idle <= 15  # one each IDLE_SECONDS; 25 at the interval
    await ticks(probe, 10 * idle)  # which keeps the process busy
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_loop_that_is_blocked_out_of_the_blue_is_seen() -> None:
    probe = LagProbe(interval_seconds=0.005)
    task = asyncio.create_task(probe.run())
    await asyncio.sleep(3 * IDLE_SECONDS)
    time.sleep(3 * IDLE_SECONDS)  # noqa: ASYNC251 - the fault that the probe is there to see
    await ticks(probe, 1)
    assert cast("float", probe.snapshot()["max_ms"]) > 1500 * IDLE_SECONDS
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_reset_forgets() -> None:
    probe = LagProbe(interval_seconds=0.001)
    await probed(probe, blocking_seconds=0.05)
    probe.reset()
    assert probe.snapshot()["count"] == 0
    assert probe.snapshot()["max_ms"] == 0.0


def test_collections_are_counted_by_generation_while_it_is_on() -> None:
    pauses = CollectorPauses()
    gc.collect(2)
    with pauses:
        gc.collect(2)
        gc.collect(0)
    gc.collect(2)
    snapshot = pauses.snapshot()
    assert snapshot["generation_2"]["count"] == 1
    assert snapshot["generation_0"]["count"] >= 1
    assert 0 < snapshot["generation_2"]["max_ms"] <= snapshot["generation_2"]["total_ms"]
    assert pauses._observe not in gc.callbacks
