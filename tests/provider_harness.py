"""A server on loopback that does what a test tells it, and what is needed to talk to it."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from agentd.config.settings import ChatSettings, EmbeddingSettings, ProviderSettings, RootSettings, Settings
from agentd.kernels.remote_vectors import read_vectors
from agentd.observability.metrics import Metrics
from agentd.providers.build import Providers, build_providers
from agentd.providers.contracts import ChatRequest, Message, Outgoing, Role
from agentd.providers.gate import Gate, Redacted, redact
from agentd.providers.http import make_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from agentd.kernels.messages import RemoteVectors, RemoteVectorsRequest
    from agentd.providers.probe import Probe

ROOT = "/root-of-tests"
CERTIFICATES = ssl.create_default_context()  # a tenth of a second: once
EMBED = Outgoing("embeddings", frozenset({ROOT}))
CHAT = Outgoing("chat", frozenset({ROOT}))
ASK = ChatRequest((Message(Role.USER, "what is agentd?"),), CHAT, max_tokens=64)


class Asked:
    """One request as it came."""

    def __init__(self, line: str, headers: dict[str, str], body: bytes) -> None:
        self.path = line.split()[1]
        self.headers = headers
        self.body: dict[str, Any] = json.loads(body)


class Reply:
    """How to answer: raw bytes, in pieces, ``pause`` seconds after each; where it is to ``hang``, no end follows."""

    def __init__(
        self, *pieces: bytes, status: str = "200 OK", kind: str = "application/json", headers: str = "",
        length: int | None = None, hang: bool = False, pause: float = 0.0,
    ) -> None:  # fmt: skip
        self.pieces = pieces
        self.pause = pause
        size = f"Content-Length: {length}\r\n" if length is not None else ""
        self.head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{headers}{size}Connection: close\r\n\r\n".encode()
        self.hang = hang


def as_json(value: object, **how: Any) -> Reply:
    """An answer in JSON."""
    return Reply(json.dumps(value).encode(), **how)


def failure(status: str, message: object = "no", headers: str = "") -> Reply:
    """An error as OpenAI words it."""
    return as_json({"error": {"message": message}}, status=status, headers=headers)


def vector_of(text: str, dimension: int = 8, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What the model of the tests makes of a text."""
    generator = np.random.default_rng([seed, *text.encode()])
    return generator.normal(size=dimension).astype(np.float32)


def openai_vectors(asked: Asked, dimension: int = 8, seed: int = 0) -> Reply:
    """A good answer, in the form asked for, in an order that is not that of the texts."""
    vectors = [vector_of(text, dimension, seed) for text in asked.body["input"]]
    encode = asked.body.get("encoding_format") == "base64"
    data = [
        {"index": at, "embedding": base64.b64encode(vector.tobytes()).decode() if encode else vector.tolist()}
        for at, vector in enumerate(vectors)
    ]
    return as_json({"data": data[::-1], "usage": {"prompt_tokens": 3 * len(vectors)}})


def events(*chunks: object, done: bool = True) -> Reply:
    """A stream of OpenAI's."""
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Reply(*lines, *([b"data: [DONE]\n\n"] if done else []), kind="text/event-stream")


def delta(finish: str | None = None, **members: object) -> dict[str, object]:
    """One chunk of a chat."""
    return {"choices": [{"index": 0, "delta": members, "finish_reason": finish}]}


WHOLE = (delta(content="It is "), delta(content="a daemon."), delta("stop"))
USAGE = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}


class ScriptedServer:
    """Answers by ``script``; remembers what it was asked, and how many requests were open at once."""

    def __init__(self) -> None:
        self.script: Any = openai_vectors
        self.asked: list[Asked] = []
        self.open = 0
        self.most_open = 0
        self.url = ""
        self.let_go = asyncio.Event()
        """Ends what hangs."""

    def replies(self, *replies: Reply | Callable[[Asked], Reply]) -> None:
        """One after the other; the last one from then on."""
        rest = list(replies)

        def script(asked: Asked) -> Reply:
            reply = rest.pop(0) if len(rest) > 1 else rest[0]
            return reply(asked) if callable(reply) else reply

        self.script = script

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            asked = await self._request(reader)
            self.asked.append(asked)
            reply = self.script(asked)
            await self._answer(writer, await reply if asyncio.iscoroutine(reply) else reply)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Asked:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Asked(first, headers, await reader.readexactly(int(headers["content-length"])))

    async def _answer(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        writer.write(reply.head)
        for piece in reply.pieces:
            await writer.drain()
            writer.write(piece)
            await asyncio.sleep(reply.pause)
        await writer.drain()
        if reply.hang:
            await self.let_go.wait()


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """On a free port of loopback, until the end of the block."""
    server = ScriptedServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        server.let_go.set()
        listener.close()


class Memory:
    """Probes, as the state keeps them."""

    def __init__(self) -> None:
        self.probes: dict[str, list[Probe]] = {}

    async def get(self, key: str) -> Sequence[Probe]:
        return self.probes.get(key, [])

    async def put(self, key: str, probe: Probe) -> None:
        self.probes.setdefault(key, []).append(probe)


async def decode_here(request: RemoteVectorsRequest, *, query: bool) -> RemoteVectors:
    """What a worker does."""
    return read_vectors(request)


async def redact_here(texts: Sequence[str]) -> Redacted:
    """What a worker does."""
    return redact(texts)


@asynccontextmanager
async def providers(
    folder: Path, *settings: ProviderSettings, rules: Sequence[RootSettings] = (), keys: dict[str, str] | None = None,
    memory: Memory | None = None, chain: tuple[str, ...] = (),
) -> AsyncIterator[Providers]:  # fmt: skip
    """Models of ``settings``, as the daemon builds them."""
    whole = Settings(
        socket=folder / "socket", state_directory=folder, providers=settings, rules=tuple(rules),
        chat=ChatSettings(chain=chain), embedding=EmbeddingSettings(chain=tuple(each.name for each in settings)),
    )  # fmt: skip
    metrics = Metrics()
    built = build_providers(
        whole,
        keys or {},
        Gate(whole.rule, metrics, redact_here),
        decode_here,
        memory or Memory(),
        metrics,
        make_client(CERTIFICATES),
    )
    try:
        yield built
    finally:
        await built.close()
