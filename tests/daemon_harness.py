"""A real daemon as a child process, and an oracle that says what its index must hold."""

from __future__ import annotations

import ctypes
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import psutil

from agentd.client import AgentdClientError, Client
from agentd.kernels.messages import ParseRequest, WalkRequest
from agentd.kernels.parse import parse_files
from agentd.kernels.walk import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

DEADLINE = 30.0
POLL_SECONDS = 0.02
SQLITE_BUSY_SECONDS = 5.0
NOBODY = 65534
PR_CAPBSET_DROP = 24  # prctl(2)
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2  # capabilities(7)

QUICK = """
[log]
format = "json"

[index]
rescan_seconds = 86400.0

[search]
max_limit = 1000
candidates = 5000
default_deadline_milliseconds = 20000

[server]
drain_seconds = 5.0
"""
"""No periodic scan: what the index learns, it learns from events. Bounds wide enough to list a whole view."""

KEYWORD_ONLY = {"AGENTD_EMBEDDING_ENABLED": "false"}


class Passage(NamedTuple):
    """A chunk, as the index must know it."""

    start_line: int
    end_line: int
    text: str


Tree = dict[str, tuple[str, tuple[Passage, ...]]]
"""Relative path -> (why it is skipped, or ``""``; its chunks)."""


def until(condition: Callable[[], object], what: str = "", within: float = DEADLINE) -> None:
    """Wait for what another process brings about and no event tells."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what or condition}"
        time.sleep(POLL_SECONDS)


class Daemon:
    """One ``python -m agentd`` with a state directory, a socket and a configuration file of its own below ``place``.

    ``start`` returns when it is connected; leaving the context stops it with SIGTERM and wants exit code 0, unless the
    test ended it before. ``program``, ``flags`` and ``environment`` may be changed between runs.
    """

    def __init__(self, place: Path, *roots: Path, config: str = QUICK, **environment: str) -> None:
        self.place = place
        self.state = place / "state"
        self.socket = place / "run" / "agentd.sock"
        self.config = place / "agentd.toml"
        self.program = ["-m", "agentd"]
        self.flags = [flag for root in roots for flag in ("--root", str(root))]
        self.environment = environment
        self.before_exec: Callable[[], None] | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None
        place.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and kind is None and self.process.poll() is None:
            assert self.stop() == 0, self.log
        self.kill()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and return at once."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTD_")}
        command = [sys.executable, *self.program, "--config", str(self.config), "--socket", str(self.socket)]
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--state-dir", str(self.state), *self.flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment | {"HOME": str(self.place)} | self.environment,
                preexec_fn=self.before_exec,  # noqa: PLW1509  # limits of the child; no thread runs here
            )
        return self.process

    def start(self) -> Self:
        """Start the process and wait until it answers."""
        process = self.spawn()

        def answers() -> bool:
            assert process.poll() is None, f"exit code {process.returncode}\n{self.log}"
            with suppress(AgentdClientError):
                self._client = Client(str(self.socket), timeout=DEADLINE)
                self._client.hello()
                return True
            return False

        until(answers, "the daemon answers")
        return self

    @property
    def client(self) -> Client:
        """One connection; made anew where the last was lost."""
        if self._client is None:
            self._client = Client(str(self.socket), timeout=DEADLINE)
        return self._client

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        return (self.place / "log").read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, within: float = DEADLINE) -> int:
        """SIGTERM, and its exit code. No worker is left behind."""
        workers = self.workers()
        self.signal(signal.SIGTERM)
        code = self.exit_code(within)
        assert not alive(workers)
        return code

    def exit_code(self, within: float = DEADLINE) -> int:
        """Wait for its end."""
        assert self.process is not None
        code = self.process.wait(within)
        self._disconnect()
        return code

    def kill(self) -> None:
        """SIGKILL, whatever it is doing; fine where it has ended. No worker outlives it."""
        self._disconnect()
        if self.process is not None and self.process.poll() is None:
            workers = self.workers()
            self.process.kill()
            self.process.wait(DEADLINE)
            until(lambda: not alive(workers), "the workers end with the daemon")

    def restart(self) -> Self:
        assert self.stop() == 0, self.log
        return self.start()

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def workers(self, lane: str = "") -> list[int]:
        """Process ids of the workers, of one lane where it is named."""
        found = []
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.Error):
                command = child.cmdline()
                if "agentd.compute.worker" in command and lane in {"", *command}:
                    found.append(child.pid)
        return found

    def database(self) -> sqlite3.Connection:
        """Another reader of ``index.db``."""
        return sqlite3.connect(f"file:{self.state}/index.db?mode=ro", uri=True, timeout=SQLITE_BUSY_SECONDS)

    def indexed(self, root: Path) -> Tree:
        """What ``index.db`` holds of a root, pending documents under ``pending``."""
        with closing(self.database()) as connection:
            rows = connection.execute(
                "SELECT d.path, iif(d.state = 'pending', 'pending', d.skip), c.start_line, c.end_line, c.text "
                "FROM root r JOIN document d ON d.root_id = r.id LEFT JOIN chunk c ON c.document_id = d.id "
                "WHERE r.path = ? ORDER BY d.path, c.ordinal",
                (str(root),),
            ).fetchall()
        tree: Tree = {}
        for path, skip, start_line, end_line, text in rows:
            passages = tree.get(path, ("", ()))[1]
            tree[path] = (skip, passages if text is None else (*passages, Passage(start_line, end_line, text)))
        return tree

    def scalar(self, sql: str) -> Any:
        with closing(self.database()) as connection:
            return connection.execute(sql).fetchone()[0]

    def follows(self, root: Path, *, exclude: tuple[str, ...] = (), within: float = DEADLINE) -> Tree:
        """Wait, without asking for a scan, until the index and its keyword view are equal to the disk."""
        expected = on_disk(root, exclude)
        try:
            until(lambda: self.indexed(root) == expected, within=within)
        except AssertionError:
            raise AssertionError(differences(self.indexed(root), expected)) from None
        until(self._views_current, "the views catch up", within)
        return expected

    def agrees(self, root: Path, *, exclude: tuple[str, ...] = ()) -> Tree:
        """Ask for a scan and compare index, keyword view and vector view with the disk."""
        status = self.client.wait("vectors", timeout=DEADLINE)
        expected = on_disk(root, exclude)
        assert self.indexed(root) == expected, differences(self.indexed(root), expected)
        texts = {(path, *passage) for path, (_, passages) in expected.items() for passage in passages}
        shown = {
            (os.path.relpath(hit["path"], root), hit["start_line"], hit["end_line"], hit["text"])
            for hit in self.client.search("common", mode="keyword", limit=1000, roots=[str(root)])["hits"]
        }
        assert shown == {each for each in texts if "common" in each[3]}
        if status["space"] is not None:
            found = self.client.search("common", mode="vector", limit=1000, roots=[str(root)])
            assert found["total"] == sum(each["vectors"] for each in status["roots"] if each["path"] == str(root))
            assert status["vectors_pending"] == 0
        return expected

    def _views_current(self) -> bool:
        status = self.client.status()
        return status["keyword_generation"] == status["generation"]

    def finds(self, query: str, **options: Any) -> list[str]:
        """Paths of the hits for ``query`` by keyword, each once, best first."""
        hits = self.client.search(query, **({"mode": "keyword"} | options))["hits"]
        return list(dict.fromkeys(hit["path"] for hit in hits))


def on_disk(root: Path, exclude: tuple[str, ...] = ()) -> Tree:
    """What an index of ``root`` must hold, by the kernels alone: no daemon, no database."""
    pages = list(walk(WalkRequest(root=str(root), exclude=exclude)))
    entries = [entry for page in pages for entry in page.entries]
    tree: Tree = {entry.path: (str(entry.skip or ""), ()) for entry in entries}
    readable = tuple(entry.path for entry in entries if entry.skip is None)
    for parsed in parse_files(ParseRequest(root=str(root), paths=readable)):
        passages = tuple(Passage(chunk.start_line, chunk.end_line, chunk.text) for chunk in parsed.chunks)
        tree[parsed.path] = (str(parsed.skip or ""), passages)
    return tree


def differences(found: Tree, expected: Tree) -> str:
    """The first few, for the person who reads a failure."""
    wrong = sorted(path for path in found.keys() | expected.keys() if found.get(path) != expected.get(path))
    lines = [f"{path}: expected {expected.get(path)}, found {found.get(path)}" for path in wrong[:5]]
    return "\n".join([f"{len(wrong)} of {len(expected)} files differ", *lines])


def write_files(root: Path, count: int, start: int = 0) -> list[Path]:
    """Modules with a word in common and one of their own each, some with two chunks, over a few folders."""
    paths = [root / f"package_{number % 7}" / f"module_{number}.py" for number in range(start, start + count)]
    for number, path in enumerate(paths, start):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(module_text(number))
    return paths


def module_text(number: int) -> str:
    body = f'def task_{number}():\n    """A common task, unique{number}."""\n    return {number}\n'
    more = f"\n\nclass Holder{number}:\n" + "".join(
        f"    def step_{line}(self):\n        return 'common step {line} of holder {number}'\n\n" for line in range(20)
    )
    return body + (more if number % 5 == 0 else "")


@contextmanager
def running(place: Path, *roots: Path, **options: Any) -> Iterator[Daemon]:
    """A daemon that searches by keyword alone: what most of its behaviour does not depend on is left out."""
    before_exec = options.pop("before_exec", None)
    daemon = Daemon(place, *roots, **(KEYWORD_ONLY | options))
    daemon.before_exec = before_exec
    with daemon:
        yield daemon


def obey_permissions() -> None:
    """Before the exec of a child: take from root what lets it read and write everything. Its uid stays, because the
    interpreter may lie where only root looks; files of mode 0 are as closed to it as to anybody.
    """
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def alive(pids: Sequence[int]) -> list[int]:
    """Those that still run; a zombie has ended."""
    found = []
    for pid in pids:
        with suppress(psutil.Error):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found
