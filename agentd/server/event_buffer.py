"""A bounded queue between a source of events, which never waits, and one client, which may."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class EventBuffer:
    """When full, the oldest event goes, is counted, and a ``dropped`` event stands in its place."""

    def __init__(self, length: int) -> None:
        self._events: deque[Mapping[str, object]] = deque()
        self._length = length
        self._dropped = 0
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, event: Mapping[str, object]) -> None:
        """Never waits."""
        if len(self._events) == self._length:
            self._events.popleft()
            self._dropped += 1
        self._events.append(event)
        self._changed.set()

    def close(self) -> None:
        """No event will follow; those that are queued are still handed out."""
        self._closed = True
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[Mapping[str, object]]:
        """Events in their order, until closed and empty."""
        while True:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                yield {"event": "dropped", "count": dropped}
            elif self._events:
                yield self._events.popleft()
            elif self._closed:
                return
            else:
                self._changed.clear()
                await self._changed.wait()
