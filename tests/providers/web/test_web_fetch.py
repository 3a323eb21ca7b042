"""Pages from servers that are slow, endless, wrong or hostile."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
import web_harness as h
from structlog.testing import capture_logs

from agentd.errors import WebError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@pytest.fixture
async def site() -> AsyncIterator[h.Site]:
    async with h.site() as made:
        made.pages["/page"] = h.answer(h.ARTICLE)
        yield made


async def fetch_fails(site: h.Site, path: str, match: str, **settings: object) -> None:
    async with h.web(site, **settings) as web:  # type: ignore[arg-type]
        with pytest.raises(WebError, match=match):
            await web.fetcher.fetch(site.url(path), h.OPEN)


async def test_a_page_comes_as_text_with_its_hash_and_without_what_surrounds_it(site: h.Site) -> None:
    async with h.web(site) as web:
        page = await web.fetcher.fetch(site.url("/page#part"), h.OPEN)
    assert page.title == "Otters"
    assert page.text.startswith("# Otters\nThe sea otter holds hands")
    assert "Home" not in page.text
    assert page.hash == hashlib.sha256(page.text.encode()).hexdigest()
    assert page.url == page.asked == site.url("/page")
    head = site.heads[-1].lower()
    assert "user-agent: agentd/" in head
    assert not any(name in head for name in ("cookie", "authorization", "referer"))


async def test_cookies_are_not_kept(site: h.Site) -> None:
    site.pages["/go"] = h.answer("", "Set-Cookie: id=1", "Location: /page", status="302 Found")
    async with h.web(site) as web:
        await web.fetcher.fetch(site.url("/go"), h.OPEN)
    assert not any("cookie" in head.lower() for head in site.heads)


async def test_a_page_is_fetched_once_while_its_time_lasts(site: h.Site) -> None:
    async with h.web(site) as web:
        first = await web.fetcher.fetch(site.url("/page"), h.OPEN)
        assert await web.fetcher.fetch(site.url("/page"), h.OPEN) == first
    assert site.paths() == ["/page"]


@pytest.mark.parametrize("how", ["no-store", "off"])
async def test_what_is_not_to_be_kept_is_fetched_again(site: h.Site, how: str) -> None:
    if how == "no-store":
        site.pages["/page"] = h.answer(h.ARTICLE, "Cache-Control: private, No-Store")
    async with h.web(site, cache_seconds=3600 if how == "no-store" else 0) as web:
        for _ in range(2):
            await web.fetcher.fetch(site.url("/page"), h.OPEN)
    assert site.paths() == ["/page", "/page"]


async def test_an_endless_body_is_cut_and_said_to_be(site: h.Site) -> None:
    async def endless(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n<p>")
        while True:
            writer.write(b"lorem ipsum " * 1000)
            await writer.drain()

    site.handlers["/endless"] = endless
    async with h.web(site, max_page_bytes=100_000) as web:
        page = await web.fetcher.fetch(site.url("/endless"), h.OPEN)
    assert page.notes == ["body_cut"]
    assert len(page.text) <= 101_000


async def test_a_bomb_unfolds_to_the_limit_and_no_further(site: h.Site) -> None:
    bomb = gzip.compress(b"<p>" + b"boom " * 20_000_000, 1)
    site.pages["/bomb"] = h.answer(bomb, "Content-Encoding: gzip")
    async with h.web(site, max_page_bytes=1_000_000) as web:
        page = await web.fetcher.fetch(site.url("/bomb"), h.OPEN)
    assert "body_cut" in page.notes
    assert len(page.text) <= 1_001_000


async def test_a_packed_page_is_unpacked(site: h.Site) -> None:
    site.pages["/gz"] = h.answer(gzip.compress(h.ARTICLE.encode()), "Content-Encoding: gzip")
    async with h.web(site) as web:
        assert (await web.fetcher.fetch(site.url("/gz"), h.OPEN)).notes == []


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (h.answer("x" * 50, "Content-Encoding: gzip"), "packed wrongly"),
        (h.answer("x", "Content-Encoding: br"), "packed as 'br'"),
        (h.answer(b"\x89PNG", kind="image/png"), "image/png"),
        (h.answer("{}", kind="application/json"), "application/json"),
        (h.answer("x", kind=""), "no stated type"),
        (h.answer("x", status="404 Not Found"), "answered 404"),
        (h.answer("x", status="500 Oops"), "answered 500"),
        (h.answer("<script>app()</script>"), "no text without a browser"),
        (h.answer(b"\0\1\2" * 500), "binary"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\n<p>half", "broke off"),
        (b"SSH-2.0-OpenSSH\r\n", "HTTP"),
        (HEAD + b"X: " + b"y" * 300_000 + b"\r\n\r\n", "HTTP"),
        (h.answer("%PDF-1.4 nonsense", kind="application/pdf"), "PDF that cannot be read"),
        (b"", "broke off"),
    ],
)
async def test_what_cannot_be_used_is_named(site: h.Site, raw: bytes, match: str) -> None:
    site.pages["/bad"] = raw
    await fetch_fails(site, "/bad", match)


@pytest.mark.parametrize("head", [b"", HEAD, HEAD + b"\r\n<p>"])
async def test_a_slow_page_costs_its_time_and_no_more(site: h.Site, head: bytes) -> None:
    async def slow(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():  # a byte now and then is no silence
            writer.write(b"." if b"\r\n\r\n" in head else b"X: y\r\n" if head else b"")
            await writer.drain()
            await asyncio.sleep(0.02)

    site.handlers["/slow"] = slow
    await fetch_fails(site, "/slow", "not there after 0.3 s|silent", timeout_seconds=0.3)


async def test_redirects_are_followed_to_their_limit(site: h.Site) -> None:
    for number in range(4):
        site.pages[f"/{number}"] = h.redirect(f"{number + 1}")
    site.pages["/4"] = h.answer(h.ARTICLE)
    async with h.web(site, max_redirects=4) as web:
        page = await web.fetcher.fetch(site.url("/0"), h.OPEN)
    assert (page.url, page.asked) == (site.url("/4"), site.url("/0"))
    await fetch_fails(site, "/0", "redirects more than 3 times", max_redirects=3)


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/html; charset=iso-8859-1", "<p>caf\xe9 \x93quoted\x94".encode("latin-1"), "café “quoted”"),
        ("text/html", '<meta charset="shift_jis"><p>日本語'.encode("shift_jis"), "日本語"),
        ("text/html; charset=no-such", "<p>grün".encode(), "grün"),
        ("text/html; charset=unicode_escape", b"<p>plain \\x41", "plain \\x41"),
        ("text/html; charset=utf-8", b"<p>bad \xff\xfe bytes", "bad"),
        ("text/html; charset=utf-16", "<p>wide ä".encode("utf-16"), "wide ä"),
        ("text/plain", b"plain <b>text</b>", "plain <b>text</b>"),
        ("text/markdown", b"# Head\n\nwords", "# Head\nwords"),
    ],
)
async def test_text_is_decoded_as_it_says_or_else_as_it_looks(site: h.Site, kind: str, body: bytes, text: str) -> None:
    site.pages["/text"] = h.answer(body, kind=kind)
    async with h.web(site) as web:
        assert text in (await web.fetcher.fetch(site.url("/text"), h.OPEN)).text


async def test_a_page_that_robots_may_not_have_is_left_alone(site: h.Site) -> None:
    site.pages["/robots.txt"] = h.answer("User-agent: *\nDisallow: /page\n", kind="text/plain")
    site.pages["/free"] = h.answer(h.ARTICLE)
    with capture_logs() as lines:
        async with h.web(site) as web:
            with pytest.raises(WebError, match=r"robots\.txt says 'Disallow: /page'"):
                await web.fetcher.fetch(site.url("/page"), h.OPEN)
            await web.fetcher.fetch(site.url("/free"), h.OPEN)
    assert site.asked == ["/robots.txt", "/free"]
    assert [line["host"] for line in lines if line["event"] == "egress"] == ["site.example"] * 2  # each that left
    async with h.web(site, respect_robots=False) as web:
        await web.fetcher.fetch(site.url("/page"), h.OPEN)


async def test_a_redirect_into_what_robots_may_not_have_is_left_alone(site: h.Site) -> None:
    site.pages["/robots.txt"] = h.answer("User-agent: agentd\nDisallow: /page\n", kind="text/plain")
    site.pages["/go"] = h.redirect("/page")
    await fetch_fails(site, "/go", "robots.txt says")
    assert site.paths() == ["/go"]


async def test_a_host_whose_robots_file_cannot_be_had_is_left_alone(site: h.Site) -> None:
    site.pages["/robots.txt"] = h.answer("", status="500 Oops")
    await fetch_fails(site, "/page", "robots.txt cannot be had")


async def test_at_most_two_of_one_host_and_a_few_of_all_at_one_time(site: h.Site) -> None:
    gates = {name: asyncio.Event() for name in ("a", "b")}
    waiting = asyncio.Event()

    async def held(_head: str, writer: asyncio.StreamWriter) -> None:
        if site.open == 3:
            waiting.set()
        await gates["a"].wait()
        writer.write(h.answer(h.ARTICLE))

    for number in range(6):
        site.handlers[f"/{number}"] = held
    async with h.web(site, parallel=3, respect_robots=False) as web, asyncio.timeout(10), asyncio.TaskGroup() as group:
        for number in range(6):
            host = "one.example" if number % 2 else "two.example"
            group.create_task(web.fetcher.fetch(site.url(f"/{number}", host), h.OPEN))
        await waiting.wait()
        gates["a"].set()
    assert site.most_open == 3


async def test_a_host_that_asks_to_be_left_alone_is(site: h.Site) -> None:
    site.pages["/busy"] = h.answer("", "Retry-After: 120", status="429 Too Many Requests")
    async with h.web(site, respect_robots=False) as web:
        for path, match in (("/busy", "429"), ("/page", "left alone for 120 s")):
            with pytest.raises(WebError, match=match):
                await web.fetcher.fetch(site.url(path), h.OPEN)
        await web.fetcher.fetch(site.url("/page", "other.example"), h.OPEN)
    assert site.asked == ["/busy", "/page"]


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server called ``name``, and of a client that trusts it."""
    key, file = folder / "key.pem", folder / "cert.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(file),
        "-days",
        "2",
    ]
    subprocess.run(
        [*made, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file, key)
    return server, ssl.create_default_context(cafile=str(file))


async def test_the_certificate_is_checked_against_the_name_and_not_the_number(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "site.example")
    async with h.site(server) as site:
        site.pages["/page"] = h.answer(h.ARTICLE)
        async with h.web(site, certificates=client, respect_robots=False) as web:
            page = await web.fetcher.fetch(f"https://site.example:{site.port}/page", h.OPEN)
            assert page.title == "Otters"
            with pytest.raises(WebError, match="not trusted"):
                await web.fetcher.fetch(f"https://other.example:{site.port}/page", h.OPEN)
        async with h.web(site, respect_robots=False) as web:
            with pytest.raises(WebError, match="not trusted"):
                await web.fetcher.fetch(f"https://site.example:{site.port}/page", h.OPEN)
