"""Ending by itself: a daemon that was started for somebody leaves when nobody has needed it for a while."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    LastUse = Callable[[float], float]

log = structlog.get_logger(__name__)


def seconds_left(now: float, last_uses: Iterable[float], limit: float) -> float:
    """How long until the last of ``last_uses`` is ``limit`` seconds ago, at the soonest: 0 when it is. Without a limit
    (0) that is never.
    """
    return max(0.0, limit - (now - max(last_uses))) if limit else math.inf


class IdleExit:
    """Waits until nobody needs the daemon any more.

    ``uses`` say when each was used last, by the loop's clock, given what it shows now: ``now`` itself while it is used.
    """

    def __init__(self, limit: float, *uses: LastUse) -> None:
        self.uses = list(uses)
        self._limit = limit
        self._changed = asyncio.Event()

    def reconfigure(self, limit: float) -> None:
        """Take another limit, in seconds; 0 is none."""
        self._limit = limit
        self._changed.set()

    async def wait(self) -> None:
        """Return when all uses are longer ago than the limit. The time before this counts as used.

        It wakes up when that could be so at the soonest, and no more often: what is used now puts it off by the limit.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        while left := seconds_left(now := loop.time(), (began, *(last(now) for last in self.uses)), self._limit):
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(left) else left):
                    await self._changed.wait()
        log.info("idle", seconds=self._limit)
