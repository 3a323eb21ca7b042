"""What happens to the index, for whoever listens."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

MAX_WAITING = 1024
"""Events held for a listener that is slow; beyond them the oldest are dropped, and the listener is told how many."""

Event = dict[str, object]


class Listener:
    """One listener's queue."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event] = asyncio.Queue(MAX_WAITING)
        self.dropped = 0  # since the listener was last told
        self.lost = 0  # in all

    def put(self, event: Event) -> None:
        """Queue an event, at the cost of the oldest where the queue is full."""
        if self.queue.full():
            self.queue.get_nowait()
            self.dropped += 1
            self.lost += 1
        self.queue.put_nowait(event)


class Events:
    """Broadcasts to any number of listeners; publishing never waits."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._lost = 0  # by listeners that are gone

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @property
    def lost(self) -> int:
        """Events that listeners were too slow for, since the start."""
        return self._lost + sum(listener.lost for listener in self._listeners)

    def publish(self, event: str, **fields: object) -> None:
        """Tell everyone."""
        message: Event = {"event": event, "at": time.time(), **fields}
        for listener in self._listeners:
            listener.put(message)

    async def listen(self) -> AsyncGenerator[Event, None]:
        """Events from now on; ``dropped`` names how many a slow listener missed before one."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            while True:
                event = await listener.queue.get()
                if listener.dropped:
                    event = {**event, "dropped": listener.dropped}
                    listener.dropped = 0
                yield event
        finally:
            self._listeners.discard(listener)
            self._lost += listener.lost
