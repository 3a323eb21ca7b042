"""Servers of the web on loopback, by name, and a web that is let through to them and to nothing else here."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agentd.config.settings import RootSettings, WebSettings
from agentd.kernels.robots import judge
from agentd.kernels.web_page import read_page
from agentd.kernels.web_rank import score_texts
from agentd.observability.metrics import Metrics
from agentd.providers.contracts import Outgoing
from agentd.providers.gate import Gate, Redacted, redact
from agentd.providers.http import make_client
from agentd.providers.web.build import Web, make_web
from agentd.providers.web.guard import Guard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from agentd.kernels.web_messages import (
        RobotsRequest,
        RobotsVerdict,
        WebPage,
        WebPageRequest,
        WebRankRequest,
        WebRankResult,
    )
    from agentd.providers.web.address import IPAddress

    Handler = Callable[[str, asyncio.StreamWriter], Awaitable[None]]

CERTIFICATES = ssl.create_default_context()  # a tenth of a second: once
OPEN = Outgoing("web", frozenset({"/open"}))
CLOSED = Outgoing("web", frozenset({"/closed"}))
ARTICLE = (
    "<html><head><title>Otters</title></head><body><nav>Home About</nav><main><h1>Otters</h1><p>"
    + "The sea otter holds hands while it sleeps. " * 8
    + "</p></main></body></html>"
)


class Workers:
    """Kernels in place: what a worker would do, and how often it was asked."""

    def __init__(self) -> None:
        self.read = 0

    async def read_page(self, request: WebPageRequest) -> WebPage:
        self.read += 1
        return read_page(request)

    async def score(self, request: WebRankRequest) -> WebRankResult:
        return score_texts(request)

    async def judge_robots(self, request: RobotsRequest) -> RobotsVerdict:
        return judge(request)


class Kept:
    """A store without a disk; ``seconds`` are what it was told."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, bytes], bytes] = {}
        self.seconds: list[float] = []

    async def get(self, kind: str, key: bytes) -> bytes | None:
        return self.values.get((kind, key))

    async def put(self, kind: str, key: bytes, value: bytes, seconds: float) -> None:
        self.values[kind, key] = value
        self.seconds.append(seconds)


class Site:
    """One server for all names. ``pages`` are whole answers by path, ``handlers`` write what they like."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.handlers: dict[str, Handler] = {}
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.bodies: list[str] = []
        self.open = self.most_open = 0
        self.port = 0
        self._serving: set[asyncio.Task[None]] = set()

    def url(self, path: str, host: str = "site.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [path for path in self.asked if path != "/robots.txt"]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self.serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def stop(self) -> None:
        """End answers that would never end."""
        for task in (serving := list(self._serving)):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split()[1]
            self.asked.append(path)
            self.heads.append(head)
            if length := re.search(r"content-length: (\d+)", head, re.IGNORECASE):
                self.bodies.append((await reader.readexactly(int(length[1]))).decode())
            if (handler := self.handlers.get(path)) is not None:
                await handler(head, writer)
            else:
                writer.write(self.pages.get(path, answer("nothing here", status="404 Not Found")))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has seen enough
        finally:
            self.open -= 1
            writer.close()


def answer(body: str | bytes, *headers: str, status: str = "200 OK", kind: str = "text/html; charset=utf-8") -> bytes:
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(data)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def redirect(to: str) -> bytes:
    return answer("", f"Location: {to}", status="302 Found")


async def every_name_is_here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


@asynccontextmanager
async def site(certificates: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """A running server."""
    made = Site()
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0, ssl=certificates)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.stop()


@asynccontextmanager
async def web(
    site: Site,
    resolve: Callable[[str, int], Awaitable[list[str]]] = every_name_is_here,
    certificates: ssl.SSLContext | None = None,
    workers: Workers | None = None,
    **settings: object,
) -> AsyncIterator[Web]:
    """The web with ``site`` in it."""
    rules = {"/open": RootSettings(path="/open", egress=("web",))}
    metrics = Metrics()

    async def redact_long(texts: Sequence[str]) -> Redacted:
        return redact(texts)

    def exempt(address: IPAddress, port: int) -> bool:
        return str(address) == "127.0.0.1" and port == site.port

    gate = Gate(lambda root: rules.get(root, RootSettings(path=root)), metrics, redact_long)
    chosen = WebSettings(**{"searxng": site.url("", "127.0.0.1"), **settings})  # type: ignore[arg-type]
    async with make_client(CERTIFICATES) as client:
        made = await make_web(
            chosen, gate, client, workers or Workers(), Kept(), metrics,
            guard=Guard(resolve=resolve, exempt=exempt), certificates=certificates or CERTIFICATES,
        )  # fmt: skip
        try:
            yield made
        finally:
            await made.close()
