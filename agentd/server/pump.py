"""Which connection's line is taken next: a few in each turn of the loop, one connection after the other."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Protocol

LINES_PER_TURN = 8
"""Lines that are taken from all clients together before the loop turns to other things; a request costs its thread some
0.3 ms on the way."""


class Source(Protocol):
    """A connection, as far as its lines go."""

    def take_line(self) -> bool:
        """Take the next line; False where there is none for now."""
        ...


class Pump:
    """Takes lines at once while the turn has room for them. Beyond it sources wait, and take turns of a line each."""

    def __init__(self) -> None:
        self._left = LINES_PER_TURN  # of the present turn of the loop
        self._waiting: OrderedDict[Source, None] = OrderedDict()  # the next one first
        self._next: asyncio.Handle | None = None  # set while something was taken in this turn

    def ready(self, source: Source) -> bool:
        """Take what ``source`` has; True where it has to wait with some of it."""
        while not self._waiting and self._left:
            self._spend()
            if not source.take_line():
                return False
        self._waiting[source] = None
        self._schedule()
        return True

    def forget(self, source: Source) -> None:
        """Take nothing more of ``source``, until it is ready again."""
        self._waiting.pop(source, None)

    def _spend(self) -> None:
        self._left -= 1
        self._schedule()

    def _schedule(self) -> None:
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._begin_turn)

    def _begin_turn(self) -> None:
        self._next, self._left = None, LINES_PER_TURN
        while self._waiting and self._left:
            source, _ = self._waiting.popitem(last=False)
            self._spend()
            if source.take_line():
                self._waiting[source] = None
        if self._waiting:
            self._schedule()
