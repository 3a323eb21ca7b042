"""The web, put together from the configuration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from agentd.providers.web.cache import PageCache
from agentd.providers.web.connection import Connections
from agentd.providers.web.fetch import PageFetcher
from agentd.providers.web.guard import Guard
from agentd.providers.web.reader import PageReader
from agentd.providers.web.retriever import SearchingRetriever
from agentd.providers.web.search import SearxngSearch
from agentd.providers.web.turns import Turns

if TYPE_CHECKING:
    import ssl

    import httpx

    from agentd.config.settings import WebSettings
    from agentd.observability.metrics import Metrics
    from agentd.providers.gate import Gate
    from agentd.providers.web.contracts import WebCache, Workers


class Web(NamedTuple):
    """All of it; ``search`` and ``retriever`` are None where no search server is configured."""

    fetcher: PageFetcher
    reader: PageReader
    search: SearxngSearch | None
    retriever: SearchingRetriever | None
    connections: Connections

    async def close(self) -> None:
        """Close the connections."""
        await self.connections.close()


async def make_web(
    settings: WebSettings,
    gate: Gate,
    client: httpx.AsyncClient,
    workers: Workers,
    store: WebCache,
    metrics: Metrics,
    *,
    guard: Guard | None = None,
    certificates: ssl.SSLContext | None = None,
) -> Web:
    """Build the web; ``client`` is for the search server alone, ``guard`` and ``certificates`` are given by tests."""
    cache = PageCache(store, settings.cache_seconds)
    # Reading the system's certificates takes some 30 ms, which the loop has no time for.
    connections = await asyncio.to_thread(Connections, settings.parallel, settings.timeout_seconds, certificates)
    turns = Turns(settings.parallel)
    fetcher = PageFetcher(settings, gate, guard or Guard(), connections, turns, workers, cache, metrics)
    reader = PageReader(fetcher, workers)
    if not settings.searxng:
        return Web(fetcher, reader, None, None, connections)
    search = SearxngSearch(settings, gate, client, cache, metrics)
    return Web(fetcher, reader, search, SearchingRetriever(settings, search, fetcher, workers), connections)
