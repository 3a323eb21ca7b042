"""The web as a tool: a search, and pages that a search or the user named. What stands there is by strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from agentd.agent.builtin.arguments import Arguments, Query
from agentd.agent.contracts import ToolResult
from agentd.agent.tools import tool
from agentd.answer.contracts import Passage, SourceName
from agentd.answer.sources import from_page
from agentd.errors import ToolInputError
from agentd.providers.web.contracts import WebPassage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentd.agent.contracts import Scope, Tool
    from agentd.providers.contracts import Outgoing
    from agentd.providers.web.contracts import SearchHit, SearchResult

WEB_SECONDS = 45.0
"""For a search or a page: servers are slower than the index."""
MOST_ADDRESSES = 5
"""That an error names."""


class Fetched(Struct, frozen=True):
    """What a page has to say: ``url`` is where it was found in the end. ``problems`` say in sentences what is missing.

    Passages are best first for the query, or in the order of the page where there was none.
    """

    url: str
    title: str
    passages: list[WebPassage]
    problems: list[str] = []


class Web(Protocol):
    """Who searches the web and reads pages of it, behind the gate and the guard of addresses."""

    async def search(self, query: str, limit: int, outgoing: Outgoing) -> SearchResult:
        """At most ``limit`` results, best first.

        Raises:
            EgressError: a root does not allow it.
            WebError: it failed, or no search server is configured any more.
        """
        ...

    async def fetch(self, url: str, query: str, outgoing: Outgoing) -> Fetched:
        """The page at ``url``; an empty ``query`` ranks nothing.

        Raises:
            AddressRefusedError: the address, or one that it leads to, is not to be fetched.
            EgressError: a root does not allow it.
            WebError: it failed, or no search server is configured any more.
        """
        ...


class WebSearching(Arguments, frozen=True, kw_only=True):
    """Parameters of ``web_search``."""

    query: Annotated[Query, Meta(description="What to search for, in a few words; nothing private")]
    limit: Annotated[int, Meta(ge=1, le=20, description="Results at most")] | None = None


class Fetching(Arguments, frozen=True, kw_only=True):
    """Parameters of ``fetch_url``."""

    url: Annotated[str, Meta(min_length=1, max_length=4096, description="An address of the task or of web_search")]
    query: Annotated[str, Meta(max_length=2000, description="What to look for in the page")] = ""


def web_tools(web: Web) -> tuple[Tool, ...]:
    """A search of the web, and pages by their address. What of a run's roots may go with it is for the scope to say; no
    text that a model has read can make it fetch an address of its own making.
    """

    @tool(WebSearching, "Search the web. Gives addresses, titles and extracts.", seconds=WEB_SECONDS, web=True)
    async def web_search(asked: WebSearching, scope: Scope) -> ToolResult:
        limit = asked.limit or scope.limits.hits
        return results(await web.search(asked.query, limit, scope.outgoing("web")))

    @tool(
        Fetching,
        "Read a page whose address stands in the task or came from web_search.",
        seconds=WEB_SECONDS,
        web=True,
    )
    async def fetch_url(asked: Fetching, scope: Scope) -> ToolResult:
        url = known(asked.url, scope.addresses)
        page = await web.fetch(url, asked.query, scope.outgoing("web"))
        passages = tuple(map(from_page, page.passages))
        text = "" if passages else f"{page.url} has no text."
        return ToolResult(
            text=text, passages=passages, found=len(passages), notes=tuple(page.problems), problems=tuple(page.problems)
        )

    return web_search, fetch_url


def results(found: SearchResult) -> ToolResult:
    """Hits as passages where the search says something of them; from now on each may be fetched."""
    return ToolResult(
        text="\n".join(f"{hit.url}  {hit.title}" for hit in found.hits if not hit.extract)
        or ("" if found.hits else "Nothing was found. Try other words."),
        passages=tuple(from_search(hit) for hit in found.hits if hit.extract),
        found=len(found.hits),
        notes=tuple(found.problems),
        problems=tuple(found.problems),
        addresses=frozenset(hit.url for hit in found.hits),
    )


def from_search(hit: SearchHit) -> Passage:
    """What a search says of a page."""
    return Passage(
        source=SourceName.WEB,
        text=hit.extract,
        start_line=1,
        end_line=1,
        url=hit.url,
        title=hit.title,
        about="as the search describes it",
    )


def known(url: str, addresses: Iterable[str]) -> str:
    """The one of ``addresses`` that ``url`` means; it is the one that is fetched, not what the model wrote.

    Raises:
        ToolInputError: it is none of them.
    """
    given = list(addresses)
    meant = next((each for each in given if _bare(each) == _bare(url.strip().strip("<>`"))), "")
    if meant:
        return meant
    others = ", ".join(sorted(given)[:MOST_ADDRESSES]) or "none so far"
    raise ToolInputError(f"only addresses of the task and of web_search can be fetched: {others}")


def _bare(url: str) -> str:
    """An address without the ways in which it may differ and still be the same: a fragment, capitals of the host, and
    the slash that an empty path stands for.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host = parts.netloc.lower()
    return parts._replace(scheme=parts.scheme.lower(), netloc=host, path=parts.path or "/", fragment="").geturl()
