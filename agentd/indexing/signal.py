"""A wake-up call without a value."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Signal:
    """Wakes everyone who waits, each time it is given; it remembers nothing.

    Waiters check their condition first and wait only when it does not hold. On one loop nothing can come between the
    check and the wait, so no wake-up is lost.
    """

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None  # only while somebody waits: most calls find nobody

    def give(self) -> None:
        """Wake all who wait now."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self, within: float | None = None) -> bool:
        """Wait for the next call, at most ``within`` seconds; False when the time ran out."""
        try:
            async with asyncio.timeout(within):
                await self._next()
        except TimeoutError:
            return False
        return True

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; it is looked at again at each call."""
        while not condition():
            await self._next()

    async def _next(self) -> None:
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()
