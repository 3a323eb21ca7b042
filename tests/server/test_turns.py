"""Turns: a bound on what runs, shared fairly, and lost to nobody who goes away."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.errors import BusyError
from agentd.server.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable


async def settle() -> None:
    """Let the loop do all that it can do by itself."""
    for _ in range(5):
        await asyncio.sleep(0)


def worker(turns: Turns, owner: str, began: list[str], release: asyncio.Event) -> Callable[[], asyncio.Task[None]]:
    async def work() -> None:
        turn = await turns.take(owner)
        try:
            began.append(owner)
            await release.wait()
        finally:
            turns.give(turn)

    return lambda: asyncio.get_running_loop().create_task(work())


async def test_owners_take_turns_however_much_one_asks_for() -> None:
    turns, began, release = Turns(1, 100), list[str](), asyncio.Event()
    tasks = [worker(turns, "greedy", began, release)() for _ in range(10)]
    await settle()
    tasks += [worker(turns, owner, began, release)() for owner in ("one", "two")]
    await settle()
    assert began == ["greedy"]
    release.set()
    await asyncio.gather(*tasks)
    assert began.index("one") <= 3
    assert began.index("two") <= 4
    assert (turns.taken, turns.waiting) == (0, 0)


async def test_too_many_that_wait_are_refused_with_advice_but_everybody_may_wait_with_one() -> None:
    turns, began, release = Turns(1, 3), list[str](), asyncio.Event()
    tasks = [worker(turns, "greedy", began, release)() for _ in range(4)]
    await settle()
    with pytest.raises(BusyError) as refused:
        await turns.take("greedy")
    assert 50 <= int(str(refused.value.details["retry_after_ms"])) <= 10_000
    tasks.append(worker(turns, "modest", began, release)())
    await settle()
    assert turns.waiting == 4
    release.set()
    await asyncio.gather(*tasks)
    assert "modest" in began


async def test_a_wider_bound_lets_those_who_wait_begin_and_a_narrower_one_ends_nobody() -> None:
    turns, began, release = Turns(1, 10), list[str](), asyncio.Event()
    tasks = [worker(turns, "a", began, release)() for _ in range(4)]
    await settle()
    turns.resize(3, 10)
    await settle()
    assert (len(began), turns.taken) == (3, 3)
    turns.resize(1, 10)
    await settle()
    assert turns.taken == 3
    release.set()
    await asyncio.gather(*tasks)
    assert turns.taken == 0


STEPS = st.lists(st.tuples(st.sampled_from(["take", "end", "cancel"]), st.integers(0, 4)), max_size=60)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_no_turn_is_ever_lost_or_made_up(steps: list[tuple[str, int]], capacity: int) -> None:
    """Whatever is asked for, ended or given up, in any order and also in one turn of the loop."""

    async def play() -> None:
        turns, running = Turns(capacity, 1000), Counter[str]()
        open_: list[tuple[asyncio.Task[None], asyncio.Event]] = []

        async def work(owner: str, release: asyncio.Event) -> None:
            turn = await turns.take(owner)
            running["now"] += 1
            assert running["now"] <= capacity
            try:
                await release.wait()
            finally:
                running["now"] -= 1
                turns.give(turn)

        for number, (step, which) in enumerate(steps):
            if step == "take":
                release = asyncio.Event()
                open_.append((asyncio.get_running_loop().create_task(work(str(which), release)), release))
            elif open_:
                task, release = open_.pop(which % len(open_))
                release.set() if step == "end" else task.cancel()
            if number % 3 == 0:
                await settle()
        for _, release in open_:
            release.set()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.gather(*(task for task, _ in open_)), 5)
        await settle()
        assert (turns.taken, turns.waiting) == (0, 0)

    uvloop.run(play())
