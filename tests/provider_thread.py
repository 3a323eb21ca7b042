"""Scripted servers with a loop in a thread of their own, for daemons that are processes; and addresses at which nobody
speaks HTTP.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from provider_harness import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

UNTRUSTED = Path(__file__).with_name("untrusted.pem")
"""A certificate for localhost that signs itself, and its key."""


class Servers:
    """``scripted`` answers by its script. At the other addresses connections fail in a way of their own."""

    def __init__(self, nobody: socket.socket) -> None:
        self.scripted = ScriptedServer()
        self.refused = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        self.plain = ""
        """``https``, where a server of plain HTTP listens."""
        self.untrusted = ""
        """``https``, with UNTRUSTED."""

    async def listen(self) -> list[asyncio.Server]:
        """Begin to serve."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(UNTRUSTED)
        listeners = [
            await asyncio.start_server(self.scripted.serve, "127.0.0.1", 0),
            await asyncio.start_server(no_tls, "127.0.0.1", 0),
            await asyncio.start_server(self.scripted.serve, "127.0.0.1", 0, ssl=context),
        ]
        ports = [listener.sockets[0].getsockname()[1] for listener in listeners]
        self.scripted.url = f"http://127.0.0.1:{ports[0]}"
        self.plain, self.untrusted = (f"https://127.0.0.1:{port}" for port in ports[1:])
        return listeners


async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What servers of HTTP say to the beginning of TLS."""
    with suppress(ConnectionError):
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        await writer.drain()
    writer.close()


@contextmanager
def servers() -> Iterator[Servers]:
    """On free ports of loopback, until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    with closing(loop), socket.socket() as nobody:  # bound, and not listening: nobody else can take the port meanwhile
        nobody.bind(("127.0.0.1", 0))
        served = Servers(nobody)
        listeners = loop.run_until_complete(served.listen())
        thread.start()
        try:
            yield served
        finally:
            asyncio.run_coroutine_threadsafe(stop(served, listeners), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


async def stop(served: Servers, listeners: list[asyncio.Server]) -> None:
    """Let go of what hangs, and end what still runs."""
    served.scripted.let_go.set()
    for listener in listeners:
        listener.close()
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=5)
