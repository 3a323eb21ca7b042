"""The daemon's end of one worker process: bytes to messages, and the certainty that it is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, cast

import msgspec
import structlog

from agentd.compute.frames import FrameSplitter
from agentd.compute.messages import FromWorker
from agentd.errors import ComputeError

if TYPE_CHECKING:
    import socket
    from typing import Protocol

    from agentd.compute.spawn import Spawned

    class Listener(Protocol):
        """Who holds the link."""

        def received(self, message: FromWorker, size: int) -> None:
            """A message of ``size`` bytes has come."""

        def gone(self) -> None:
            """The process has ended, was reaped, and all that it wrote was received. Called once, last of all."""


log = structlog.get_logger(__name__)


class Link(asyncio.Protocol):
    """A running worker process. It is gone when the socket has ended *and* the process was reaped, in either order."""

    def __init__(self, spawned: Spawned, listener: Listener) -> None:
        self._loop = asyncio.get_running_loop()
        self._popen = spawned.popen
        self._pidfd = spawned.pidfd
        self._listener = listener
        self._splitter = FrameSplitter()
        self._decoder: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
        self._transport: asyncio.Transport
        self._hung_up = False
        self._reaped = False

    async def connect(self, connection: socket.socket) -> None:
        """Take over the daemon's end of the socket, and watch for the end of the process."""
        await self._loop.create_unix_connection(lambda: self, sock=connection)
        self._loop.add_reader(self._pidfd, self._reap)

    @property
    def pid(self) -> int:
        """Process id; another process may have it once this one is gone."""
        return self._popen.pid

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        status = self._popen.returncode
        if status is None:
            return "runs"
        return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    def send(self, data: bytes) -> None:
        """Write a frame. To a worker that is ending it is lost, and ``gone`` follows."""
        if not self._hung_up:
            self._transport.write(data)

    def pause(self) -> None:
        """Stop reading: the worker blocks in its write once the socket's buffer is full."""
        if not self._hung_up:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if not self._hung_up:
            self._transport.resume_reading()

    def close(self) -> None:
        """Hang up: the worker leaves, even from inside a task."""
        self._transport.close()

    def kill(self) -> None:
        """SIGKILL. The pidfd cannot hit a stranger who was given the same pid."""
        if not self._reaped:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        try:
            for payload in self._splitter.feed(data):
                self._listener.received(self._decoder.decode(payload), len(payload))
        except (ComputeError, msgspec.DecodeError) as error:
            log.error("compute.garbled", pid=self.pid, error=str(error))  # the message says it all
            self.kill()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Called by the loop, after the last data_received."""
        self._hung_up = True
        self._settle()

    def _reap(self) -> None:
        """The pidfd turned readable: the process is dead, so this wait returns at once."""
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._popen.wait()
        self._reaped = True
        self.resume()  # to see the end of a stream that was paused
        self._settle()

    def _settle(self) -> None:
        if self._hung_up and not self._reaped:
            self.kill()  # it closed its socket, so it can do nothing more for us
        elif self._hung_up:
            self._listener.gone()
