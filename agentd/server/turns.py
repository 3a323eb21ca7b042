"""Whose turn it is: a bound on what is worked on at once, shared fairly between those who ask."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from time import monotonic
from typing import TYPE_CHECKING

from agentd.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_MILLISECONDS = (50, 10_000)
"""Bounds of what a refused client is told to wait."""

SMOOTHING = 0.05
"""Weight of the newest turn in the mean of how long one takes: the last forty or so count."""


class Turns:
    """At most ``capacity`` turns are taken at a time; the others wait, each owner's in their order.

    Owners take turns too (round robin), so that one who asks for a hundred things delays one who asks for a single one
    by no more than a turn. ``most_waiting`` bounds all who wait, but an owner with none waiting may always have one:
    otherwise a few who ask for much could keep everybody else out.
    """

    def __init__(self, capacity: int, most_waiting: int, changed: Callable[[], None] = lambda: None) -> None:
        self.capacity = capacity
        self.most_waiting = most_waiting
        self.taken = 0
        self.waiting = 0
        self._queues: OrderedDict[object, deque[asyncio.Future[float]]] = OrderedDict()  # the next owner first
        self._mean_seconds = 0.0  # of a turn, smoothed
        self._changed = changed  # called when ``taken`` or ``waiting`` has

    async def take(self, owner: object) -> float:
        """Wait for a turn and return when it began; to be handed to ``give`` in any case.

        Raises:
            BusyError: too many wait; ``retry_after_ms`` says when there should be room.
        """
        if self.taken < self.capacity and not self._queues:
            self.taken += 1
            self._changed()
            return monotonic()
        queue = self._queues.get(owner)
        if queue and self.waiting >= self.most_waiting:
            raise self._busy()
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if queue is None:
            queue = self._queues[owner] = deque()
        queue.append(turn)
        self.waiting += 1
        self._changed()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._withdraw(owner, turn)
            else:  # it was handed the turn in the moment in which it was cancelled
                self.give(turn.result())
            raise

    def give(self, began: float) -> None:
        """End a turn that began at ``began``, and let the next one begin."""
        self._mean_seconds += SMOOTHING * (monotonic() - began - self._mean_seconds)
        self.taken -= 1
        self._hand_out()

    def resize(self, capacity: int, most_waiting: int) -> None:
        """Take other bounds; what runs or waits already is left to end."""
        self.capacity, self.most_waiting = capacity, most_waiting
        self._hand_out()

    def _hand_out(self) -> None:
        while self._queues and self.taken < self.capacity:
            owner, queue = next(iter(self._queues.items()))
            turn = queue.popleft()
            self.waiting -= 1
            if queue:
                self._queues.move_to_end(owner)
            else:
                del self._queues[owner]
            if not turn.done():  # else its task was cancelled, and has yet to see it
                self.taken += 1
                turn.set_result(monotonic())
        self._changed()

    def _withdraw(self, owner: object, turn: asyncio.Future[float]) -> None:
        queue = self._queues.get(owner)
        if queue is None or turn not in queue:
            return
        queue.remove(turn)
        self.waiting -= 1
        if not queue:
            del self._queues[owner]
        self._changed()

    def _busy(self) -> BusyError:
        least, most = RETRY_MILLISECONDS
        wait = round(min(max(1000 * self._mean_seconds * self.waiting / self.capacity, least), most))
        message = f"{self.waiting} requests wait for their turn already; try again in {wait} ms"
        return BusyError(message, retry_after_ms=wait)
