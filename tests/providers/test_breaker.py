from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.errors import ProviderAnswerError, ProviderError, ProviderRefusedError, ProviderUnavailableError
from agentd.providers.breaker import (
    FAILURES,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    LONGEST_WAIT_SECONDS,
    REFUSED_PAUSE_SECONDS,
    Breaker,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("box", clock)


def fail(breaker: Breaker, error: ProviderError | None = None) -> bool:
    """Whether the call was let through."""
    passed = False
    with pytest.raises(ProviderError), breaker.guard():  # noqa: PT012  both raise
        passed = True
        raise error or ProviderUnavailableError("down")
    return passed


def succeed(breaker: Breaker) -> None:
    with breaker.guard():
        pass


def test_it_is_left_alone_until_its_pause_is_over_and_its_last_failure_is_remembered(
    breaker: Breaker, clock: Clock
) -> None:
    seen = [breaker.left_alone]
    for _ in range(FAILURES):
        fail(breaker)
    seen.append(breaker.left_alone)
    clock.now += FIRST_PAUSE_SECONDS
    seen.append(breaker.left_alone)
    succeed(breaker)
    assert [*seen, breaker.left_alone] == [False, True, False, False]
    assert breaker.last_failure is not None
    assert breaker.last_failure[1] == "down"


def test_it_opens_after_failures_in_a_row_alone(breaker: Breaker) -> None:
    for _ in range(FAILURES - 1):
        fail(breaker)
    succeed(breaker)
    for _ in range(FAILURES - 1):
        fail(breaker, ProviderAnswerError("odd"))
    assert (breaker.state, breaker.reason) == ("ok", "odd")
    fail(breaker)
    assert (breaker.state, breaker.reason) == ("waiting", "down")
    with pytest.raises(ProviderUnavailableError, match="box is left alone for another 5 s: down"):
        succeed(breaker)


def test_pauses_grow_while_trials_fail_and_begin_anew_after_it_was_well_for_a_while(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(FAILURES):
        fail(breaker)
    pause = FIRST_PAUSE_SECONDS
    for _ in range(10):
        clock.now += pause - 0.1
        assert not fail(breaker)
        clock.now += 0.1
        assert fail(breaker)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    clock.now += pause
    succeed(breaker)
    assert breaker.state == "ok"
    assert breaker.reason == ""
    clock.now += pause
    for _ in range(FAILURES):
        assert fail(breaker)
    clock.now += FIRST_PAUSE_SECONDS
    succeed(breaker)


def test_who_succeeds_at_trials_alone_is_left_alone_for_longer_each_time(breaker: Breaker, clock: Clock) -> None:
    pause = FIRST_PAUSE_SECONDS
    for _ in range(10):
        for _ in range(FAILURES):
            assert fail(breaker)
        clock.now += pause - 0.1
        assert not fail(breaker)
        clock.now += 0.1
        succeed(breaker)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def test_one_trial_at_a_time_and_a_cancelled_one_makes_room(breaker: Breaker, clock: Clock) -> None:
    for _ in range(FAILURES):
        fail(breaker)
    clock.now += FIRST_PAUSE_SECONDS
    with pytest.raises(KeyboardInterrupt), breaker.guard():  # noqa: PT012  the trial is under way
        assert not fail(breaker)
        raise KeyboardInterrupt
    assert breaker.state == "waiting"
    succeed(breaker)


def test_who_refuses_is_left_alone_for_long_and_says_what_to_do(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, ProviderRefusedError("check the key", cause="key"))
    assert breaker.state == "refused"
    clock.now += REFUSED_PAUSE_SECONDS - 1
    with pytest.raises(ProviderRefusedError, match="check the key"):
        succeed(breaker)
    clock.now += 1
    succeed(breaker)


def test_one_bad_request_condemns_nobody(breaker: Breaker) -> None:
    fail(breaker, ProviderRefusedError("odd", cause="request"))
    assert breaker.state == "untried"
    succeed(breaker)


def test_a_text_that_is_too_long_says_nothing_about_the_server(breaker: Breaker) -> None:
    for _ in range(FAILURES + 1):
        assert fail(breaker, ProviderRefusedError("too long", cause="too_long"))
    assert breaker.state == "untried"


def test_what_cannot_come_by_waiting_is_not_waited_for(breaker: Breaker, clock: Clock) -> None:
    breaker.refuse("no key")
    clock.now += 1e9
    assert not fail(breaker)
    breaker.reset()
    succeed(breaker)


def test_a_server_is_left_alone_for_as_long_as_it_asks(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, ProviderUnavailableError("429", retry_after_seconds=100.0))
    clock.now += 99
    assert not fail(breaker)
    clock.now += 1
    assert fail(breaker, ProviderUnavailableError("429", retry_after_seconds=1e9))
    clock.now += LONGEST_WAIT_SECONDS
    succeed(breaker)


def attempt(breaker: Breaker, error: BaseException | None) -> bool:
    """Whether the call was let through."""
    passed = False
    with suppress(KeyboardInterrupt, ProviderError), breaker.guard():
        passed = True
        if error is not None:
            raise error
    return passed


@given(st.lists(st.tuples(st.sampled_from(["ok", "down", "refused", "cancelled"]), st.floats(0, 2000)), max_size=60))
def test_it_lets_nothing_through_while_it_is_open(steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    breaker = Breaker("box", clock)
    failures = 0
    earliest = 0.0
    for what, later in steps:
        clock.now += later
        error = {"down": ProviderUnavailableError("down"), "refused": ProviderRefusedError("no")}.get(what)
        passed = attempt(breaker, KeyboardInterrupt() if what == "cancelled" else error)
        assert passed == (clock.now >= earliest)
        if passed and what == "ok":
            failures, earliest = 0, 0.0
            assert breaker.state == "ok"
        elif passed and error is not None:
            failures += 1
            if what == "refused":
                earliest = clock.now + REFUSED_PAUSE_SECONDS
            elif failures >= FAILURES or earliest:
                earliest = breaker._until
                assert FIRST_PAUSE_SECONDS <= earliest - clock.now <= LONGEST_PAUSE_SECONDS
