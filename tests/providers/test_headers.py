from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.providers.headers import duration, retry_after, until_next

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 0.5 ", 0.5),
        ("Fri, 01 May 2026 12:01:30 GMT", 90),
        ("Fri, 01 May 2026 11:00:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("nan", 0),
        ("inf", 0),
        ("", 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


@given(st.text())
def test_no_header_breaks_us(value: str) -> None:
    assert retry_after({"retry-after": value}, NOW) >= 0
    assert duration(value) >= 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("6m0s", 360), ("1h2m3.5s", 3723.5), ("20ms", 0.02), ("s", 0), ("1x", 0)]
)
def test_durations_as_go_writes_them(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


def test_one_more_may_go_after_its_share_of_the_reset() -> None:
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
    }
    assert until_next(headers) == 1
    assert until_next(headers | {"x-ratelimit-remaining-requests": "1"}) == 0
    assert until_next({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "250ms"}) == 0.25
    assert until_next({}) == 0
