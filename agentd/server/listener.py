"""The listening side: who gets in, how many, and how it ends."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import structlog

from agentd.errors import AgentdError, BusyError, PeerRefusedError
from agentd.observability.metrics import Metrics
from agentd.server.buffers import Buffers
from agentd.server.connection import RETRY_AFTER_MILLISECONDS, Connection
from agentd.server.dispatch import Dispatcher
from agentd.server.peer import Peer, is_own_or_root, peer_of
from agentd.server.pump import Pump
from agentd.server.stats import ServerStats

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from agentd.config.settings import ServerSettings
    from agentd.server.services import Services

NEWCOMER_SECONDS = 0.2
"""Before it drains: who was accepted just now gets to ask. A moment later it would have waited for the next daemon."""
FLUSH_SECONDS = 1.0
"""For the last answers to leave, after the calls were ended."""
MEBIBYTE = 1024 * 1024

log = structlog.get_logger(__name__)


class Server:
    """Serves one listening Unix socket."""

    def __init__(
        self,
        settings: ServerSettings,
        services: Services,
        *,
        peer_check: Callable[[Peer], bool] = is_own_or_root,
        metrics: Metrics | None = None,
    ) -> None:
        self.draining = False  # from when the last requests are waited for
        self._settings = settings
        self._peer_check = peer_check
        self._stats = ServerStats()
        self._dispatcher = Dispatcher(services, self._stats, metrics or Metrics(), settings)
        self._pump = Pump()
        self._buffers = Buffers(settings.max_buffered_megabytes * MEBIBYTE)
        self._numbers = count(1)
        self._connections: set[Connection] = set()
        self._accepted_at = float("-inf")  # when the last client came, by the loop's clock
        self._left_at = float("-inf")  # when the last client went, while there is none
        self._empty = asyncio.Event()  # set while there is no connection
        self._empty.set()

    def stats(self) -> ServerStats:
        """Live counts."""
        return self._stats

    def last_use(self, now: float) -> float:
        """When a client was connected last, by the loop's clock, which shows ``now``."""
        return now if self._connections else self._left_at

    def reconfigure(self, settings: ServerSettings) -> None:
        """Take other limits: connections from now on have them, and what is for all together counts at once."""
        self._settings = settings
        self._buffers.limit = settings.max_buffered_megabytes * MEBIBYTE
        self._dispatcher.reconfigure(settings)

    async def serve(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, then drain; ``listening`` is bound, and closed at the end.

        Draining: nothing new is accepted, running requests get ``drain_seconds``, those left then are answered
        ``shutting_down``, and every connection is closed. Cancel this coroutine to skip all of that.
        """
        loop = asyncio.get_running_loop()
        acceptor = await loop.create_unix_server(self._connect, sock=listening, backlog=self._settings.backlog)
        try:
            await stop.wait()
            acceptor.close()
            await asyncio.sleep(max(0.0, self._accepted_at + NEWCOMER_SECONDS - loop.time()))
            await self._drain()
        finally:
            acceptor.close()
            for connection in list(self._connections):
                connection.abort()

    def _connect(self) -> Connection:
        return Connection(
            next(self._numbers), self, self._dispatcher, self._settings, self._stats, self._buffers, self._pump
        )

    def admit(self, connection: Connection, transport: asyncio.Transport) -> AgentdError | None:
        """Let a client in, or say why not; the connection asks."""
        refusal = self._refusal(transport)
        if refusal is not None:
            self._stats.refused[refusal.kind] += 1
            return refusal
        self._connections.add(connection)
        self._empty.clear()
        self._stats.accepted += 1
        self._accepted_at = asyncio.get_running_loop().time()
        self._stats.connections = len(self._connections)
        return None

    def _refusal(self, transport: asyncio.Transport) -> AgentdError | None:
        if not self._peer_check(peer := peer_of(transport)):
            log.warning("peer_refused", uid=peer.uid, pid=peer.pid)
            return PeerRefusedError(
                f"this daemon serves the user that runs it and those in server.allowed_users, not user {peer.uid}"
            )
        if len(self._connections) >= self._settings.max_connections:
            message = f"{len(self._connections)} connections are open, which is the limit (server.max_connections)"
            return BusyError(message, retry_after_ms=RETRY_AFTER_MILLISECONDS)
        return None

    def forget(self, connection: Connection) -> None:
        """Nothing of the connection is left; it says so itself."""
        self._connections.discard(connection)
        self._stats.connections = len(self._connections)
        if not self._connections:
            self._left_at = asyncio.get_running_loop().time()
            self._empty.set()

    async def _drain(self) -> None:
        self.draining = True
        for connection in list(self._connections):
            connection.drain()
        if await self._emptied_within(self._settings.drain_seconds):
            return
        log.warning("drain_timed_out", in_flight=self._stats.in_flight, connections=len(self._connections))
        for connection in list(self._connections):
            connection.stop_calls()
        if await self._emptied_within(FLUSH_SECONDS):
            return
        for connection in list(self._connections):
            connection.abort()
        await self._emptied_within(FLUSH_SECONDS)  # calls that ignore their cancellation are left behind

    async def _emptied_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
