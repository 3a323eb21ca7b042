"""The web as the agent's tools use it: what is configured at the time of each call, and closed behind none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.agent.builtin.web import Fetched
from agentd.daemon.web import UNCONFIGURED
from agentd.errors import WebError

if TYPE_CHECKING:
    from agentd.daemon.web import DaemonWeb
    from agentd.providers.contracts import Outgoing
    from agentd.providers.web.contracts import SearchResult


class AgentWeb:
    """``agent.builtin.web.Web`` over the daemon's."""

    def __init__(self, web: DaemonWeb) -> None:
        self._web = web

    @property
    def there(self) -> bool:
        """Whether a search server is configured now."""
        return self._web.retriever is not None

    async def search(self, query: str, limit: int, outgoing: Outgoing) -> SearchResult:
        """See ``Web``."""
        async with self._web.used() as web:
            if web.search is None:
                raise WebError(UNCONFIGURED)
            return await web.search.search(query, limit, outgoing)

    async def fetch(self, url: str, query: str, outgoing: Outgoing) -> Fetched:
        """See ``Web``."""
        async with self._web.used() as web:
            page, passages, problems = await web.reader.read(url, query, outgoing)
        return Fetched(page.url, page.title, passages, problems)
