from __future__ import annotations

import asyncio

import pytest

from agentd.daemon.maintenance import Maintenance


async def test_a_chore_that_fails_does_not_keep_the_others_from_their_turn() -> None:
    done: list[str] = []

    async def broken() -> None:
        raise OSError("disk full")

    async def good() -> None:
        done.append("good")

    maintenance = Maintenance([("broken", broken), ("good", good)], interval=30)
    await maintenance.once()
    assert done == ["good"]
    assert "disk full" in maintenance.problems["broken"]


async def test_the_cadence_does_not_drift_with_the_length_of_the_chores() -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    fifth = asyncio.Event()

    async def chore() -> None:
        times.append(loop.time())
        await asyncio.sleep(0.03)
        if len(times) == 5:
            fifth.set()

    began = loop.time()
    task = asyncio.create_task(Maintenance([("chore", chore)], interval=0.1).run())
    await fifth.wait()
    task.cancel()
    assert times[-1] - began == pytest.approx(0.5, abs=0.08)
