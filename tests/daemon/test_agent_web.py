"""The web as the agent's tools get it: found, read for a query, within policy, and never closed under a reader."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from web_harness import CERTIFICATES, CLOSED, OPEN, Site, answer, redirect, site, web

from agentd.compute.pool import Pool
from agentd.config.settings import ComputeSettings
from agentd.daemon.agent_web import AgentWeb
from agentd.daemon.web import DaemonWeb, _Opened
from agentd.errors import AddressRefusedError, EgressError, WebError
from agentd.observability.metrics import Metrics
from agentd.providers.gate import Gate, Redacted, redact
from agentd.providers.http import make_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agentd.config.settings import RootSettings

LONG = (
    "<html><head><title>Animals</title></head><body><main>"
    + "".join(
        f"<h2>{name}</h2><p>" + f"{name} {what}. " * 40 + "</p>"
        for name, what in (("Cats", "purr"), ("Otters", "hold hands"), ("Dogs", "bark"))
    )
    + "</main></body></html>"
)


async def _redact(texts: Sequence[str]) -> Redacted:
    return redact(texts)


def _nothing(root: str) -> RootSettings:
    raise AssertionError(root)


def unopened() -> DaemonWeb:
    metrics = Metrics()
    return DaemonWeb(Gate(_nothing, metrics, _redact), Pool(ComputeSettings()), metrics)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Site, DaemonWeb, AgentWeb]]:
    """A daemon's web in which ``Site`` is all there is."""
    async with site() as there, web(there) as made:
        found = {"url": there.url("/otters"), "title": "Otters", "content": "about otters"}
        there.pages["/search"] = answer(json.dumps({"results": [found] * 3}), kind="application/json")
        there.pages["/otters"] = answer(LONG)
        daemon = unopened()
        daemon._opened = _Opened(made, make_client(CERTIFICATES))
        yield there, daemon, AgentWeb(daemon)


async def test_a_search_gives_results_and_fetches_nothing() -> None:
    async with opened() as (there, _, agent_web):
        found = await agent_web.search("otters", 5, OPEN)
        assert [(hit.url, hit.title, hit.extract) for hit in found.hits] == [
            (there.url("/otters"), "Otters", "about otters")
        ]
        assert there.asked == ["/search"]


async def test_a_page_gives_what_it_says_about_the_query_with_its_lines() -> None:
    async with opened() as (there, _, agent_web):
        fetched = await agent_web.fetch(there.url("/otters"), "what do otters hold?", OPEN)
        assert (fetched.url, fetched.title, fetched.problems) == (there.url("/otters"), "Animals", [])
        assert all("Otters" in passage.text for passage in fetched.passages)
        assert fetched.passages[0].start_line > 1
        whole = await agent_web.fetch(there.url("/otters"), "", OPEN)
        lines = [passage.start_line for passage in whole.passages]
        assert lines == sorted(lines)
        assert "Cats" in whole.passages[0].text
        other = await agent_web.fetch(there.url("/otters"), "quantum", OPEN)
        assert other.passages == whole.passages
        assert "no word of the query" in other.problems[0]
        assert there.paths() == ["/otters"]  # the others came from the cache


async def test_what_a_root_does_not_allow_is_neither_searched_nor_fetched() -> None:
    async with opened() as (there, _, agent_web):
        with pytest.raises(EgressError, match="/closed"):
            await agent_web.search("otters", 5, CLOSED)
        with pytest.raises(EgressError, match="/closed"):
            await agent_web.fetch(there.url("/otters"), "otters", CLOSED)
        assert there.asked == []


async def test_a_page_that_leads_elsewhere_is_refused() -> None:
    async with opened() as (there, _, agent_web):
        there.pages["/away"] = redirect("http://127.0.0.1:1/")
        with pytest.raises(AddressRefusedError):
            await agent_web.fetch(there.url("/away"), "", OPEN)


async def test_without_a_search_server_there_is_no_web() -> None:
    agent_web = AgentWeb(unopened())
    assert not agent_web.there
    with pytest.raises(WebError, match="no search server"):
        await agent_web.search("otters", 5, OPEN)
    with pytest.raises(WebError, match="no search server"):
        await agent_web.fetch("http://site.example/", "", OPEN)


async def test_a_reload_closes_the_web_behind_the_last_who_reads() -> None:
    async with opened() as (there, daemon, agent_web):
        came, go_on = asyncio.Event(), asyncio.Event()

        async def slow(_head: str, writer: asyncio.StreamWriter) -> None:
            came.set()
            await go_on.wait()
            writer.write(answer(LONG))

        there.handlers["/slow"] = slow
        reading = asyncio.create_task(agent_web.fetch(there.url("/slow"), "", OPEN))
        await came.wait()
        before, daemon._opened = daemon._opened, None
        assert before is not None
        await before.retire()
        assert not before._client.is_closed
        assert not agent_web.there
        go_on.set()
        assert (await reading).title == "Animals"
        assert before._client.is_closed
