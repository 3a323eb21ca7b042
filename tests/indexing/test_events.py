from __future__ import annotations

import asyncio

from agentd.indexing.events import MAX_WAITING, Events


async def test_a_slow_listener_loses_the_oldest_and_is_told_how_many() -> None:
    events = Events()
    listening = events.listen()
    first = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0)
    for number in range(MAX_WAITING + 11):
        events.publish("tick", number=number)
    seen = [await first] + [await anext(listening) for _ in range(MAX_WAITING - 1)]
    assert seen[0]["number"] == 11
    assert seen[0]["dropped"] == 11
    assert "dropped" not in seen[1]
    assert seen[-1]["number"] == MAX_WAITING + 10


async def test_publishing_to_nobody_is_fine() -> None:
    Events().publish("tick")
