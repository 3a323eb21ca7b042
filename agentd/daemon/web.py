"""The web of a daemon whose configuration names a search server; without one, nothing of it is built or loaded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentd.compute.pool import Lane
from agentd.compute.task import Priority
from agentd.kernels.registry import ROBOTS, WEB_PAGE, WEB_RANK
from agentd.storage.web_cache import WebCache

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from agentd.compute.pool import Pool
    from agentd.config.settings import Settings
    from agentd.daemon.maintenance import Maintenance
    from agentd.kernels.messages import (
        RobotsRequest,
        RobotsVerdict,
        WebPage,
        WebPageRequest,
        WebRankRequest,
        WebRankResult,
    )
    from agentd.observability.metrics import Metrics
    from agentd.providers.gate import Gate
    from agentd.providers.web.build import Web

CACHE_NAME = "web.db"
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


async def open_web(
    settings: Settings, gate: Gate, pool: Pool, metrics: Metrics, maintenance: Maintenance, stack: AsyncExitStack
) -> Web | None:
    """The web, which ``stack`` closes, and its chore; None where no search server is configured.

    Raises:
        StateError: its cache cannot be used.
    """
    if not settings.web.searxng:
        return None
    from agentd.providers.http import make_client  # noqa: PLC0415  # half a second of httpx, for those who need it
    from agentd.providers.web.build import make_web  # noqa: PLC0415  # the same

    store = await WebCache.open(settings.state_directory / CACHE_NAME)
    stack.push_async_callback(store.close)
    client = await asyncio.to_thread(make_client)  # it reads the system's certificates
    stack.push_async_callback(client.aclose)
    web = await make_web(settings.web, gate, client, PoolWorkers(pool), store, metrics)
    stack.push_async_callback(web.close)
    limit = settings.web.cache_disk_megabytes * 1024 * 1024
    maintenance.add("web cache", lambda: store.maintain(limit))
    return web
