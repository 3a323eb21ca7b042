"""One client: lines in, calls in flight, lines out, and the bounds on each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

import structlog

from agentd.errors import AgentdError, BusyError, CancelledError, InvalidRequestError, ParseError, ShuttingDownError
from agentd.server.call import Call
from agentd.server.framing import LineSplitter
from agentd.server.outlet import Outlet
from agentd.server.wire import Rejection, decode_request, encode_error

if TYPE_CHECKING:
    from agentd.config.settings import ServerSettings
    from agentd.server.buffers import Buffers
    from agentd.server.dispatch import Dispatcher
    from agentd.server.method import Method
    from agentd.server.pump import Pump
    from agentd.server.stats import ServerStats
    from agentd.server.wire import Request, RequestId

RETRY_AFTER_MILLISECONDS = 50
SHED_RETRY_MILLISECONDS = 1000

GONE = "the client went away"

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
        self,
        number: int,
        host: Host,
        dispatcher: Dispatcher,
        settings: ServerSettings,
        stats: ServerStats,
        buffers: Buffers,
        pump: Pump,
    ) -> None:
        self.number = number
        self._host = host
        self._dispatcher = dispatcher
        self._settings = settings
        self._stats = stats
        self._buffers = buffers
        self._pump = pump
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)  # there from connection_made on
        self._outlet: Outlet = cast("Outlet", None)  # the same
        self._lines = LineSplitter(settings.max_request_bytes)
        self._held_lines = 0  # bytes of _lines that are counted as held
        self._calls: dict[object, tuple[Call, Method]] = {}  # in flight, by id; notifications by themselves
        self._line_timer: asyncio.TimerHandle | None = None  # armed while a line was begun and has not ended
        self._admitted = False
        self._draining = False
        self._closing = False
        self._lost = False
        self._was_shed = False

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet nobody, refuse some."""
        self._transport = cast("asyncio.Transport", transport)
        self._outlet = Outlet(self._transport, self._settings.write_timeout_seconds, self._hold, self._cut_off)
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
            self._count_lines()
            if self._pump.ready(self):
                self._transport.pause_reading()  # there is enough to do with what was read

    def eof_received(self) -> None:
        """The client went away, and its work with it; half a line is nothing. The transport closes itself."""
        self._cancel_calls(CancelledError(GONE))
        self.close()

    def pause_writing(self) -> None:
        """The client does not keep up: stop reading it, and give it ``write_timeout_seconds`` to catch up."""
        self._transport.pause_reading()
        self._outlet.pause()

    def resume_writing(self) -> None:
        """The client caught up."""
        if self._lost:
            return
        self._outlet.resume()
        if not self._closing:
            self._pump.ready(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter: it is gone
        """Cancel what is left; whoever waits for room finds the connection gone."""
        self._lost = self._closing = True
        self._clear_lines()
        self._cancel_calls(CancelledError(GONE))
        self._outlet.lost()
        if self._admitted:
            log.debug("connection_closed", connection=self.number)
        self._forget_if_over()

    # --- lines in ---

    def take_line(self) -> bool:
        """Take the next line; False where there is none, or its time has not come. Called by the pump."""
        if self._closing or not self._outlet.has_room:
            return False
        try:
            line = self._lines.pop()
        except ParseError as error:
            self._give_up(error)
            return False
        if line is None:
            self._expect_more()
        else:
            self._disarm_line_timer()
            self._take(line)
        self._count_lines()
        return line is not None

    def _expect_more(self) -> None:
        """Read on. A line that was begun must end some day: its sender may forget it, and we would keep it for ever."""
        self._transport.resume_reading()
        if self._lines.buffered and self._line_timer is None:
            seconds = self._settings.line_timeout_seconds
            self._line_timer = asyncio.get_running_loop().call_later(seconds, self._line_too_slow, seconds)

    def _line_too_slow(self, seconds: float) -> None:
        self._stats.slow_lines += 1
        self._give_up(ParseError(f"a line was begun {seconds:g} s ago and has not ended; send each in one go"))

    def _disarm_line_timer(self) -> None:
        if self._line_timer is not None:
            self._line_timer.cancel()
            self._line_timer = None

    def _take(self, line: bytes) -> None:
        request = decode_request(line)
        if isinstance(request, Rejection):
            self._refuse(request.id, request.error)
            return
        call = Call(request, self, len(line))
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

    def _give_up(self, error: AgentdError) -> None:
        """The stream cannot be followed any further: say so and close."""
        self._refuse(None, error)
        self._cancel_calls(CancelledError(f"the connection was closed: {error.message}"))
        self.close()

    # --- calls ---

    def _start(self, call: Call, method: Method) -> None:
        key = call if call.id is None else call.id
        self._calls[key] = call, method
        self._stats.in_flight += 1
        self._hold(call.size)
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
            self._hold(-call.size)
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
        """Write a line once the client took what went before."""
        await self._outlet.send(line)
        self._count_written()

    def offer(self, line: bytes) -> bool:
        """Write a line if there is room for it now."""
        written = self._outlet.offer(line)
        self._count_written()
        return written

    def _write(self, line: bytes) -> None:
        self._outlet.write(line)
        self._count_written()

    def _count_written(self) -> None:
        self._stats.bytes_out += self._outlet.written
        self._outlet.written = 0

    # --- what it holds ---

    def _count_lines(self) -> None:
        change = self._lines.buffered - self._held_lines
        self._held_lines += change
        if change:
            self._hold(change)

    def _hold(self, size: int) -> None:
        if not self._was_shed:
            self._buffers.hold(self, size)
            self._stats.held_bytes = self._buffers.held

    def shed(self) -> None:
        """Give back at once what this client makes the daemon hold, which is more than any other does."""
        held = self._buffers.of(self)
        log.warning("client_shed", connection=self.number, held_bytes=held)
        self._buffers.hold(self, -held)
        self._was_shed = True
        self._stats.shed += 1
        message = "clients together make the daemon hold more than it may, and this one the most; ask for less at once"
        self._give_up(BusyError(message, retry_after_ms=SHED_RETRY_MILLISECONDS))
        if not self._outlet.has_room:
            self.abort()

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
            self._clear_lines()
            self._outlet.close()

    def abort(self) -> None:
        """Close now."""
        self._closing = True
        self._outlet.abort()

    def _clear_lines(self) -> None:
        self._pump.forget(self)
        self._disarm_line_timer()
        self._lines.clear()
        self._count_lines()

    def _cut_off(self) -> None:
        self._stats.aborted_slow += 1
        log.info("client_too_slow", connection=self.number, unsent_bytes=self._transport.get_write_buffer_size())
        self.abort()

    def _forget_if_over(self) -> None:
        if self._lost and not self._calls and self._admitted:
            self._admitted = False
            self._host.forget(self)
