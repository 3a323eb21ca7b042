from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from agentd.observability.recent import FRESH_SECONDS, MOST_VALUES, Recent, quantile


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    recent = Recent(clock := Clock())
    recent.observe(900.0)
    clock.now += 50
    recent.observe(2.0)
    assert recent.snapshot() == {"count": 2, "seconds": 60.0, "p50": 2.0, "p99": 900.0, "max": 900.0}
    clock.now += 20
    assert recent.snapshot() == {"count": 1, "seconds": 60.0, "p50": 2.0, "p99": 2.0, "max": 2.0}
    clock.now += 60
    assert recent.snapshot() == {"count": 0, "seconds": 60.0, "p50": 0.0, "p99": 0.0, "max": 0.0}


def test_a_summary_holds_for_a_moment() -> None:
    recent = Recent(clock := Clock())
    recent.observe(1.0)
    first = recent.snapshot()
    recent.observe(5.0)
    assert recent.snapshot() is first
    clock.now += FRESH_SECONDS
    assert recent.snapshot()["max"] == 5.0


def test_under_load_the_window_says_how_short_it_is() -> None:
    recent = Recent(clock := Clock())
    for _ in range(3 * MOST_VALUES):
        recent.observe(1.0)
        clock.now += 0.001
    snapshot = recent.snapshot()
    assert snapshot["count"] == MOST_VALUES
    assert math.isclose(snapshot["seconds"], MOST_VALUES / 1000)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(min_value=0, max_value=1))
def test_a_quantile_is_a_value_that_so_many_lie_at_or_below(values: list[float], share: float) -> None:
    found = quantile(sorted(values), share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
