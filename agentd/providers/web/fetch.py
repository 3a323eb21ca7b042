"""Pages: through the guard at every step, in turns, within limits of size, time and redirects, and as text in the end.

Ports, names and addresses are judged anew for each redirect, and so is what the configuration lets leave the machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import httpx
import structlog

from agentd.errors import AddressRefusedError, WebError
from agentd.kernels.robots import MAX_BYTES as ROBOTS_BYTES
from agentd.kernels.web_messages import WebPageRequest
from agentd.kernels.web_page import READABLE, media_type
from agentd.providers.headers import retry_after
from agentd.providers.web.body import Body, read_body
from agentd.providers.web.contracts import PROVIDER, Page
from agentd.providers.web.guard import parse
from agentd.providers.web.robots import Robots, RobotsFile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentd.config.settings import WebSettings
    from agentd.observability.metrics import Metrics
    from agentd.providers.contracts import Outgoing
    from agentd.providers.gate import Gate
    from agentd.providers.web.cache import PageCache
    from agentd.providers.web.connection import Connections
    from agentd.providers.web.contracts import Workers
    from agentd.providers.web.guard import Guard, Target
    from agentd.providers.web.turns import Turns

log = structlog.get_logger(__name__)

ROBOTS_REDIRECTS = 5
"""RFC 9309, section 2.3.1.2: at least five are followed."""

_OVERLOADED = {429, 503}


class _Answer(NamedTuple):
    """The end of a way of redirects: what stood there, or a status that is no success."""

    url: httpx.URL
    status: int
    headers: httpx.Headers
    body: Body


class PageFetcher:
    """Fetches pages for everybody; made once."""

    def __init__(
        self,
        settings: WebSettings,
        gate: Gate,
        guard: Guard,
        connections: Connections,
        turns: Turns,
        workers: Workers,
        cache: PageCache,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._guard = guard
        self._connections = connections
        self._turns = turns
        self._workers = workers
        self._cache = cache
        self._metrics = metrics
        self._robots = Robots(self._robots_file, workers.judge_robots)

    async def fetch(self, url: str, outgoing: Outgoing) -> Page:
        """The page behind ``url`` as text, from the cache or from its host.

        Raises:
            EgressError: a root does not allow it.
            AddressRefusedError: its address, or one that it redirects to, is not to be fetched.
            WebError: it cannot be had, is not wanted fetched, or holds no text.
            ComputeError, BusyError: it could not be read.
        """
        asked = str(parse(url))
        await self._permit(asked, outgoing)
        if (known := await self._cache.page(asked)) is not None:
            self._count("cached")
            return known
        seconds = self._settings.timeout_seconds
        try:
            # The time is that of the page, and does not run while others have their turn.
            async with self._turns.of_page(), asyncio.timeout(seconds):
                return await self._fetched(asked, outgoing)
        except TimeoutError as error:
            self._count("timed_out")
            raise WebError(f"{asked} was not there after {seconds:g} s", url=asked) from error
        except WebError as error:
            self._count("failed")
            log.info("web_page_failed", kind=error.kind, error=error.message)
            raise

    async def _fetched(self, asked: str, outgoing: Outgoing) -> Page:
        answer = await self._follow(asked, outgoing)
        if not httpx.codes.is_success(answer.status):
            raise WebError(f"{answer.url} answered {answer.status}", url=asked, status=answer.status)
        content_type = answer.headers.get("content-type", "")
        read = await self._workers.read_page(WebPageRequest(answer.body.data, content_type))
        if read.problem:
            raise WebError(f"{answer.url} cannot be used: the page {read.problem}", url=asked)
        notes = read.notes + ["body_cut"] * answer.body.cut
        digest = hashlib.sha256(read.text.encode()).hexdigest()
        page = Page(str(answer.url), asked, read.title, read.text, read.passages, digest, time.time(), notes)
        if "no-store" not in answer.headers.get("cache-control", "").lower():
            await self._cache.keep_page(page)
        self._count("fetched")
        return page

    async def _follow(self, asked: str, outgoing: Outgoing) -> _Answer:
        address = asked
        for _ in range(self._settings.max_redirects + 1):
            await self._permit(address, outgoing)
            target = await self._guard.admit(address)
            if self._settings.respect_robots:
                await self._robots.check(target.url, outgoing)
            answer = await self._answer(target, outgoing, self._settings.max_page_bytes, READABLE)
            if (step := _next(answer)) is None:
                return answer
            address = step
        raise WebError(f"{asked} redirects more than {self._settings.max_redirects} times", url=asked)

    async def _permit(self, address: str, outgoing: Outgoing) -> None:
        """Raises EgressError, or WebError for an address that would carry a secret away."""
        if await self._gate.admit(outgoing, PROVIDER, address, [address], relayed=True) != [address]:
            raise WebError(f"an address of {parse(address).host} is not fetched: it holds what looks like a secret")

    async def _answer(
        self, target: Target, outgoing: Outgoing, limit: int, types: frozenset[str] = frozenset()
    ) -> _Answer:
        """One request. A body is read where it succeeded, and is of one of ``types``, if there are any."""
        async with (
            self._turns.of_host(target.host),
            self._sent(target, outgoing),
            self._connections.get(target) as answer,
        ):
            if answer.status_code in _OVERLOADED:
                self._turns.rest(target.host, retry_after(answer.headers))
            if not answer.is_success:
                return _Answer(target.url, answer.status_code, answer.headers, Body(b"", cut=False))
            found = media_type(answer.headers.get("content-type", ""))
            if types and found not in types:
                raise WebError(f"{target.url} is {found[:80] or 'of no stated type'}; expected a page of text or a PDF")
            return _Answer(target.url, answer.status_code, answer.headers, await read_body(answer, limit))

    @asynccontextmanager
    async def _sent(self, target: Target, outgoing: Outgoing) -> AsyncGenerator[None]:
        """Note the request, whatever became of it: of one that failed, too, something may have left."""
        try:
            yield
        finally:
            self._gate.sent(outgoing, PROVIDER, str(target.url), len(target.url.raw_path), relayed=True)

    async def _robots_file(self, url: httpx.URL, outgoing: Outgoing) -> RobotsFile:
        """What a host says to robots. It may redirect like a page, to where the guard lets it."""
        address = str(url)
        for _ in range(ROBOTS_REDIRECTS + 1):
            answer = await self._answer(await self._guard.admit(address), outgoing, ROBOTS_BYTES)
            if httpx.codes.is_success(answer.status):
                return RobotsFile(answer.body.data)
            if (step := _next(answer)) is not None:
                address = step
            elif answer.status in _OVERLOADED or httpx.codes.is_server_error(answer.status):
                return RobotsFile(failed=f"status {answer.status}")
            else:
                return RobotsFile()
        return RobotsFile()  # "unavailable", says the standard: everything is allowed

    def _count(self, outcome: str) -> None:
        self._metrics.counter("web_pages", outcome=outcome).increment()


def _next(answer: _Answer) -> str | None:
    """Where ``answer`` redirects to; None where it does not.

    Raises:
        AddressRefusedError: to no address of a page.
    """
    if answer.status not in {301, 302, 303, 307, 308} or "location" not in answer.headers:
        return None
    location = answer.headers["location"]
    try:
        return str(answer.url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise AddressRefusedError(f"{answer.url} redirects to {location[:200]!r}, which is no address") from error
