"""When budgets give way and when they recover: properties of the pure policy."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.daemon.budgets import (
    EFFECT_SECONDS,
    FIRST_PATIENCE_SECONDS,
    LAST_PATIENCE_SECONDS,
    RELAXED,
    Standing,
    advance,
    pressure_of,
    pressure_of_free,
)

LAST = 4
pressures = st.floats(0, 3)
UNHURRIED = settings(deadline=None)  # the machine may be busy with other tests
looks = st.lists(st.tuples(st.floats(0.1, 30), pressures), max_size=80)


def standings(pressure: list[tuple[float, float]]) -> list[tuple[Standing, float, float]]:
    """(standing, time, pressure) after each look; looks are (seconds since the last, pressure)."""
    standing, now = Standing(), 0.0
    taken = [(standing, now, 0.0)]
    for seconds, value in pressure:
        now += seconds
        standing = advance(standing, value, LAST, now)
        taken.append((standing, now, value))
    return taken


@UNHURRIED
@given(looks)
def test_steps_are_taken_one_at_a_time_and_stay_within_bounds(pressure: list[tuple[float, float]]) -> None:
    for (before, _, _), (after, _, _) in pairwise(standings(pressure)):
        assert abs(after.step - before.step) <= 1
        assert 0 <= after.step <= LAST
        assert FIRST_PATIENCE_SECONDS <= after.patience <= LAST_PATIENCE_SECONDS


@UNHURRIED
@given(looks)
def test_more_is_given_up_only_over_the_limit_and_taken_back_only_well_below_it(
    pressure: list[tuple[float, float]],
) -> None:
    for (before, _, _), (after, _, value) in pairwise(standings(pressure)):
        if after.step > before.step:
            assert value > 1
        if after.step < before.step:
            assert value < RELAXED


@UNHURRIED
@given(looks)
def test_no_step_back_is_taken_before_the_budget_was_at_ease_for_its_patience(
    pressure: list[tuple[float, float]],
) -> None:
    uneasy = 0.0
    for (before, _, _), (after, now, value) in pairwise(standings(pressure)):
        if after.step < before.step:
            assert now - uneasy >= before.patience or now - before.since >= before.patience
        if value >= RELAXED:
            uneasy = now


@UNHURRIED
@given(looks, st.floats(1.01, 3))
def test_a_budget_that_stays_over_its_limit_comes_to_its_last_step(
    pressure: list[tuple[float, float]], over: float
) -> None:
    standing, now, _ = standings(pressure)[-1]
    for _ in range(LAST + 1):
        now += EFFECT_SECONDS + 0.1
        standing = advance(standing, over, LAST, now)
    assert standing.step == LAST


@UNHURRIED
@given(looks, st.floats(0, RELAXED - 0.01))
def test_a_budget_that_stays_at_ease_recovers_entirely(pressure: list[tuple[float, float]], eased: float) -> None:
    standing, now, _ = standings(pressure)[-1]
    for _ in range(2 * LAST):
        now += LAST_PATIENCE_SECONDS + 1
        standing = advance(standing, eased, LAST, now)
    assert standing.step == 0


def test_one_that_swings_around_its_limit_swings_ever_more_slowly() -> None:
    """Giving up the last step brings it under, taking it back brings it over: the worst that there is."""
    standing, now, changes = Standing(), 0.0, 0
    for _ in range(3600):
        now += 1.0
        before = standing.step
        standing = advance(standing, 0.5 if standing.step == LAST else 1.1, LAST, now)
        changes += standing.step == LAST and before < LAST
    assert standing.patience == LAST_PATIENCE_SECONDS
    assert changes <= 13  # 10, 20, 40 ... seconds apart; without patience it were 300


def test_pressure_is_over_one_exactly_where_the_budget_is_broken() -> None:
    assert pressure_of(101, 100) > 1 >= pressure_of(100, 100)
    assert pressure_of_free(99, 100) > 1 >= pressure_of_free(100, 100)
    assert pressure_of_free(0, 100) > 1
    assert pressure_of_free(0, 0) == 0
