"""From a request to the line that answers it: method, parameters, deadline, and every way it can end."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bind_contextvars

from agentd.errors import AgentdError, CancelledError, DeadlineError, ResponseTooLargeError
from agentd.server.handlers import METHOD_TABLE
from agentd.server.method import Context, Load
from agentd.server.turns import Turns
from agentd.server.validation import decode_params, unknown_method
from agentd.server.wire import encode_error, encode_result

if TYPE_CHECKING:
    from agentd.config.settings import ServerSettings
    from agentd.observability.metrics import Metrics
    from agentd.server.call import Call
    from agentd.server.method import Method
    from agentd.server.params import Params
    from agentd.server.services import Services
    from agentd.server.stats import ServerStats

log = structlog.get_logger(__name__)


HEAVY_SHARE = 8
"""One in so many of the requests that run at a time may be heavy; those have turns of their own, so that light ones do
not wait behind them. By default these are two, fewer than there are threads that search."""


class Dispatcher:
    """Answers calls: one serves every connection, and sees that they take turns."""

    def __init__(
        self,
        services: Services,
        stats: ServerStats,
        metrics: Metrics,
        settings: ServerSettings,
    ) -> None:
        self._services = services
        self._stats = stats
        self._max_response_bytes = settings.max_response_bytes
        self._turns = {load: Turns(*bounds, self._count_turns) for load, bounds in bounds_of(settings).items()}
        self._durations = {name: metrics.histogram("request_ms", method=name) for name in METHOD_TABLE}

    def reconfigure(self, settings: ServerSettings) -> None:
        """Take other bounds on what runs and waits; what does already is left to end."""
        for load, bounds in bounds_of(settings).items():
            self._turns[load].resize(*bounds)

    def find(self, name: str) -> Method:
        """The method of that name. Raises MethodNotFoundError."""
        method = METHOD_TABLE.get(name)
        if method is None:
            raise unknown_method(name, METHOD_TABLE)
        return method

    async def answer(self, call: Call, method: Method) -> bytes:
        """The encoded answer. Never raises: this is the outermost edge of a request."""
        started = perf_counter()
        bind_contextvars(request=call.name)  # of this task and of what it starts: every line that it causes has it
        try:
            line, outcome = await self._answer(call, method)
        except Exception:
            log.exception("request_failed", method=call.request.method, request=call.name)
            internal = AgentdError(f"internal error; the daemon's log has it as request {call.name}")
            line, outcome = encode_error(call.id, internal), internal.kind
        self._record(call, outcome, 1000 * (perf_counter() - started))
        return line

    async def _answer(self, call: Call, method: Method) -> tuple[bytes, str]:
        """The line and ``ok`` or the kind of its error. Raises what nobody foresaw."""
        try:
            return self._encode(call, await self._invoke(call, method)), "ok"
        except asyncio.CancelledError:
            verdict = call.verdict or CancelledError("the request was cancelled by the daemon")
            return encode_error(call.id, verdict), verdict.kind
        except AgentdError as error:
            # Answered here, and kept in no variable: with the traceback's hold on this frame it would be a cycle, and a
            # flood of bad requests would keep the garbage collector, and so the loop, busy.
            return encode_error(call.id, error), error.kind

    async def _invoke(self, call: Call, method: Method) -> object:
        if call.verdict is not None:
            raise asyncio.CancelledError
        params = decode_params(call.request.method, call.request.params, method.params)
        if params.deadline_ms is not None:
            call.deadline = call.received + params.deadline_ms / 1000
        context = Context(call, self._services, self._stats)
        if call.deadline is None or method.own_deadline:
            return await self._in_turn(method, context, params)
        return await self._invoke_until(call.deadline + method.grace_seconds, method, context, params)

    async def _in_turn(self, method: Method, context: Context, params: Params) -> object:
        """Handle the call when its connection has its turn. The answer is written after it, however slow the client."""
        turns = self._turns.get(Load.HEAVY if method.load is Load.LIGHT and params.heavy else method.load)
        if turns is None:
            return await method.handle(context, params)
        began = await turns.take(context.call.channel)
        try:
            return await method.handle(context, params)
        finally:
            turns.give(began)

    def _count_turns(self) -> None:
        self._stats.running = sum(turns.taken for turns in self._turns.values())
        self._stats.waiting = sum(turns.waiting for turns in self._turns.values())

    async def _invoke_until(self, deadline: float, method: Method, context: Context, params: Params) -> object:
        scope = asyncio.timeout_at(deadline)
        try:
            async with scope:
                return await self._in_turn(method, context, params)
        except TimeoutError:
            if not scope.expired():
                raise
        raise DeadlineError(f"nothing was ready within {params.deadline_ms} ms; allow more time, or ask for less")

    def _encode(self, call: Call, result: object) -> bytes:
        line = encode_result(call.id, result)
        if len(line) > self._max_response_bytes:
            message = f"the answer takes {len(line)} bytes, allowed are {self._max_response_bytes}; ask for less of it"
            raise ResponseTooLargeError(message, bytes=len(line), limit=self._max_response_bytes)
        return line

    def _record(self, call: Call, outcome: str, milliseconds: float) -> None:
        method = call.request.method
        self._stats.record(method, outcome, milliseconds)
        self._durations[method].observe(milliseconds)
        # The query never stands here: a log is read by more people than an index is.
        log.debug("request", method=method, ms=round(milliseconds, 3), outcome=outcome, request=call.name)


def bounds_of(settings: ServerSettings) -> dict[Load, tuple[int, int]]:
    """How many requests of each load may run and wait at a time."""
    return {
        Load.LIGHT: (settings.max_running, settings.max_waiting),
        Load.HEAVY: (max(1, settings.max_running // HEAVY_SHARE), settings.max_waiting),
    }
