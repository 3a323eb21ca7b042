"""A number that only grows, and a way to wait until it has."""

from __future__ import annotations

import asyncio


class Clock:
    """Owned by the loop: ``advance`` and ``wait`` are called on it alone."""

    def __init__(self, value: int = 0) -> None:
        self.value = value
        self._moved = asyncio.Event()

    def advance(self, value: int) -> None:
        """Move to ``value`` and wake everyone who waits; an older value changes nothing."""
        if value <= self.value:
            return
        self.value = value
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def wait(self, after: int) -> int:
        """The value, as soon as it is over ``after``."""
        while self.value <= after:
            await self._moved.wait()
        return self.value
