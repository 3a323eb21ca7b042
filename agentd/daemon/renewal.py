"""The daemon goes on without an index that proved damaged: all that is open is closed, the file is set aside, and all
is opened again, in the same process and behind the same socket. Clients that come meanwhile wait in its backlog.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from agentd.storage.set_aside import SQLITE_COMPANIONS, set_aside

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agentd.daemon.bootstrap import Daemon
    from agentd.errors import StateDamagedError

log = structlog.get_logger(__name__)

ACCIDENT_SECONDS = 60.0
"""Damage once is an accident. A new index that is damaged so soon means that disk or memory cannot be trusted."""


HURRIED_DRAIN_SECONDS = 0.5
"""Running requests hold up a new index no longer than this."""


def hurry(daemon: Daemon) -> None:
    """Have the daemon end soon: its index is lost."""
    daemon.server.reconfigure(replace(daemon.settings.server, drain_seconds=HURRIED_DRAIN_SECONDS))


class Renewal:
    """Makes room for a new index, and remembers why."""

    def __init__(self, path: Path) -> None:
        self.lost = ""
        """What was wrong with the index that the one open now takes the place of."""
        self._path = path
        self._renewed_at = -ACCIDENT_SECONDS

    async def after(self, damage: StateDamagedError) -> None:
        """Set the index aside; everything that had it open is closed.

        Raises:
            StateDamagedError: the one before was set aside just now.
            StateUnusableError: it cannot be set aside.
        """
        now = time.monotonic()
        if now - self._renewed_at < ACCIDENT_SECONDS:
            raise damage
        self._renewed_at = now
        log.error("index_lost", error=damage.message)
        await asyncio.to_thread(set_aside, self._path, damage.message, SQLITE_COMPANIONS)
        self.lost = damage.message


@contextlib.asynccontextmanager
async def ending(
    stop: asyncio.Event, damage: asyncio.Future[StateDamagedError], listening: socket.socket
) -> AsyncIterator[asyncio.Event]:
    """An event that is set when the daemon is to ``stop``, or to go on without its index. Only in the first case is
    ``listening`` closed, so that clients who come while others are drained are refused, and do not wait in vain.
    """
    end = asyncio.Event()

    async def follow() -> None:
        await stop.wait()
        listening.close()
        end.set()

    following = asyncio.create_task(follow())
    damage.add_done_callback(lambda _: end.set())
    try:
        yield end
    finally:
        following.cancel()
