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


def seconds_left(work: list[tuple[int, float]]) -> float | None:
    """Time for pairs of (items left, items per second) done one after the other; None while a rate is not known."""
    total = 0.0
    for left, rate in work:
        if left and not rate:
            return None
        total += left / rate if left else 0.0
    return total
