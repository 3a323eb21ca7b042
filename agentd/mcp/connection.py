"""The way to the daemon: one connection for all calls, made when it is needed and anew when it was lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agentd import __version__
from agentd.aclient import AsyncClient
from agentd.protocol import PROTOCOL_VERSION
from agentd.wire import AgentdClientError, ConnectionLostError, NoDaemonError, refuse_other_protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentd.mcp.starting import Starter
    from agentd.protocol import Event

START_SECONDS = 60.0
"""How long a daemon may take until it answers; one that opens a large index on a slow disk needs some."""
LOOK_SECONDS = 0.02
"""Between two looks whether it answers: no event tells that a socket was made."""
BUSY_RETRIES = 5


class Daemon:
    """The daemon behind ``socket_path``, which ``starter``, where there is one, starts when nobody answers."""

    def __init__(self, socket_path: str, starter: Starter | None = None) -> None:
        self.socket_path = socket_path
        self._starter = starter
        self._client: AsyncClient | None = None
        self._opening: asyncio.Task[AsyncClient] | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._client is not None and self._client.connected

    def prepare(self) -> None:
        """Connect in the background, so that the first call need not wait as long; it hears of what goes wrong."""
        self._begin()

    async def call(
        self, method: str, params: dict[str, Any], hear: Callable[[Event], Awaitable[None]] | None = None
    ) -> Any:
        """Call ``method``, have ``hear`` take its events, and return its result.

        A call that was not to hear events only reads: it is made once more where the daemon went meanwhile.

        Raises:
            AgentdClientError: what the daemon or the connection says.
        """
        if hear is not None:
            return await self._streamed(method, params, hear)
        try:
            return await (await self.client()).request(method, **params)
        except AgentdClientError as error:
            if not (isinstance(error, ConnectionLostError) or error.kind == "shutting_down"):
                raise
        await self._leave()
        return await (await self.client()).request(method, **params)

    async def _streamed(self, method: str, params: dict[str, Any], hear: Callable[[Event], Awaitable[None]]) -> Any:
        client = await self.client()
        stream = client.stream(method, **params)
        try:
            async for event in stream:
                await hear(event)
        except BaseException:
            client.cancel(stream.id)
            raise
        return stream.result

    async def client(self) -> AsyncClient:
        """The connection. All who wait for it wait for the same one; who stops waiting leaves it to the others.

        Raises:
            AgentdClientError: ``no_daemon``, ``cannot_start``, ``protocol_mismatch``, or why it cannot be connected to.
        """
        if self._client is not None and self._client.connected:
            return self._client
        return await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[AsyncClient]:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        return self._opening

    def _opened(self, opening: asyncio.Task[AsyncClient]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._client = opening.result()

    async def _open(self) -> AsyncClient:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        await self._leave()
        if self._starter is not None:
            self._starter.begin()
        while True:
            try:
                return await self._greeted()
            except (NoDaemonError, ConnectionLostError) as error:  # lost: it was about to end
                if self._starter is None:
                    raise
                if asyncio.get_running_loop().time() > deadline:
                    raise AgentdClientError(error.kind, f"{error.message} {self._starter.last_words()}") from None
            self._starter.see_to_it()
            await asyncio.sleep(LOOK_SECONDS)

    async def _greeted(self) -> AsyncClient:
        client = await AsyncClient(self.socket_path, retries=BUSY_RETRIES).__aenter__()
        try:
            hello = await client.hello(client="agentctl mcp", version=__version__, protocol=PROTOCOL_VERSION)
            refuse_other_protocol(hello)
        except BaseException:
            await client.__aexit__(None, None, None)
            raise
        return client

    async def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.__aexit__(None, None, None)
