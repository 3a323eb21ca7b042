"""How fast and how much at a time one server is asked: requests open at once, requests and tokens a minute.

Whoever waits is served in order, what a person waits for first. Nobody polls: one timer stands for the first in line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

BURST_SECONDS = 0.5
"""Half a second's worth may go at once: it makes up for moments in which nobody asked. More would, with what follows
evenly, be over the limit of servers that count by the second."""


class Pace:
    """At most ``per_minute`` units, evenly; 0 is any number.

    The generic cell rate algorithm (ITU-T I.371, annex A): a bucket that needs no timer. One unit that is larger than
    the burst goes as soon as the bucket is full, and those after it wait the longer.
    """

    def __init__(self, per_minute: int) -> None:
        self._seconds_each = 60 / per_minute if per_minute else 0.0
        self._due = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until the next may go."""
        return max(0.0, self._due - BURST_SECONDS - now)

    def take(self, amount: float, now: float) -> None:
        """Note that ``amount`` units went. A negative amount gives back what was taken too much."""
        self._due = max(self._due, now) + amount * self._seconds_each


class _Waiter(NamedTuple):
    tokens: int
    turn: asyncio.Future[None]


class Limiter:
    """The limits of one server, for all that use it. Lives on one loop."""

    def __init__(self, parallel: int, requests_per_minute: int = 0, tokens_per_minute: int = 0) -> None:
        self._parallel = parallel
        self._requests = Pace(requests_per_minute)
        self._tokens = Pace(tokens_per_minute)
        self._paused_until = float("-inf")
        self._open = 0
        self._urgent: deque[_Waiter] = deque()
        self._patient: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._urgent) + len(self._patient)

    @asynccontextmanager
    async def turn(self, tokens: int, *, urgent: bool = False) -> AsyncGenerator[None]:
        """Wait until a request of ``tokens`` may be sent, and hold its place while it is open."""
        waiter = _Waiter(tokens, asyncio.get_running_loop().create_future())
        queue = self._urgent if urgent else self._patient
        queue.append(waiter)
        self._serve()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                queue.remove(waiter)
            else:  # cancelled in the very moment in which its turn came
                self._open -= 1
            self._serve()
            raise
        try:
            yield
        finally:
            self._open -= 1
            self._serve()

    def pause(self, seconds: float) -> None:
        """Send nothing for so long, because the server asked for it."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)

    def correct(self, tokens: int) -> None:
        """The server counted so many tokens more than were estimated, or fewer."""
        self._tokens.take(tokens, asyncio.get_running_loop().time())

    def _serve(self) -> None:
        """Let go whoever may go now; set the timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._open < self._parallel and (queue := self._urgent or self._patient):
            now = loop.time()
            wait = max(self._requests.wait(now), self._tokens.wait(now), self._paused_until - now)
            if wait > 0:
                self._timer = loop.call_later(wait, self._serve)
                return
            waiter = queue.popleft()
            self._requests.take(1, now)
            self._tokens.take(waiter.tokens, now)
            self._open += 1
            waiter.turn.set_result(None)
