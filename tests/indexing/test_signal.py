from __future__ import annotations

import asyncio

from agentd.indexing.signal import Signal


async def test_one_call_wakes_everyone_who_waits_and_is_not_remembered() -> None:
    signal = Signal()
    signal.give()
    waiting = [asyncio.create_task(signal.wait(5)) for _ in range(3)]
    await asyncio.sleep(0)
    signal.give()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert await signal.wait(0.01) is False


async def test_a_condition_is_looked_at_again_at_each_call() -> None:
    signal = Signal()
    seen: list[int] = []

    def third() -> bool:
        seen.append(len(seen))
        return len(seen) == 3

    waiting = asyncio.create_task(signal.until(third))
    for _ in range(2):
        await asyncio.sleep(0)
        signal.give()
    async with asyncio.timeout(5):
        await waiting
    assert seen == [0, 1, 2]
