"""What clients make the daemon hold for them, in bytes, and who is to go when it is too much."""

from __future__ import annotations

from typing import Protocol


class Holder(Protocol):
    """A client, as far as its memory goes."""

    def shed(self) -> None:
        """Give everything back at once."""
        ...


class Buffers:
    """Counts bytes by client. Whoever holds the most pays when all together hold more than ``limit``.

    That is never somebody with a small request: with as many clients as may connect, the largest holds at least its
    equal share of the limit.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._by: dict[Holder, int] = {}

    def hold(self, holder: Holder, size: int) -> None:
        """Count ``size`` bytes more for ``holder``; fewer where it is negative."""
        self.held += size
        now = self._by.get(holder, 0) + size
        if now:
            self._by[holder] = now
        else:
            self._by.pop(holder, None)
        if size > 0 and self.held > self.limit:
            self._relieve()

    def of(self, holder: Holder) -> int:
        """What ``holder`` holds."""
        return self._by.get(holder, 0)

    def _relieve(self) -> None:
        heaviest = max(self._by, key=self._by.__getitem__)
        heaviest.shed()
