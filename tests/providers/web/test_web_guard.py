"""What the guard lets through, and that connections go where it looked."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
import web_harness as h

from agentd.errors import AddressRefusedError, EgressError, WebError
from agentd.providers.web import guard as guards
from agentd.providers.web.guard import Guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def site() -> AsyncIterator[h.Site]:
    async with h.site() as made:
        made.pages["/page"] = h.answer(h.ARTICLE)
        yield made


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://site.example/", "gopher://site.example/", "javascript:alert(1)", "//site.example/",
        "data:text/html,x", "http://", "http:///x", "http://user:pass@site.example/", "http://user@site.example/",
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0x7f.1/", "http://2130706433/",
        "http://017700000001/", "http://127.1/", "http://[::ffff:127.0.0.1]/", "http://[fe80::1%25eth0]/",
        "http://169.254.169.254/latest/meta-data/", "http://[64:ff9b::7f00:1]/", "http://0/", "http://site.example\\@x/",
        "http://93.184.215.14:22/", "https://93.184.215.14:80/", "http://93.184.215.14:99999/", "http://" + "a" * 3000,
    ],
)  # fmt: skip
async def test_addresses_that_are_not_the_webs_are_refused(url: str) -> None:
    with pytest.raises(WebError) as refused:
        await Guard().admit(url)
    assert isinstance(refused.value, AddressRefusedError) or "site.example" in url


async def test_one_bad_address_of_a_name_refuses_the_name() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.7"]

    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.7.*private"):
        await Guard(resolve=resolve).admit("https://site.example/")


async def test_a_name_that_never_resolves_costs_its_limit_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "RESOLVE_SECONDS", 0.01)

    async def never(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(WebError, match="not resolved within"):
        await Guard(resolve=never).admit("https://site.example/")


async def test_a_name_is_resolved_once_and_reached_where_it_was_judged(site: h.Site) -> None:
    """DNS rebinding: a second answer would lead elsewhere, and nobody asks for one."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def resolve(_host: str, _port: int) -> list[str]:
        return next(answers)

    async with h.web(site, resolve, respect_robots=False) as web:
        await web.fetcher.fetch(site.url("/page"), h.OPEN)
    assert f"Host: site.example:{site.port}" in site.heads[0]
    assert list(answers) == [["10.0.0.1"]]


async def test_a_name_that_turns_private_between_two_redirects_is_refused(site: h.Site) -> None:
    answers = iter([["127.0.0.1"], ["192.168.0.1"]])

    async def resolve(_host: str, _port: int) -> list[str]:
        return next(answers)

    site.pages["/go"] = h.redirect("/page")
    async with h.web(site, resolve, respect_robots=False) as web:
        with pytest.raises(AddressRefusedError, match="private"):
            await web.fetcher.fetch(site.url("/go"), h.OPEN)
    assert site.paths() == ["/go"]


async def test_no_resolver_is_asked_while_connecting(site: h.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    original = socket.getaddrinfo

    def watch(host: object, *rest: object, **more: object) -> object:
        asked.append(host)
        return original(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", watch)
    async with h.web(site) as web:
        await web.fetcher.fetch(site.url("/page"), h.OPEN)
    assert not any("site.example" in str(host) for host in asked)


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "file:///etc/passwd",
        "ftp://site.example/", "http://localhost/", "//user:pass@site.example/", "http://2130706433/", "http://[bad",
    ],
)  # fmt: skip
async def test_a_redirect_to_what_may_not_be_fetched_is_refused(site: h.Site, to: str) -> None:
    site.pages["/go"] = h.redirect(to)
    async with h.web(site) as web:
        with pytest.raises(AddressRefusedError):
            await web.fetcher.fetch(site.url("/go"), h.OPEN)
    assert site.paths() == ["/go"]


async def test_the_first_address_that_answers_is_taken(site: h.Site) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    guard = Guard(resolve=resolve, exempt=lambda address, _: str(address).startswith("127."))
    async with h.web(site) as web:
        web.fetcher._guard = guard
        page = await web.fetcher.fetch(site.url("/page"), h.OPEN)
    assert page.title == "Otters"


async def test_a_root_that_does_not_allow_the_web_gets_nothing_not_even_from_the_cache(site: h.Site) -> None:
    async with h.web(site) as web:
        await web.fetcher.fetch(site.url("/page"), h.OPEN)
        before = list(site.asked)
        with pytest.raises(EgressError):
            await web.fetcher.fetch(site.url("/page"), h.CLOSED)
        with pytest.raises(EgressError):
            await web.fetcher.fetch(site.url("/other"), h.CLOSED)
    assert site.asked == before


async def test_an_address_with_a_secret_in_it_is_not_fetched(site: h.Site) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    async with h.web(site) as web:
        with pytest.raises(WebError, match="secret"):
            await web.fetcher.fetch(site.url(f"/page?token={secret}"), h.OPEN)
    assert not site.asked
