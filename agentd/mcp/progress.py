"""What a client hears of a call that takes long: notifications of progress, where it asked for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Report = Callable[[float, float | None, str | None], Awaitable[None]]

PAUSE_SECONDS = 0.25
"""Between two notifications about text that grows; a model writes some fifty pieces a second."""
SHOWN = 500
"""Characters of the text so far, its end."""


class Progress:
    """Counts up, as MCP wants it, whatever there is to say. ``report`` takes the count, a total and a sentence."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._count = 0
        self._text = ""
        self._said_at = float("-inf")

    async def say(self, message: str) -> None:
        """Send a sentence."""
        self._count += 1
        await self._report(self._count, None, message)

    async def write(self, text: str) -> None:
        """Take the next piece of a text, and send how it ends now and then."""
        self._text += text
        if time.monotonic() - self._said_at >= PAUSE_SECONDS:
            self._said_at = time.monotonic()
            await self.say(self._text[-SHOWN:])

    async def void(self, reason: str) -> None:
        """All text so far is void."""
        self._text = ""
        await self.say(f"begun anew: {reason}")
