"""The way out of a connection: lines to one client, as fast as it takes them and not for longer than it may take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HIGH_WATER_BYTES = 64 * 1024
"""Unsent bytes above which no line is taken and no answer written, but for the one that passed the mark."""


class Outlet:
    """Writes while there is room. ``hold`` hears of every byte that waits; ``cut_off`` of a client that is too slow.

    The transport's limits are set here; its owner passes ``pause_writing`` and ``resume_writing`` on.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        timeout_seconds: float,
        hold: Callable[[int], None],
        cut_off: Callable[[], None],
    ) -> None:
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self.written = 0  # bytes since the start
        self.closing = False
        self._transport = transport
        self._timeout = timeout_seconds
        self._hold = hold
        self._cut_off = cut_off
        self._room = asyncio.Event()  # set while a line may be written, and for ever once the connection is lost
        self._room.set()
        self._timer: asyncio.TimerHandle | None = None  # armed while bytes must leave and do not
        self._unsent = 0  # bytes of the transport that are counted as held

    @property
    def has_room(self) -> bool:
        """Whether a line may be written now."""
        return self._room.is_set()

    async def send(self, line: bytes) -> None:
        """Write a line once the client took what went before; at most one line lies above the high-water mark."""
        if not self._room.is_set():
            self._hold(len(line))
            try:
                while not self._room.is_set():
                    await self._room.wait()
            finally:
                self._hold(-len(line))
        self.write(line)

    def offer(self, line: bytes) -> bool:
        """Write a line if there is room for it now."""
        if not self._room.is_set():
            return False
        self.write(line)
        return True

    def write(self, line: bytes) -> None:
        """Write a line now, whatever waits already."""
        if not self.closing:
            self.written += len(line)
            self._transport.write(line)

    def pause(self) -> None:
        """The client does not keep up: it has ``timeout_seconds`` from here on."""
        self._room.clear()
        self._count(self._transport.get_write_buffer_size())
        self._arm()

    def resume(self) -> None:
        """The client caught up."""
        self._count(0)
        self._room.set()
        if not self.closing:
            self._disarm()

    def close(self) -> None:
        """Close once what was written has left, but do not wait for that longer than for any other write."""
        self.closing = True
        self._arm()
        self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self.closing = True
        self._transport.abort()

    def lost(self) -> None:
        """The connection is gone: nobody need wait for it any more."""
        self.closing = True
        self._disarm()
        self._count(0)
        self._room.set()

    def _count(self, unsent: int) -> None:
        change, self._unsent = unsent - self._unsent, unsent
        if change:
            self._hold(change)

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._timeout, self._cut_off)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
