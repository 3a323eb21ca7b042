"""The web of a daemon whose configuration names a search server; without one, nothing of it is built or loaded."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from agentd.compute.pool import Lane
from agentd.compute.task import Priority
from agentd.config.settings import WebSettings
from agentd.errors import StateError, WebError
from agentd.kernels.registry import ROBOTS, WEB_PAGE, WEB_RANK
from agentd.storage.renewable import delete_database
from agentd.storage.web_cache import WebCache

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    import httpx

    from agentd.compute.pool import Pool
    from agentd.config.settings import Settings
    from agentd.kernels.web_messages import (
        RobotsRequest,
        RobotsVerdict,
        WebPage,
        WebPageRequest,
        WebRankRequest,
        WebRankResult,
    )
    from agentd.observability.metrics import Metrics
    from agentd.providers.contracts import Outgoing
    from agentd.providers.gate import Gate
    from agentd.providers.web.build import Web
    from agentd.providers.web.contracts import WebResult, WebRetriever

log = structlog.get_logger(__name__)

CACHE_NAME = "web.db"
UNCONFIGURED = "no search server is configured"
PAGE_SECONDS = 10.0
"""Of running, for one page. HTML ends by itself in one of CPU time; a PDF that takes longer costs its worker."""


class PoolWorkers:
    """The kernels of the web. Pages are read in the bulk lane, first of all there: strangers wrote them, and a worker
    that one of them kills must not be the one that queries wait for.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read_page(self, request: WebPageRequest) -> WebPage:
        """See ``Workers``."""
        return await self._pool.run(WEB_PAGE, request, lane=Lane.BULK, priority=Priority.EDIT, timeout=PAGE_SECONDS)

    async def score(self, request: WebRankRequest) -> WebRankResult:
        """See ``Workers``."""
        return await self._pool.run(WEB_RANK, request, lane=Lane.INTERACTIVE)

    async def judge_robots(self, request: RobotsRequest) -> RobotsVerdict:
        """See ``Workers``."""
        return await self._pool.run(ROBOTS, request, lane=Lane.BULK, priority=Priority.EDIT, timeout=PAGE_SECONDS)


class _Opened:
    """A retriever that was made from settings; it is closed once nobody uses it any more."""

    def __init__(self, web: Web, client: httpx.AsyncClient) -> None:
        self.users = 0
        self.retired = False
        self._web = web
        self._client = client

    @asynccontextmanager
    async def used(self) -> AsyncGenerator[Web]:
        """All of it, open at least as long as the block takes."""
        self.users += 1
        try:
            yield self._web
        finally:
            self.users -= 1
            await self.close_unused()

    async def retrieve(self, query: str, outgoing: Outgoing, deadline: float) -> WebResult:
        """See ``WebRetriever``."""
        async with self.used() as web:
            if web.retriever is None:
                raise WebError(UNCONFIGURED)
            return await web.retriever.retrieve(query, outgoing, deadline)

    async def retire(self) -> None:
        """Close, now or when the last one is done with it."""
        self.retired = True
        await self.close_unused()

    async def close_unused(self) -> None:
        """Close where it is retired and nobody uses it."""
        if self.retired and not self.users:
            await self._web.close()
            await self._client.aclose()


class DaemonWeb:
    """The web as the configuration in force has it. ``retriever`` is None while no search server is configured."""

    def __init__(self, gate: Gate, pool: Pool, metrics: Metrics) -> None:
        self.cache: WebCache | None = None
        self._settings = WebSettings()
        self._gate = gate
        self._pool = pool
        self._metrics = metrics
        self._opened: _Opened | None = None
        self._problem = ""

    @property
    def retriever(self) -> WebRetriever | None:
        """For new questions."""
        return self._opened

    @asynccontextmanager
    async def used(self) -> AsyncGenerator[Web]:
        """The web as it is configured now, open at least as long as the block takes.

        Raises:
            WebError: no search server is configured (any more).
        """
        if self._opened is None:
            raise WebError(UNCONFIGURED)
        async with self._opened.used() as web:
            yield web

    async def open(self, settings: Settings) -> None:
        """Take the first settings. A cache that nobody may use any more is deleted.

        Raises:
            StateError: the cache cannot be used.
        """
        if settings.web.searxng:
            await self._replace(settings)
        else:
            await asyncio.to_thread(delete_database, settings.state_directory / CACHE_NAME)

    async def adopt(self, settings: Settings) -> None:
        """Take other settings: questions that are being answered go on with the ones that they began with."""
        if settings.web == self._settings:
            return
        try:
            await self._replace(settings)
            self._problem = ""
        except StateError as error:
            self._problem = error.message
            log.error("web_unusable", error=error.message)

    async def _replace(self, settings: Settings) -> None:
        before, self._opened, self._settings = self._opened, None, settings.web
        if before is not None:
            await before.retire()
        if settings.web.searxng:
            if self.cache is None:
                self.cache = await WebCache.open(settings.state_directory / CACHE_NAME)
            self._opened = await self._make(settings.web, self.cache)
        elif self.cache is not None:
            await self.cache.maintain(0)

    async def _make(self, settings: WebSettings, cache: WebCache) -> _Opened:
        """Half a second of httpx is imported in a thread, by those who need it; so are the system's certificates."""
        build = await asyncio.to_thread(importlib.import_module, "agentd.providers.web.build")
        http = await asyncio.to_thread(importlib.import_module, "agentd.providers.http")
        client = await asyncio.to_thread(http.make_client)
        web = await build.make_web(settings, self._gate, client, PoolWorkers(self._pool), cache, self._metrics)
        return _Opened(web, client)

    async def maintain(self) -> int:
        """Bring the cache within its limit; returns how many entries went."""
        if self.cache is None:
            return 0
        limit = self._settings.cache_disk_megabytes * 1024 * 1024 if self._opened is not None else 0
        return await self.cache.maintain(limit)

    async def check(self) -> None:
        """Look for damage in the cache. Raises StateUnusableError where it cannot be read."""
        if self.cache is not None:
            await self.cache.check()

    def findings(self) -> Iterator[tuple[str, str]]:
        """What a person should know, after its kind."""
        if self._problem:
            yield "web", f"the web is not searched: {self._problem}"

    async def close(self) -> None:
        """Close all; whoever still waits for it has been cancelled before."""
        if self._opened is not None:
            self._opened.users = 0
            await self._opened.retire()
        if self.cache is not None:
            await self.cache.close()
