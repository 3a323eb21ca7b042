"""Passages of the web: what is found, what is missing, and that the deadline holds."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest
import web_harness as h

from agentd.errors import EgressError, TaskTimeoutError, WebError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentd.kernels.web_messages import WebRankRequest, WebRankResult
    from agentd.providers.web.contracts import WebResult


@pytest.fixture
async def site() -> AsyncIterator[h.Site]:
    async with h.site() as made:
        yield made


def offer(site: h.Site, *paths: str) -> None:
    found = [{"url": site.url(path), "title": path, "content": f"About otters at {path}"} for path in paths]
    site.pages["/search"] = h.answer(json.dumps({"results": found}), kind="application/json")


def page(title: str, *paragraphs: str) -> bytes:
    body = "".join(f"<p>{text} {'and so on without much to say ' * 10}</p>" for text in paragraphs)
    return h.answer(f"<title>{title}</title><main>{body}</main>")


async def ask(site: h.Site, query: str = "how do otters sleep", seconds: float = 10, **settings: object) -> WebResult:
    async with h.web(site, **settings) as web:  # type: ignore[arg-type]
        assert web.retriever is not None
        return await web.retriever.retrieve(query, h.OPEN, time.monotonic() + seconds)


async def test_the_passages_that_answer_come_first_with_their_lines(site: h.Site) -> None:
    offer(site, "/a", "/b")
    site.pages["/a"] = page("Badgers", "Badgers dig.", "They eat worms.")
    site.pages["/b"] = page("Otters", *(f"Number {n} is dull." for n in range(6)), "Otters sleep holding hands.")
    result = await ask(site)
    best = result.passages[0]
    assert best.url == site.url("/b")
    assert "Otters sleep" in best.text
    whole = next(page for page in result.pages if page.url == best.url)
    assert "\n".join(whole.text.split("\n")[best.start_line - 1 : best.end_line]) == best.text
    assert best.hash == whole.hash
    assert result.untrusted is True
    assert [(step.stage, step.state) for step in result.steps] == [("search", "ok"), ("fetch", "ok"), ("rank", "ok")]
    assert not result.problems


async def test_pages_are_fetched_at_one_time(site: h.Site) -> None:
    """Each answers only when all have been asked: one after the other they would never come."""
    everybody = asyncio.Event()

    async def together(_head: str, writer: asyncio.StreamWriter) -> None:
        if len(site.paths()) == 5:  # the search and four pages
            everybody.set()
        await everybody.wait()
        writer.write(page("Otters", "Otters sleep."))

    found = [{"url": site.url(f"/{n}", f"host{n}.example"), "title": "", "content": ""} for n in range(4)]
    site.pages["/search"] = h.answer(json.dumps({"results": found}), kind="application/json")
    for n in range(4):
        site.handlers[f"/{n}"] = together
    assert len((await ask(site)).pages) == 4


async def test_what_fails_is_named_and_its_extract_stands_in(site: h.Site) -> None:
    offer(site, "/gone", "/good", "/beyond")
    site.pages["/good"] = page("Otters", "Otters sleep.")
    result = await ask(site, pages=2)
    assert [step.state for step in result.steps] == ["ok", "partial", "ok"]
    assert len(result.problems) == 1
    assert "answered 404" in result.problems[0]
    extracts = [each for each in result.passages if each.extract]
    assert {each.url for each in extracts} == {site.url("/gone"), site.url("/beyond")}
    assert all((each.start_line, each.end_line) == (1, 1) for each in extracts)
    assert "/beyond" not in site.asked


async def test_late_pages_do_not_hold_up_the_others(site: h.Site) -> None:
    offer(site, "/late", "/good")
    gone = asyncio.Event()

    async def late(_head: str, writer: asyncio.StreamWriter) -> None:
        await writer.drain()
        await gone.wait()

    site.handlers["/late"] = late
    site.pages["/good"] = page("Otters", "Otters sleep.")
    try:
        result = await ask(site, seconds=1.5)
    finally:
        gone.set()
    assert result.passages[0].url == site.url("/good")
    assert [step.state for step in result.steps] == ["ok", "partial", "ok"]
    assert "not there in time" in result.problems[0]


async def test_passages_that_cannot_be_ranked_come_as_they_are(site: h.Site) -> None:
    class Dead(h.Workers):
        async def score(self, request: WebRankRequest) -> WebRankResult:
            await super().score(request)
            raise TaskTimeoutError("the worker was killed")

    offer(site, "/good")
    site.pages["/good"] = page("Otters", "Otters sleep.")
    result = await ask(site, workers=Dead())
    assert result.passages
    assert "not ranked: the worker was killed" in result.problems[0]


async def test_no_result_is_no_error_and_no_search_is_one(site: h.Site) -> None:
    offer(site)
    result = await ask(site)
    assert (result.passages, [step.state for step in result.steps]) == ([], ["empty", "empty", "empty"])
    site.pages["/search"] = h.answer("", status="500 Oops")
    with pytest.raises(WebError, match="500"):
        await ask(site)
    with pytest.raises(WebError, match="in time"):
        await ask(site, seconds=0)


async def test_a_root_without_leave_asks_nobody(site: h.Site) -> None:
    async with h.web(site) as web:
        assert web.retriever is not None
        with pytest.raises(EgressError):
            await web.retriever.retrieve("q", h.CLOSED, time.monotonic() + 5)
    assert not site.asked
