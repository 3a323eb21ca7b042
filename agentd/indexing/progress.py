"""Rates and the time left, from counts of what was done in the last seconds."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 10.0
MAX_MARKS = 512
"""Older marks are joined when there are more: the rate gets coarser, never wrong."""


class RateMeter:
    """How many a second, over a sliding window."""

    def __init__(self, clock: Callable[[], float], window: float = WINDOW_SECONDS) -> None:
        self._clock = clock
        self._window = window
        self._marks: deque[tuple[float, int]] = deque(maxlen=MAX_MARKS)
        self.total = 0

    def add(self, count: int) -> None:
        """Note that ``count`` more were done just now."""
        self.total += count
        self._marks.append((self._clock(), count))

    def rate(self) -> float:
        """Per second; 0 when nothing was done within the window."""
        now = self._clock()
        while self._marks and self._marks[0][0] < now - self._window:
            self._marks.popleft()
        if not self._marks:
            return 0.0
        done = sum(count for _, count in self._marks)
        return done / max(now - self._marks[0][0], 1.0)


class Trail:
    """When a number that only grows was seen at which value: how old is what somebody has not caught up with?"""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._marks: deque[tuple[int, float]] = deque()
        self._seen = 0

    def note(self, value: int) -> None:
        """The number is at ``value`` now. Past MAX_MARKS the newest marks are left out: ages are exact, or too low."""
        if value > self._seen and len(self._marks) < MAX_MARKS:
            self._marks.append((value, self._clock()))
            self._seen = value

    def forget(self, value: int) -> None:
        """Everything up to ``value`` has been caught up with."""
        while self._marks and self._marks[0][0] <= value:
            self._marks.popleft()

    def age(self, value: int) -> float:
        """Seconds since the number was first seen over ``value``; 0.0 where it was not."""
        return next((self._clock() - at for known, at in self._marks if known > value), 0.0)


def seconds_left(work: list[tuple[int, float]]) -> float | None:
    """Time for pairs of (items left, items per second) done one after the other; None while a rate is not known."""
    total = 0.0
    for left, rate in work:
        if left and not rate:
            return None
        total += left / rate if left else 0.0
    return total
