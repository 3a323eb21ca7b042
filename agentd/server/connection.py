"""One client: lines in, calls in flight, lines out, and the bounds on each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

import structlog

from agentd.errors import AgentdError, BusyError, CancelledError, InvalidRequestError, ParseError, ShuttingDownError
from agentd.server.call import Call
from agentd.server.framing import LineSplitter
from agentd.server.wire import Rejection, decode_request, encode_error

if TYPE_CHECKING:
    from agentd.config.settings import ServerSettings
    from agentd.server.dispatch import Dispatcher
    from agentd.server.method import Method
    from agentd.server.stats import ServerStats
    from agentd.server.wire import Request, RequestId

LINES_PER_TURN = 16
"""Lines taken from one client before the loop turns to the others."""

HIGH_WATER_BYTES = 64 * 1024
"""Unsent bytes above which no line is taken and no answer written, but for the one that passed the mark."""

RETRY_AFTER_MILLISECONDS = 50

log = structlog.get_logger(__name__)


class Host(Protocol):
    """What a connection needs of the server."""

    def admit(self, connection: Connection, transport: asyncio.Transport) -> AgentdError | None:
        """Let the client in, or say why not."""
        ...

    def forget(self, connection: Connection) -> None:
        """Nothing of the connection is left."""
        ...


class Connection(asyncio.Protocol):
    """Reads while answers leave: a client that does not take its answers is not read, and after a time cut off."""

    def __init__(
        self, number: int, host: Host, dispatcher: Dispatcher, settings: ServerSettings, stats: ServerStats
    ) -> None:
        self.number = number
        self._host = host
        self._dispatcher = dispatcher
        self._settings = settings
        self._stats = stats
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)  # there from connection_made on
        self._lines = LineSplitter(settings.max_request_bytes)
        self._calls: dict[object, tuple[Call, Method]] = {}  # in flight, by id; notifications by themselves
        self._room = asyncio.Event()  # set while a line may be written, and for ever once the connection is lost
        self._room.set()
        self._turn: asyncio.Handle | None = None  # lines are waiting for the next turn of the loop
        self._cut_off: asyncio.TimerHandle | None = None  # armed while bytes must leave and do not
        self._admitted = False
        self._draining = False
        self._closing = False
        self._lost = False

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet nobody, refuse some."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        refusal = self._host.admit(self, self._transport)
        if refusal is not None:
            self._write(encode_error(None, refusal))
            self.close()
            return
        self._admitted = True
        log.debug("connection_opened", connection=self.number)

    def data_received(self, data: bytes) -> None:
        """Take what was read."""
        self._stats.bytes_in += len(data)
        if not self._closing:
            self._lines.feed(data)
            self._take_lines()

    def eof_received(self) -> None:
        """The client went away, and its work with it; half a line is nothing. The transport closes itself."""
        self._cancel_calls(CancelledError("the client went away"))
        self.close()

    def pause_writing(self) -> None:
        """The client does not keep up: stop reading it, and give it ``write_timeout_seconds`` to catch up."""
        self._room.clear()
        self._transport.pause_reading()
        self._arm_cut_off()

    def resume_writing(self) -> None:
        """The client caught up."""
        if self._lost:
            return
        self._room.set()
        if not self._closing:
            self._disarm_cut_off()
            self._take_lines()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter: it is gone
        """Cancel what is left; whoever waits for room finds the connection gone."""
        self._lost = self._closing = True
        self._disarm_cut_off()
        if self._turn is not None:
            self._turn.cancel()
        self._lines.clear()
        self._cancel_calls(CancelledError("the client went away"))
        self._room.set()
        if self._admitted:
            log.debug("connection_closed", connection=self.number)
        self._forget_if_over()

    # --- lines in ---

    def _take_lines(self) -> None:
        """Handle a few lines; leave the rest to the next turn, so that a flood of one is no wait for the others."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        for _ in range(LINES_PER_TURN):
            if self._closing or not self._room.is_set():
                return
            try:
                line = self._lines.pop()
            except ParseError as error:
                self._give_up(error)
                return
            if line is None:
                self._transport.resume_reading()
                return
            self._take(line)
        self._transport.pause_reading()
        self._turn = asyncio.get_running_loop().call_soon(self._take_lines)

    def _take(self, line: bytes) -> None:
        request = decode_request(line)
        if isinstance(request, Rejection):
            self._refuse(request.id, request.error)
            return
        call = Call(request, self)
        try:
            method = self._dispatcher.find(request.method)
            self._check_admissible(request, method)
        except AgentdError as error:
            self._refuse(call.id, error, answered=call.id is not None)
            return
        self._start(call, method)

    def _check_admissible(self, request: Request, method: Method) -> None:
        if self._draining:
            raise ShuttingDownError("the daemon is shutting down; connect again once it is back")
        if request.id in self._calls:
            raise InvalidRequestError(f"id {request.id!r} is in flight already; give each open request its own")
        if len(self._calls) >= self._settings.max_in_flight and not method.unlimited:
            message = f"{len(self._calls)} requests are in flight on this connection; wait for one to end"
            raise BusyError(message, retry_after_ms=RETRY_AFTER_MILLISECONDS)

    def _refuse(self, request_id: RequestId | None, error: AgentdError, *, answered: bool = True) -> None:
        self._stats.errors[error.kind] += 1
        if answered:
            self._write(encode_error(request_id, error))

    def _give_up(self, error: ParseError) -> None:
        """The stream cannot be followed any further: say so and close."""
        self._refuse(None, error)
        self._cancel_calls(CancelledError("the connection was closed after a line that was too long"))
        self.close()

    # --- calls ---

    def _start(self, call: Call, method: Method) -> None:
        key = call if call.id is None else call.id
        self._calls[key] = call, method
        self._stats.in_flight += 1
        call.task = asyncio.get_running_loop().create_task(self._run(key, call, method))

    async def _run(self, key: object, call: Call, method: Method) -> None:
        call.started = True
        try:
            line = await self._dispatcher.answer(call, method)
            call.finished = True
            if call.id is not None:
                await self.send(line)
        finally:
            del self._calls[key]
            self._stats.in_flight -= 1
            if self._draining and not self._calls:
                self.close()
            self._forget_if_over()

    def cancel(self, request_id: RequestId, by: Call) -> bool:
        """End another request; ``by`` cannot end itself, for it would never answer."""
        found = self._calls.get(request_id)
        if found is None or found[0] is by:
            return False
        return found[0].cancel(CancelledError("cancelled by the client"))

    def _cancel_calls(self, verdict: AgentdError, *, endless_only: bool = False) -> None:
        for call, method in list(self._calls.values()):
            if method.endless or not endless_only:
                call.cancel(verdict)

    # --- lines out ---

    async def send(self, line: bytes) -> None:
        """Write a line once the client took what went before; at most one line lies above the high-water mark."""
        while not self._room.is_set():
            await self._room.wait()
        self._write(line)

    def offer(self, line: bytes) -> bool:
        """Write a line if there is room for it now."""
        if not self._room.is_set():
            return False
        self._write(line)
        return True

    def _write(self, line: bytes) -> None:
        if not self._closing:
            self._stats.bytes_out += len(line)
            self._transport.write(line)

    # --- the end ---

    def drain(self) -> None:
        """Take nothing new, end what never ends, and close after the last answer."""
        self._draining = True
        self._cancel_calls(ShuttingDownError("the daemon is shutting down"), endless_only=True)
        if not self._calls:
            self.close()

    def stop_calls(self) -> None:
        """End every call; each still gets its answer."""
        self._cancel_calls(ShuttingDownError("the daemon is shutting down and this took too long"))

    def close(self) -> None:
        """Close once what was written has left, but do not wait for that longer than for any other write."""
        if not self._closing:
            self._closing = True
            self._lines.clear()
            self._arm_cut_off()
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._closing = True
        self._transport.abort()

    def _arm_cut_off(self) -> None:
        if self._cut_off is None:
            loop = asyncio.get_running_loop()
            self._cut_off = loop.call_later(self._settings.write_timeout_seconds, self._cut_off_slow_client)

    def _disarm_cut_off(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None

    def _cut_off_slow_client(self) -> None:
        self._stats.aborted_slow += 1
        log.info("client_too_slow", connection=self.number, unsent_bytes=self._transport.get_write_buffer_size())
        self.abort()

    def _forget_if_over(self) -> None:
        if self._lost and not self._calls and self._admitted:
            self._admitted = False
            self._host.forget(self)
