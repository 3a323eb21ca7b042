"""What happened in the last minute: a histogram since the start would not show that it is slow *now*."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 60.0
MOST_VALUES = 256
"""Under load the window is shorter than a minute: the last few hundred say as much."""
FRESH_SECONDS = 0.5
"""A summary sorts them, so that one who asks without end gets the same one for a while."""


class Recent:
    """The latest values, and the time of each."""

    __slots__ = ("_clock", "_summary", "_times", "_until", "_values")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MOST_VALUES)
        self._values: deque[float] = deque(maxlen=MOST_VALUES)
        self._summary: dict[str, float] = {}
        self._until = -math.inf  # the summary holds until then

    def observe(self, value: float) -> None:
        """Take in a value."""
        self._times.append(self._clock())
        self._values.append(value)

    def snapshot(self) -> dict[str, float]:
        """JSON values: ``count``, quantiles and ``max`` over the last ``seconds``, all 0 where nothing happened."""
        now = self._clock()
        if now >= self._until:
            self._summary, self._until = self._summarise(now), now + FRESH_SECONDS
        return self._summary

    def _summarise(self, now: float) -> dict[str, float]:
        while self._times and self._times[0] < now - WINDOW_SECONDS:
            self._times.popleft()
            self._values.popleft()
        ordered = sorted(self._values)
        full = len(ordered) == MOST_VALUES
        return {
            "count": len(ordered),
            "seconds": round(now - self._times[0], 3) if full else WINDOW_SECONDS,
            "p50": quantile(ordered, 0.50),
            "p99": quantile(ordered, 0.99),
            "max": ordered[-1] if ordered else 0.0,
        }


def quantile(ordered: list[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of ``ordered`` lie at or below; 0.0 where there is none.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5), quantile([], 0.5)
    (2.0, 0.0)
    """
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
