"""The web as a tool: a search, and pages that a search or the user named. What stands there is by strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from agentd.providers.web.contracts import WebPassage

if TYPE_CHECKING:
    from agentd.providers.contracts import Outgoing
    from agentd.providers.web.contracts import SearchResult


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
