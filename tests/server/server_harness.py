"""A real server on a real socket, with services that do as the test says."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from agent_stub import StubAgents
from answer_stub import StubAnswers
from graph_stub import StubGraph

from agentd.config.settings import ServerSettings
from agentd.errors import OutsideRootsError, RootNotFoundError
from agentd.server.listener import Server
from agentd.server.params import SearchParams

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from agentd.protocol import FileList, IndexStatus, InspectedFile, RootInfo, SearchResult, Span
    from agentd.server.params import InspectParams, ListFilesParams, MultiSearchParams
    from agentd.server.services import Goal
    from agentd.server.stats import ServerStats

LINE_LIMIT = 64 * 1024 * 1024
PATIENCE_SECONDS = 10.0

ROOT: RootInfo = {
    "path": "/home/ada/engine",
    "origin": "added",
    "state": "current",
    "documents": 2,
    "pending": 0,
    "chunks": 9,
    "vectors": 9,
    "vectors_pending": 0,
    "skipped": {"binary": 1},
    "watched": True,
    "directories": 1,
    "watched_directories": 1,
    "polled_directories": 0,
    "coverage": 100.0,
    "filesystem": "ext4",
    "scanned_at": 1763800000.5,
}
STATUS: IndexStatus = {
    "state": "current",
    "generation": 12,
    "keyword_generation": 12,
    "vector_generation": 12,
    "graph_pending": 0,
    "roots": [ROOT],
    "documents": 2,
    "pending": 0,
    "chunks": 9,
    "vectors": 9,
    "vectors_pending": 0,
    "skipped": {"binary": 1},
    "files_per_second": 0.0,
    "vectors_per_second": 0.0,
    "eta_seconds": None,
    "space": "onnx/all-MiniLM-L6-v2/384/1",
    "spaces": [
        {
            "space": "onnx/all-MiniLM-L6-v2/384/1",
            "provider": "local",
            "position": 0,
            "vectors": 9,
            "pending": 0,
            "state": "ok",
            "reason": "",
        }
    ],
    "providers": [
        {
            "name": "box",
            "kind": "openai",
            "purposes": ["chat"],
            "state": "ok",
            "reason": "",
            "last_failure": "",
            "last_failure_at": None,
            "counts": {"requests": 4, "failures": 0, "tokens": 2100},
        }
    ],
    "degraded": [],
    "disk_bytes": {"database": 40960, "keyword": 8192, "vectors": 3456},
    "limits": {"memory": {"used": 217055232, "limit": 1073741824, "state": "ok"}},
}


class StubServices:
    """Answers at once, but ``hang`` waits for ``release``, ``crash`` raises, and ``big N`` gives N characters."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.hanging = asyncio.Semaphore(0)  # released once for each query that hangs
        self.cancelled = asyncio.Semaphore(0)  # released once for each of them that was cancelled
        self.events: asyncio.Queue[Mapping[str, object] | None] = asyncio.Queue()
        self.current = True
        self.searches = 0
        self.graph = StubGraph()
        self.answers = StubAnswers()
        self.agents = StubAgents()

    async def search(self, params: SearchParams, deadline: float | None) -> SearchResult:
        self.searches += 1
        verb, _, rest = params.query.partition(" ")
        if verb == "hang":
            await self._hang()
        if verb == "crash":
            raise ZeroDivisionError(f"secret of {params.query}")
        text = "x" * int(rest) if verb == "big" else "def retry(policy):\n    ..."
        return {
            "hits": [
                {
                    "path": "/home/ada/engine/retry.py",
                    "root": "/home/ada/engine",
                    "start_line": 4,
                    "end_line": 5,
                    "language": "python",
                    "kind": "code",
                    "symbol": "retry",
                    "context": "",
                    "score": 0.18,
                    "text": text,
                    "stale": False,
                    "confidence": "high",
                    "why": {
                        "keyword_rank": 1,
                        "keyword_score": 7.2,
                        "vector_rank": 2,
                        "vector_score": 0.61,
                        "features": {"keyword": 1.0},
                    },
                }
            ],
            "total": 1,
            "generation": 12,
            "complete": deadline is None,
            "degraded": [],
            "skipped": [],
            "cut": [],
            "totals": {"hits": 1, "files": 1, "tokens": 42, "cut": {}},
            "relevance": 0.82,
            "explanation": {
                "query_type": "question",
                "names": [],
                "paths": [],
                "weights": {"keyword": 0.4},
                "evidence": {"similarity": 0.61},
            },
            "took_ms": 3.1,
        }

    async def multi_search(self, params: MultiSearchParams, deadline: float | None) -> SearchResult:
        result = await self.search(SearchParams(query=params.queries[0]), deadline)
        result["hits"][0]["queries"] = [{"query": number, "rank": 1} for number in range(len(params.queries))]
        del result["hits"][0]["why"], result["explanation"]
        return result

    async def _hang(self) -> None:
        self.hanging.release()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.release()
            raise

    async def read_span(
        self,
        path: str,
        start_line: int,
        end_line: int | None,
        *,
        masked: bool = False,  # noqa: ARG002  # there are no secrets in it
    ) -> Span:
        if not path.startswith("/home/ada/engine/"):
            raise OutsideRootsError(
                f"{path} is in no root; `agentctl roots` lists them, `agentctl add DIR` adds one", path=path
            )
        text = "def retry(policy):\n    ..."
        end = end_line or 5
        return {
            "path": path,
            "root": "/home/ada/engine",
            "start_line": start_line,
            "end_line": end,
            "total_lines": 5,
            "text": text,
            "cut": False,
        }

    async def list_files(self, params: ListFilesParams) -> FileList:
        skip = "binary" if params.skipped else None
        return {
            "files": [
                {
                    "path": "/home/ada/engine/retry.py",
                    "root": "/home/ada/engine",
                    "language": "python",
                    "kind": "code",
                    "size": 310,
                    "chunks": 4,
                    "skip": skip,
                }
            ],
            "total": 2,
            "next": "engine/retry.py",
        }

    async def add_root(self, path: str) -> RootInfo:
        return {**ROOT, "path": path}

    async def remove_root(self, path: str) -> Mapping[str, object]:
        if path != ROOT["path"]:
            raise RootNotFoundError(f"{path} is no root; `agentctl roots` lists them", path=path)
        return {"removed": path, "documents": 2}

    async def roots(self) -> Sequence[RootInfo]:
        return [ROOT]

    async def index_status(self) -> IndexStatus:
        return STATUS

    async def index_wait(self, _goal: Goal, progress: Callable[[IndexStatus], None] | None) -> IndexStatus:
        if progress is not None:
            progress({**STATUS, "state": "indexing"})
        if not self.current:
            await self._hang()
        return STATUS

    async def reindex(self, path: str | None) -> Mapping[str, object]:
        return {"scheduled": 2 if path is None else 1}

    async def inspect(self, _params: InspectParams) -> Sequence[InspectedFile]:
        return [
            {
                "path": "/home/ada/engine/retry.py",
                "root": "/home/ada/engine",
                "state": "indexed",
                "skip": None,
                "size": 310,
                "modified_ns": 1763800000500000000,
                "passage": {"start_line": 4, "end_line": 5, "text": "def retry(policy):\n    ...", "embedded": True},
            }
        ]

    async def index_events(self) -> AsyncGenerator[Mapping[str, object], None]:
        self.hanging.release()
        try:
            while (event := await self.events.get()) is not None:
                yield event
        finally:
            self.cancelled.release()

    async def stats(self) -> Mapping[str, object]:
        return {"metrics": {}}

    async def metrics(self, server: ServerStats) -> str:  # noqa: ARG002 as the protocol has it
        return "# HELP agentd_chunks Passages.\n# TYPE agentd_chunks gauge\nagentd_chunks 9\n"

    async def health(self) -> Mapping[str, object]:
        return {"status": "ok", "problems": []}


class Wire:
    """One end of a connection, which speaks in bytes and hears in lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, raw: bytes) -> None:
        self.writer.write(raw)

    def call(self, request_id: int | str, method: str, **params: object) -> None:
        self.send_json({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})

    def send_json(self, message: object) -> None:
        self.send(json.dumps(message).encode() + b"\n")

    async def receive(self) -> dict[str, Any]:
        """The next line; EOFError where the connection ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self.reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError(line)
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    async def ask(self, request_id: int | str, method: str, **params: object) -> dict[str, Any]:
        self.call(request_id, method, **params)
        while "id" not in (message := await self.receive()):
            assert message["params"]["id"] == request_id  # an event on the way
        assert message["id"] == request_id
        return message

    async def expect_end(self) -> bytes:
        """What still comes until the server closes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self.reader.read()
            except ConnectionResetError:  # the server closed with bytes of ours unread
                return b""

    def close(self) -> None:
        self.writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self.close()


class Harness:
    """A running server."""

    def __init__(self, path: str, services: StubServices, server: Server, stop: asyncio.Event) -> None:
        self.path = path
        self.services = services
        self.server = server
        self.stop = stop
        self.serving: asyncio.Task[None]

    async def connect(self) -> Wire:
        return Wire(*await asyncio.open_unix_connection(self.path, limit=LINE_LIMIT))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when a count is as expected; counts have no event of their own, so the loop is let run."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.001)

    async def finish(self) -> None:
        self.stop.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.serving


@asynccontextmanager
async def running(directory: Path, *, server_class: type[Server] = Server, **settings: Any) -> AsyncIterator[Harness]:
    """Serve below ``directory`` until left; fails where the server itself failed."""
    path = str(directory / "agentd.sock")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    services = StubServices()
    server = server_class(ServerSettings(**{"drain_seconds": 0.2, **settings}), services)
    harness = Harness(path, services, server, asyncio.Event())
    listening.listen()
    harness.serving = asyncio.create_task(server.serve(listening, harness.stop))
    try:
        yield harness
    finally:
        await harness.finish()


async def acquired(semaphore: asyncio.Semaphore) -> None:
    """Wait for one release, with a deadline."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await semaphore.acquire()
