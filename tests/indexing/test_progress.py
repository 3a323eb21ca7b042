from __future__ import annotations

import pytest

from agentd.indexing.progress import RateMeter, seconds_left


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
