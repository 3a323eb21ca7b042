"""How we talk to a server: one HTTP client for all, and of each server its limits, its retries and its failures.

What goes wrong is one ProviderError that says who, what and what to do. Neither what was sent nor the key is in it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Literal, TypeVar

import httpx
import structlog
from msgspec import Struct

from agentd.errors import ProviderError, ProviderUnavailableError
from agentd.providers import failures
from agentd.providers.breaker import asked_to_wait
from agentd.providers.contracts import Outgoing
from agentd.providers.headers import until_next
from agentd.providers.said import said

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from agentd.config.settings import ProviderSettings
    from agentd.observability.metrics import Metrics
    from agentd.providers.gate import Gate
    from agentd.providers.rate import Limiter

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""2,048 vectors of 1,536 numbers in base64 have 17 MB, written out 60 MB."""
MAX_ERROR_BYTES = 64 * 1024
WHOLE_TIMES = 4
"""Times its silence limit that a server has for a whole answer which is not streamed."""
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 8.0
LONGEST_WAIT_SECONDS = 30.0
"""That a request waits because the server asked for it. If it asks for more, only the circuit breaker waits."""
LONGEST_PAUSE_SECONDS = 60.0
"""That the headers about limits can hold everybody back; they speak of minutes."""

Form = Literal["json", "event-stream", "ndjson"]


class Call(Struct, frozen=True):
    """A request to POST. ``sent`` are the texts in ``body``, ``tokens`` how many that may be; ``urgent`` goes first,
    and without ``patient`` it is not tried again.
    """

    path: str
    body: bytes
    model: str
    outgoing: Outgoing
    sent: tuple[str, ...]
    tokens: int
    form: Form = "json"
    urgent: bool = False
    patient: bool = True


def make_client(certificates: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """The client that all share.

    The environment is not asked: a proxy named there would see what the gate let go to one address only, and a netrc
    would add passwords. Certificates are trusted as the system does, unless ``certificates`` say otherwise. Redirects
    are not followed, for the gate knows nothing of where they lead, and no answer is compressed, so that its size is
    known as it comes. Its own line for each request is left out: the gate writes one for what leaves.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        verify=certificates or ssl.create_default_context(),
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30),
        headers={"User-Agent": "agentd", "Accept-Encoding": "identity"},
    )


class Server:
    """One server of the configuration: every request to it goes through here, and through the gate's books."""

    def __init__(
        self,
        settings: ProviderSettings,
        key: str,
        client: httpx.AsyncClient,
        limiter: Limiter,
        gate: Gate,
        metrics: Metrics,
        random: Random | None = None,
    ) -> None:
        self.settings = settings
        self.limiter = limiter
        self.gate = gate
        self.counts: Counter[str] = Counter()
        """For ``status``: requests, retries, failures, tokens, truncated."""
        self._key = key
        self._client = client
        self._metrics = metrics
        self._random = random or Random()  # noqa: S311  jitter is no secret
        self._timeout = httpx.Timeout(settings.timeout_seconds, connect=settings.connect_seconds, pool=None)

    @property
    def name(self) -> str:
        """As chains call it."""
        return self.settings.name

    async def post(self, call: Call) -> bytes:
        """The whole answer.

        Raises:
            ProviderError: there is none.
        """
        return await self._retrying(call, lambda: self._whole(call))

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The answer as it comes. It is tried again only as long as nothing of it was handed out.

        Raises:
            ProviderError: there is none, or it breaks off.
        """
        async with AsyncExitStack() as stack:
            response = await self._retrying(call, lambda: stack.enter_async_context(self._answer(call)))
            yield await stack.enter_async_context(aclosing(self._pieces(response)))

    async def _retrying(self, call: Call, attempt: Callable[[], Awaitable[Result]]) -> Result:
        retries = self.settings.retries if call.patient else 0
        for tried in range(retries + 1):
            try:
                return await attempt()
            except ProviderUnavailableError as error:
                wait = self._wait(error, tried)
                if tried == retries or wait is None:
                    raise
                self.counts["retries"] += 1
                await asyncio.sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    def _wait(self, error: ProviderError, tried: int) -> float | None:
        """Seconds until the next try, None for no other. Jitter parts those that failed together."""
        if error.details.get("cause") not in failures.RETRIED:
            return None
        asked = asked_to_wait(error)
        if asked > LONGEST_WAIT_SECONDS:
            return None
        backoff = min(FIRST_BACKOFF_SECONDS * 2.0**tried, LONGEST_BACKOFF_SECONDS)
        jitter = self._random.uniform(0.5, 1.0)
        return max(asked, backoff * jitter)

    async def _whole(self, call: Call) -> bytes:
        async with self._answer(call) as response, self._patience():
            return b"".join([piece async for piece in self._pieces(response)])

    @asynccontextmanager
    async def _patience(self) -> AsyncGenerator[None]:
        """Ends what drips: a byte now and then is no silence."""
        seconds = WHOLE_TIMES * self.settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise failures.silent(self.settings, seconds) from error

    async def _pieces(self, response: httpx.Response) -> AsyncGenerator[bytes]:
        size = 0
        async for piece in response.aiter_raw():
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise failures.bad_answer(self.settings, f"more than {MAX_ANSWER_BYTES} bytes")
            yield piece

    @asynccontextmanager
    async def _answer(self, call: Call) -> AsyncGenerator[httpx.Response]:
        """An answer with status 200 and the right type, not read yet. What breaks while it is read is told here too."""
        async with self.limiter.turn(call.tokens, urgent=call.urgent):
            began = perf_counter()
            outcome = "cancelled"
            try:
                async with self._patience():
                    response = await self._send(call)
                try:
                    async with self._patience():
                        await self._check(call, response)
                    yield response
                finally:
                    await response.aclose()
                outcome = "ok"
            except httpx.HTTPError as error:
                failure = failures.from_transport(self.settings, error)
                outcome = failure.kind
                raise failure from error
            except ProviderError as error:
                outcome = error.kind
                raise
            finally:
                self._note(call, outcome, 1000 * (perf_counter() - began))

    async def _send(self, call: Call) -> httpx.Response:
        url = self.settings.base_url.rstrip("/") + call.path
        headers = {"Content-Type": "application/json", "Accept": _ACCEPT[call.form]}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = self._client.build_request("POST", url, content=call.body, headers=headers, timeout=self._timeout)
        left = True
        try:
            return await self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            left = False
            raise
        finally:
            if left:  # perhaps not all of it, if it failed
                self.gate.sent(call.outgoing, self.name, url, len(call.body))

    async def _check(self, call: Call, response: httpx.Response) -> None:
        if response.status_code != httpx.codes.OK:
            message = said(await self._beginning(response), self._key, call.sent)
            failure = failures.from_status(self.settings, call.model, response, message)
            if 0 < (wait := asked_to_wait(failure)) <= LONGEST_WAIT_SECONDS:
                self.limiter.pause(wait)
            raise failure
        if wait := until_next(response.headers):
            self.limiter.pause(min(wait, LONGEST_PAUSE_SECONDS))
        self._check_type(call, response)

    def _check_type(self, call: Call, response: httpx.Response) -> None:
        found = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not any(part in found for part in _TYPES[call.form]):
            where = f"{found or 'no content type'} where {_ACCEPT[call.form]} was asked for; check base_url"
            raise failures.bad_answer(self.settings, where)
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise failures.bad_answer(self.settings, "a compressed answer, which was not asked for")

    async def _beginning(self, response: httpx.Response) -> bytes:
        """Of an error, as much as could hold its message."""
        body = b""
        async for piece in response.aiter_raw():
            body += piece
            if len(body) >= MAX_ERROR_BYTES:
                break
        return body[:MAX_ERROR_BYTES]

    def _note(self, call: Call, outcome: str, milliseconds: float) -> None:
        self.counts["requests"] += 1
        self.counts["failures"] += outcome not in {"ok", "cancelled"}
        purpose = call.outgoing.purpose
        self._metrics.counter("provider_requests", provider=self.name, purpose=purpose, outcome=outcome).increment()
        self._metrics.histogram("provider_milliseconds", provider=self.name, purpose=purpose).observe(milliseconds)
        log.debug("provider_request", provider=self.name, purpose=purpose, outcome=outcome, milliseconds=milliseconds)


_ACCEPT: dict[Form, str] = {
    "json": "application/json",
    "event-stream": "text/event-stream",
    "ndjson": "application/x-ndjson",
}
_TYPES: dict[Form, tuple[str, ...]] = {"json": ("json",), "event-stream": ("event-stream",), "ndjson": ("json",)}
