from __future__ import annotations

import pytest

from agentd.indexing.progress import MAX_MARKS, RateMeter, Trail, seconds_left


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_that_of_the_window() -> None:
    clock = Clock()
    meter = RateMeter(clock, window=10)
    for _ in range(20):
        meter.add(5)
        clock.now += 1
    assert meter.rate() == pytest.approx(5, rel=0.2)
    assert meter.total == 100


def test_the_rate_falls_to_nothing_when_nothing_is_done() -> None:
    clock = Clock()
    meter = RateMeter(clock, window=10)
    meter.add(50)
    clock.now += 11
    assert meter.rate() == 0.0


@pytest.mark.parametrize(
    ("work", "expected"),
    [([(0, 0.0)], 0.0), ([(10, 5.0), (30, 10.0)], 5.0), ([(10, 0.0)], None), ([], 0.0)],
)
def test_the_time_left_is_unknown_only_while_a_rate_is(work: list[tuple[int, float]], expected: float | None) -> None:
    assert seconds_left(work) == expected


def test_what_is_not_caught_up_with_is_as_old_as_the_first_of_it() -> None:
    trail = Trail(clock := Clock())
    for value in (5, 5, 9):
        trail.note(value)
        clock.now += 10
    assert [trail.age(value) for value in (0, 5, 8, 9)] == [30, 10, 10, 0]
    trail.forget(5)
    trail.note(12)
    assert [trail.age(value) for value in (5, 9, 12)] == [10, 0, 0]


def test_a_trail_that_nobody_follows_stays_short() -> None:
    trail = Trail(clock := Clock())
    for value in range(1, 3 * MAX_MARKS):
        trail.note(value)
        clock.now += 1
    assert trail.age(0) == 3 * MAX_MARKS - 1
    trail.forget(3 * MAX_MARKS)
    assert trail.age(0) == 0
