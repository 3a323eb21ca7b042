"""SearXNG as it answers, and as it fails."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
import web_harness as h
from structlog.testing import capture_logs

from agentd.errors import EgressError, WebError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def results(*found: object, **more: object) -> bytes:
    return h.answer(json.dumps({"query": "q", "results": found, **more}), kind="application/json")


def result(number: int) -> dict[str, object]:
    return {
        "url": f"https://site.example/{number}",
        "title": f"Title {number}",
        "content": "words  and\nmore",
        "engine": "x",
    }


@pytest.fixture
async def site() -> AsyncIterator[h.Site]:
    async with h.site() as made:
        yield made


async def test_results_come_in_order_within_their_count_and_once(site: h.Site) -> None:
    site.pages["/search"] = results(
        result(1), {"url": None, "title": "an answer"}, {"url": 7}, "junk", {"url": "ftp://x.example/"},
        {"url": "javascript:alert(1)"}, result(2), result(1), {"url": "https://bare.example"}, result(3),
    )  # fmt: skip
    async with h.web(site) as web:
        assert web.search is not None
        found = await web.search.search("  what \n is it ", 3, h.OPEN)
        assert [hit.url for hit in found.hits] == [
            "https://site.example/1", "https://site.example/2", "https://bare.example",
        ]  # fmt: skip
        assert (found.hits[0].title, found.hits[0].extract, found.problems) == ("Title 1", "words and more", [])
        await web.search.search("what is it", 1, h.OPEN)
    assert len(site.asked) == 1
    assert site.heads[0].startswith("POST /search HTTP/1.1")


async def test_engines_that_did_not_answer_are_named(site: h.Site) -> None:
    site.pages["/search"] = results(unresponsive_engines=[["google", "CAPTCHA"], ["bing", "timeout"], "brave"])
    async with h.web(site) as web:
        assert web.search is not None
        found = await web.search.search("q", 3, h.OPEN)
    assert found.problems == ["search engines did not answer: google CAPTCHA; bing timeout; brave"]


async def test_the_query_leaves_without_its_secrets_and_never_without_leave(site: h.Site) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    site.pages["/search"] = results(result(1))
    async with h.web(site) as web:
        assert web.search is not None
        with pytest.raises(EgressError):
            await web.search.search("words of a closed root", 3, h.CLOSED)
        assert not site.asked
        with capture_logs() as lines:
            await web.search.search(f"why is {secret} refused", 3, h.OPEN)
    sent = parse_qs(site.bodies[0])
    assert sent["format"] == ["json"]
    assert secret not in str(lines) + str(sent)
    assert [line["purpose"] for line in lines if line["event"] == "egress"] == ["web"]


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (h.answer("no", status="403 Forbidden"), "add json to search.formats"),
        (h.answer("no", status="429 Too Many Requests"), "limiter"),
        (h.answer("no", status="404 Not Found"), "start page"),
        (h.answer("no", status="500 Oops"), "answered 500"),
        (h.redirect("https://elsewhere.example/"), "elsewhere.example"),
        (h.answer("<html>"), "SearXNG's JSON"),
        (h.answer('{"results": 7}', kind="application/json"), "SearXNG's JSON"),
        (h.answer(b"\xff{}", kind="application/json"), "SearXNG's JSON"),
        (h.answer(" " * 1_100_000, kind="application/json"), "more than 1048576 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "broke off"),
        (b"", "broke off"),
    ],
)
async def test_what_is_wrong_is_said_with_what_to_do(site: h.Site, raw: bytes, match: str) -> None:
    site.pages["/search"] = raw
    async with h.web(site) as web:
        assert web.search is not None
        with pytest.raises(WebError, match=match):
            await web.search.search("q", 3, h.OPEN)


async def test_a_server_that_is_not_there_or_silent_is_named(site: h.Site) -> None:
    async def silent(_head: str, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    site.handlers["/search"] = silent
    async with h.web(site, timeout_seconds=0.2) as web:
        assert web.search is not None
        with pytest.raises(WebError, match="no answer after"):
            await web.search.search("q", 3, h.OPEN)
    async with h.web(site, searxng="http://127.0.0.1:1") as web:
        assert web.search is not None
        with pytest.raises(WebError, match="is it running"):
            await web.search.search("q", 3, h.OPEN)


async def test_without_a_server_there_is_no_search(site: h.Site) -> None:
    async with h.web(site, searxng="") as web:
        assert (web.search, web.retriever) == (None, None)
