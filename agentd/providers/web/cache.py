"""Pages and searches for the time that ``web.cache_seconds`` gives them.

What was asked is kept as a hash alone: words of a query may be those of a root that is removed one day.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

import msgspec

from agentd.providers.web.contracts import Page, SearchResult

if TYPE_CHECKING:
    from agentd.providers.web.contracts import WebCache

Kept = TypeVar("Kept", Page, SearchResult)

FORM = b"1"
"""Of what is kept; another one finds nothing of before."""

_PAGES = msgspec.msgpack.Decoder(Page)
_SEARCHES = msgspec.msgpack.Decoder(SearchResult)


class PageCache:
    """What ``store`` keeps, in our words. With ``seconds`` 0 nothing is kept or found."""

    def __init__(self, store: WebCache, seconds: int) -> None:
        self._store = store
        self._seconds = seconds

    async def page(self, url: str) -> Page | None:
        """The page that was asked for as ``url``."""
        return await self._get("page", _key(url), _PAGES)

    async def keep_page(self, page: Page) -> None:
        """Keep a page."""
        await self._put("page", _key(page.asked), page)

    async def search(self, *asked: str) -> SearchResult | None:
        """What a search found, by everything that it was asked."""
        return await self._get("search", _key(*asked), _SEARCHES)

    async def keep_search(self, result: SearchResult, *asked: str) -> None:
        """Keep what a search found."""
        await self._put("search", _key(*asked), result)

    async def _get(self, kind: str, key: bytes, decoder: msgspec.msgpack.Decoder[Kept]) -> Kept | None:
        value = await self._store.get(kind, key) if self._seconds else None
        if value is None:
            return None
        try:
            return decoder.decode(value)
        except msgspec.DecodeError:
            return None

    async def _put(self, kind: str, key: bytes, value: msgspec.Struct) -> None:
        if self._seconds:
            await self._store.put(kind, key, msgspec.msgpack.encode(value), self._seconds)


def _key(*parts: str) -> bytes:
    return blake2b(b"\0".join((FORM, *(part.encode(errors="replace") for part in parts))), digest_size=16).digest()
