from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.providers.rate import BURST_SECONDS, Limiter, Pace

if TYPE_CHECKING:
    from collections.abc import Callable

amounts = st.lists(st.tuples(st.integers(1, 500), st.floats(0, 5)), min_size=1, max_size=80)


@given(st.integers(1, 10_000), amounts)
def test_no_span_of_time_holds_more_than_its_share_and_a_burst(per_minute: int, asked: list[tuple[int, float]]) -> None:
    pace = Pace(per_minute)
    now = 0.0
    went: list[tuple[float, int]] = []
    for amount, later in asked:
        now += later
        now += pace.wait(now)
        pace.take(amount, now)
        went.append((now, amount))
    rate = per_minute / 60
    for at, (start, _) in enumerate(went):
        total = 0
        for end, amount in went[at:]:
            assert total <= (end - start + BURST_SECONDS) * rate * 1.0001 + 1e-6
            total += amount


@given(st.integers(1, 10_000), amounts)
def test_a_full_load_gets_its_whole_share(per_minute: int, asked: list[tuple[int, float]]) -> None:
    pace = Pace(per_minute)
    now = 0.0
    for amount, _ in asked:
        now += pace.wait(now)
        pace.take(amount, now)
    total = sum(amount for amount, _ in asked[:-1])
    assert now <= total * 60 / per_minute + 1e-6


def test_none_is_no_limit() -> None:
    pace = Pace(0)
    for _ in range(100):
        pace.take(1e9, 5.0)
        assert pace.wait(5.0) == 0


async def holding(limiter: Limiter, go: asyncio.Event, order: list[str], name: str, *, urgent: bool = False) -> None:
    async with limiter.turn(1, urgent=urgent):
        order.append(name)
        await go.wait()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  each turn of the loop may bring it
            await asyncio.sleep(0)


async def test_in_order_the_urgent_first_and_who_leaves_costs_nothing() -> None:
    limiter, go, order = Limiter(parallel=1), asyncio.Event(), list[str]()
    tasks = [asyncio.create_task(holding(limiter, go, order, name)) for name in ("first", "second", "leaves", "third")]
    await until(lambda: limiter.waiting == 3)
    tasks.append(asyncio.create_task(holding(limiter, go, order, "query", urgent=True)))
    await until(lambda: limiter.waiting == 4)
    tasks.pop(2).cancel()
    go.set()
    await asyncio.gather(*tasks)
    assert order == ["first", "query", "second", "third"]
    assert limiter.waiting == 0


async def test_cancelled_at_the_moment_of_its_turn_it_gives_the_turn_on() -> None:
    limiter, go, order = Limiter(parallel=1), asyncio.Event(), list[str]()
    first = asyncio.create_task(holding(limiter, go, order, "first"))
    await until(lambda: order)
    second = asyncio.create_task(holding(limiter, go, order, "second"))
    third = asyncio.create_task(holding(limiter, go, order, "third"))
    await until(lambda: limiter.waiting == 2)
    first.cancel()
    await until(lambda: limiter.waiting == 1)  # the turn is the second one's, which has not noticed yet
    second.cancel()
    go.set()
    await third
    assert order == ["first", "third"]


async def test_no_more_at_once_than_allowed_and_evenly() -> None:
    limiter = Limiter(parallel=3, requests_per_minute=60 * 100)
    open_now = most = 0

    async def one() -> None:
        nonlocal open_now, most
        async with limiter.turn(1):
            open_now += 1
            most = max(most, open_now)
            await asyncio.sleep(0)
            open_now -= 1

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(130)))
    took = time.monotonic() - began
    assert most <= 3
    assert took >= (130 - 100 * BURST_SECONDS - 1) / 100 * 0.95


@pytest.mark.parametrize("hold", ["pause", "tokens"])
async def test_a_server_that_asks_for_a_pause_gets_it(hold: str) -> None:
    limiter = Limiter(parallel=2, tokens_per_minute=6000)
    if hold == "pause":
        limiter.pause(0.2)
    else:
        limiter.correct(int(6000 / 60 * (BURST_SECONDS + 0.2)))
    began = time.monotonic()
    async with asyncio.timeout(5), limiter.turn(1):
        assert time.monotonic() - began >= 0.19
