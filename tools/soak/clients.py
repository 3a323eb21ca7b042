"""Those who ask while the tree changes: one who checks every answer, one who never reads what it asked for."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from soak.tree import Tree

TOKEN_SECONDS = 20.0
"""How long a passage just written may take to be found, while a branch switch and dead workers are in the way."""
PATIENCE_SECONDS = 60.0
QUESTIONS = (
    "where is a connection closed",
    "parse a date header",
    "retry after a timeout",
    "how are log records formatted",
    "run a coroutine in a thread",
    "decode json",
    "class TestCase",
    "ElementTree",
    "quote a url",
    "import lock",
)
MODES: tuple[Literal["keyword", "vector", "fusion", "full"], ...] = ("keyword", "vector", "fusion", "full")
REFUSALS = {"busy", "deadline", "not_found", "symbol_not_found", "invalid_params"}
"""Errors that are answers: the daemon has its hands full, or the tree has moved on since the question was made up."""


class Visitor(threading.Thread):
    """A client in a thread of its own, until told to leave."""

    def __init__(self, name: str, socket_path: Path, rng: Random) -> None:
        super().__init__(name=name, daemon=True)
        self._socket = str(socket_path)
        self._rng = rng
        self._leave = threading.Event()

    def leave(self) -> None:
        """Let it end what it is about, then end."""
        self._leave.set()
        self.join(PATIENCE_SECONDS)


class Asker(Visitor):
    """Asks one question after the other, of every kind, until told to leave.

    Half of the time it holds ``still``, the lock without which nobody changes the tree: then every hit must stand on
    disk, word for word. ``wrong`` are answers that do not.
    """

    def __init__(self, socket_path: Path, tree: Tree, still: threading.Lock, rng: Random) -> None:
        super().__init__("asker", socket_path, rng)
        self.wrong: list[str] = []
        self.answers = 0
        self.checked_hits = 0
        self.refused: dict[str, int] = {}
        self._tree = tree
        self._still = still

    def run(self) -> None:
        """A new connection now and then."""
        while not self._leave.is_set():
            with closing(Client(self._socket, timeout=PATIENCE_SECONDS)) as client:
                for _ in range(self._rng.randint(1, 40)):
                    if not self._leave.is_set():
                        self._ask(client)

    def _ask(self, client: Client) -> None:
        try:
            if self._rng.random() < 0.5:
                with self._still:
                    self._search(client, strict=True)
            elif self._rng.random() < 0.5:
                self._search(client, strict=False)
            else:
                self._rng.choice(QUERIES)(client, str(self._tree.pick()), self._rng)
            self.answers += 1
        except AgentdClientError as error:
            self.refused[error.kind] = self.refused.get(error.kind, 0) + 1
            if error.kind not in REFUSALS:
                self.wrong.append(f"{error.kind}: {error}")
        except FileNotFoundError:  # picked, and deleted before it was looked at
            pass

    def _search(self, client: Client, *, strict: bool) -> None:
        mode = self._rng.choice(MODES)
        if self._rng.random() < 0.2:
            found = client.multi_search(self._rng.sample(QUESTIONS, 3), mode=mode)
        else:
            found = client.search(self._rng.choice(QUESTIONS), mode=mode, limit=self._rng.randint(1, 50))
        if strict:
            for hit in found["hits"]:
                self._check(hit)

    def _check(self, hit: Any) -> None:
        """A hit that is not marked must be what is on disk."""
        self.checked_hits += 1
        lines = Path(hit["path"]).read_text(errors="replace").splitlines() if Path(hit["path"]).exists() else []
        shown = "\n".join(lines[hit["start_line"] - 1 : hit["end_line"]])
        text = "\n".join(hit["text"].splitlines())
        if not hit["stale"] and not hit.get("cut") and text.strip() not in shown:
            self.wrong.append(f"{hit['path']}:{hit['start_line']}: expected {shown[:200]!r}, found {text[:200]!r}")


QUERIES: tuple[Callable[[Client, str, Random], object], ...] = (
    lambda client, path, rng: client.read_span(path, 1, rng.randint(1, 400)),
    lambda client, path, rng: client.related(path, rng.randint(1, 100)),
    lambda client, path, _: client.find_symbol(Path(path).stem.title()),
    lambda client, _, rng: client.find_symbol(rng.choice(("run", "get", "close", "write", "parse"))),
    lambda client, _, rng: client.callers(rng.choice(("close", "parse", "run", "quote"))),
    lambda client, _, rng: client.callees(rng.choice(("main", "run", "urlopen"))),
    lambda client, path, _: client.dependencies(path=path),
    lambda client, path, _: client.dependents(path=path),
    lambda client, path, _: client.complexity(str(Path(path).parent)),
    lambda client, _, __: client.list_files(limit=200),
    lambda client, _, rng: client.verify(client.ask(rng.choice(QUESTIONS))["id"]),
    lambda client, _, __: client.answers(),
    lambda client, _, __: client.status(),
    lambda client, _, __: client.request("stats"),
    lambda client, _, __: client.request("health"),
)
"""Questions whose answers are only asked for: their time, and that they come."""


class SlowClient(Visitor):
    """Asks for much and reads none of it, hangs up in the middle, and comes again."""

    def __init__(self, socket_path: Path, rng: Random) -> None:
        super().__init__("slow-client", socket_path, rng)

    def run(self) -> None:
        """As rude as a client can be without being refused."""
        while not self._leave.is_set():
            with suppress(OSError), closing(socket.socket(socket.AF_UNIX)) as client:
                client.settimeout(1.0)
                client.connect(self._socket)
                for number in range(self._rng.randint(1, 60)):
                    client.sendall(self._line(number))
                self._leave.wait(self._rng.uniform(0.0, 5.0))

    def _line(self, number: int) -> bytes:
        method, params = self._rng.choice(
            (
                ("search", '{"query": "self", "limit": 100}'),
                ("list_files", '{"limit": 1000}'),
                ("index.events", "{}"),
                ("graph.callers", '{"symbol": "close"}'),
            )
        )
        line = f'{{"jsonrpc": "2.0", "id": {number}, "method": "{method}", "params": {params}}}\n'
        return line.encode()[: self._rng.choice((None, None, None, 30))]


def seconds_until_found(client: Client, path: Path, token: str) -> float | None:
    """How long until a search finds a token in the file; None where it does not in time."""
    began = time.monotonic()
    while time.monotonic() - began < TOKEN_SECONDS:
        with suppress(AgentdClientError):
            if any(hit["path"] == str(path) for hit in client.search(token, mode="keyword")["hits"]):
                return time.monotonic() - began
        time.sleep(0.01)
    return None
