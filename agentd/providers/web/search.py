"""Search of the web through a SearXNG server, by its JSON (https://docs.searxng.org/dev/search_api.html)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
import msgspec
import structlog

from agentd.errors import AddressRefusedError, WebError
from agentd.providers.web.body import read_body
from agentd.providers.web.contracts import SearchHit, SearchResult
from agentd.providers.web.guard import parse

if TYPE_CHECKING:
    from agentd.config.settings import WebSettings
    from agentd.observability.metrics import Metrics
    from agentd.providers.contracts import Outgoing
    from agentd.providers.gate import Gate
    from agentd.providers.web.cache import PageCache

log = structlog.get_logger(__name__)

SEARXNG = "searxng"
MAX_QUERY_CHARS = 500
"""Engines take some 2,000 characters at most; a question's first sentences say what it is about."""

MAX_ANSWER_BYTES = 1024 * 1024
"""A page of results has some 50 KiB. Decoded in a few milliseconds at most."""

MAX_EXTRACT_CHARS = 2000
MAX_TITLE_CHARS = 300


class _Answer(msgspec.Struct):
    """Each result is read on its own, so that a broken one costs itself alone."""

    results: list[msgspec.Raw] = []
    unresponsive_engines: list[list[object] | str] = []


class _Result(msgspec.Struct):
    url: str | None = None
    title: str | None = None
    content: str | None = None


class SearxngSearch:
    """A SearXNG server. The configuration names it, so it may stand on this machine; what it is asked leaves it all the
    same, because it asks others.
    """

    def __init__(
        self,
        settings: WebSettings,
        gate: Gate,
        client: httpx.AsyncClient,
        cache: PageCache,
        metrics: Metrics,
        language: str = "all",
    ) -> None:
        self._url = settings.searxng.rstrip("/").removesuffix("/search") + "/search"
        self._seconds = settings.timeout_seconds
        self._gate = gate
        self._client = client
        self._cache = cache
        self._metrics = metrics
        self._language = language

    async def search(self, query: str, count: int, outgoing: Outgoing) -> SearchResult:
        """At most ``count`` results for ``query``, which is sent without its secrets.

        Raises:
            EgressError: a root does not allow it.
            WebError: it failed; the sentence says what to do.
        """
        short = " ".join(query.split())[:MAX_QUERY_CHARS]
        (admitted,) = await self._gate.admit(outgoing, SEARXNG, self._url, [short], relayed=True)
        asked = (self._url, self._language, admitted)
        if (known := await self._cache.search(*asked)) is None:
            known = await self._searched(admitted, outgoing)
            if known.hits:
                await self._cache.keep_search(known, *asked)
        return SearchResult(known.hits[:count], known.problems)

    async def _searched(self, query: str, outgoing: Outgoing) -> SearchResult:
        outcome = "failed"
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._ask(query, outgoing)
            result = self._read(body)
            outcome = "ok" if result.hits else "empty"
        except TimeoutError as error:
            raise self._error(f"had no answer after {self._seconds:g} s; see web.timeout_seconds") from error
        except httpx.HTTPError as error:
            what = str(error) or type(error).__name__
            raise self._error(
                f"cannot be reached, or broke off ({what}); is it running, and web.searxng right?"
            ) from error
        finally:
            self._metrics.counter("web_searches", outcome=outcome).increment()
        return result

    async def _ask(self, query: str, outgoing: Outgoing) -> bytes:
        # By POST, so that no log of addresses on the way holds the query.
        content = urlencode({"q": query, "format": "json", "language": self._language, "pageno": "1"}).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        request = self._client.build_request("POST", self._url, content=content, headers=headers, timeout=self._seconds)
        try:
            response = await self._client.send(request, stream=True)
        finally:
            self._gate.sent(outgoing, SEARXNG, self._url, len(content), relayed=True)
        try:
            self._check(response)
            body = await read_body(response, MAX_ANSWER_BYTES)
        finally:
            await response.aclose()
        if body.cut:
            raise self._error(f"sent more than {MAX_ANSWER_BYTES} bytes")
        return body.data

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.FORBIDDEN:
            raise self._error("does not give JSON (403): add json to search.formats in its settings.yml")
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise self._error(
                "is asked too often (429): allow this machine in its limiter, or set server.limiter to false"
            )
        if response.is_redirect:
            to = response.headers.get("location", "")[:200]
            raise self._error(f"redirects to {to!r}, which is not followed: set web.searxng to where it leads")
        if status == httpx.codes.NOT_FOUND:
            raise self._error("is not there (404): web.searxng is the address of its start page")
        if status != httpx.codes.OK:
            raise self._error(f"answered {status}; its log may say why")

    def _read(self, body: bytes) -> SearchResult:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._error(
                f"did not answer with SearXNG's JSON ({error}); is web.searxng the address of one?"
            ) from error
        hits: dict[str, SearchHit] = {}
        for hit in filter(None, map(_hit, answer.results)):
            hits.setdefault(hit.url, hit)
        silent = [
            " ".join(map(str, engine if isinstance(engine, list) else [engine]))
            for engine in answer.unresponsive_engines
        ]
        problems = [f"search engines did not answer: {'; '.join(silent[:8])[:400]}"] if silent else []
        left_out = len(answer.results) - len(hits)
        if answer.results and not hits:
            problems.append(f"none of {left_out} results has an address that could be fetched")
        return SearchResult(list(hits.values()), problems)

    def _error(self, what: str) -> WebError:
        return WebError(f"the search server {self._url} {what}", provider=SEARXNG)


def _hit(raw: msgspec.Raw) -> SearchHit | None:
    """A result that has the address of a page; answers of engines that compute something have none."""
    try:
        result = msgspec.json.decode(raw, type=_Result)
        url = str(parse(result.url or ""))
    except (msgspec.DecodeError, AddressRefusedError, UnicodeDecodeError):
        return None
    title, extract = " ".join((result.title or "").split()), " ".join((result.content or "").split())
    return SearchHit(url, title[:MAX_TITLE_CHARS], extract[:MAX_EXTRACT_CHARS])
