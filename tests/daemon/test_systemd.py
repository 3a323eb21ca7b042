"""The daemon under a service manager that the test plays: its notify socket, its listening socket, its watchdog."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, KEYWORD_ONLY, Daemon, running, until, write_files

from agentd.client import AgentdClientError, Client
from agentd.daemon.locks import BoundSocket, listened_on
from agentd.daemon.systemd.notify import Notifier
from agentd.daemon.systemd.summary import summary
from agentd.errors import StateLockedError

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 'LISTEN_PID=$$ exec "$@"'
"""A shell keeps its process id over ``exec``, as the manager's own child does."""

HELLO = b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{}}\n'


class Manager:
    """Plays systemd: hands a socket over, and hears what the daemon says."""

    def __init__(self, address: str) -> None:
        self.heard: list[str] = []
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind("\0" + address[1:] if address.startswith("@") else address)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while message := self._notify.recv(4096):
            self.heard.append(message.decode())

    def hears(self, *words: str, after: int = 0) -> int:
        """Wait for a message with all of these words; where it stands in what was heard."""

        def found() -> list[int]:
            return [at for at, message in enumerate(self.heard) if at >= after and all(w in message for w in words)]

        until(found, f"{words} in {self.heard[after:]}")
        return found()[0]

    def close(self) -> None:
        with suppress(OSError):
            self._notify.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE)
        self._notify.close()


@contextmanager
def managed(place: Path, *roots: Path, listening: socket.socket | None = None, **environment: str) -> Iterator[Any]:
    """A daemon (not started yet) and its manager; the daemon inherits ``listening`` as descriptor 3."""
    place.mkdir(parents=True, exist_ok=True)
    manager = Manager(address := str(place / "notify"))
    daemon = Activated(place, *roots, **(KEYWORD_ONLY | {"NOTIFY_SOCKET": address} | environment))
    daemon.listening = listening
    try:
        yield daemon, manager
    finally:
        daemon.kill()
        manager.close()


class Activated(Daemon):
    """A daemon that is handed a listening socket, where there is one."""

    listening: socket.socket | None = None

    def spawn(self) -> subprocess.Popen[bytes]:
        if self.listening is None:
            return super().spawn()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTD_")}
        command = [sys.executable, "-m", "agentd", "--config", str(self.config), "--state-dir", str(self.state)]
        given = self.listening.fileno()
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "bash",
                    "-c",
                    f"exec 3<&{given}; {START}",
                    "bash",
                    *command,
                    "--socket",
                    str(self.socket),
                    *self.flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment | {"HOME": str(self.place), "LISTEN_FDS": "1"} | self.environment,
                pass_fds=(given,),
            )
        return self.process


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    """What a socket unit makes."""
    path = tmp_path / "place" / "run" / "agentd.sock"
    path.parent.mkdir(mode=0o700, parents=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        made.listen(1024)
        yield made


def test_the_manager_hears_of_the_start_the_work_a_reload_and_the_end(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 14)
    with managed(tmp_path / "place", tmp_path / "root", WATCHDOG_USEC="600000") as (daemon, manager):
        daemon.start()
        assert manager.heard[0] == "STATUS=opening the index"
        assert manager.hears("EXTEND_TIMEOUT_USEC=") < manager.hears("READY=1")
        daemon.client.wait("keyword", timeout=DEADLINE)
        manager.hears("STATUS=current: 14 files")
        first = manager.hears("WATCHDOG=1")
        manager.hears("WATCHDOG=1", after=first + 1)
        daemon.signal(signal.SIGHUP)
        reload = manager.hears("RELOADING=1", "MONOTONIC_USEC=")
        manager.hears("READY=1", after=reload)
        assert daemon.stop() == 0
        manager.hears("STOPPING=1", "EXTEND_TIMEOUT_USEC=35000000")  # 5 s to drain, 30 s to close


def test_a_configuration_that_is_refused_ends_the_reload_too(tmp_path: Path) -> None:
    with managed(tmp_path / "place") as (daemon, manager):
        daemon.start()
        ready = manager.hears("READY=1")
        daemon.config.write_text("nonsense = 1\n")
        daemon.signal(signal.SIGHUP)
        manager.hears("READY=1", after=max(manager.hears("RELOADING=1"), ready + 1))
        assert "reload_refused" in daemon.log
        assert daemon.stop() == 0


def test_no_sign_of_life_comes_while_the_writer_does_not_move(tmp_path: Path) -> None:
    """A transaction of another process holds the writer up, for as long as it waits for the lock."""
    with managed(tmp_path / "place", WATCHDOG_USEC="300000") as (daemon, manager):
        daemon.start()
        manager.hears("WATCHDOG=1")
        (tmp_path / "late").mkdir()
        with closing(sqlite3.connect(daemon.state / "index.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with Client(str(daemon.socket), timeout=DEADLINE) as client:
                adding = threading.Thread(target=add_or_fail, args=(client, tmp_path / "late"))
                adding.start()
                until(lambda: quiet(manager, 0.5), "the signs of life stop")
                assert daemon.client.hello()  # the loop moves
                other.execute("ROLLBACK")
                manager.hears("WATCHDOG=1", after=len(manager.heard))
                adding.join(DEADLINE)
        assert daemon.stop() == 0


def add_or_fail(client: Client, root: Path) -> None:
    """On a slow machine the writer may give up waiting for the lock."""
    with suppress(AgentdClientError):
        client.add_root(str(root))


def quiet(manager: Manager, seconds: float) -> bool:
    """Whether no sign of life came for so long; they come every tenth of a second."""
    before = manager.heard.count("WATCHDOG=1")
    time.sleep(seconds)  # what is waited for is that nothing comes
    return manager.heard.count("WATCHDOG=1") == before


def test_a_stopped_daemon_gives_no_sign_of_life(tmp_path: Path) -> None:
    with managed(tmp_path / "place", WATCHDOG_USEC="300000") as (daemon, manager):
        daemon.start()
        manager.hears("WATCHDOG=1")
        daemon.signal(signal.SIGSTOP)
        until(lambda: quiet(manager, 0.5), "the signs of life stop")
        daemon.signal(signal.SIGCONT)
        manager.hears("WATCHDOG=1", after=len(manager.heard))
        assert daemon.stop() == 0


def test_a_socket_that_was_handed_over_outlives_the_daemon_and_clients_wait_in_it(
    tmp_path: Path, listening: socket.socket
) -> None:
    with managed(tmp_path / "place", listening=listening) as (daemon, manager):
        early = socket.socket(socket.AF_UNIX)
        early.connect(str(daemon.socket))
        early.sendall(HELLO)
        daemon.start()
        assert json.loads(early.recv(4096))["id"] == 1
        early.close()
        assert manager.hears("READY=1")
        assert daemon.stop() == 0
        assert daemon.socket.exists()
        waiting = Client(str(daemon.socket), timeout=DEADLINE)  # connects while nobody runs
        daemon.start()
        assert waiting.hello()["pid"] == daemon.pid
        waiting.close()
        assert daemon.stop() == 0


def test_workers_inherit_nothing_of_the_manager(tmp_path: Path, listening: socket.socket) -> None:
    with managed(tmp_path / "place", listening=listening, CREDENTIALS_DIRECTORY=str(tmp_path / "keys")) as (daemon, _):
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys" / "openai").write_text("sk-value-of-a-key")
        daemon.start()
        (held,) = set(descriptors(daemon.pid, "3"))
        for pid in daemon.workers():
            variables = Path(f"/proc/{pid}/environ").read_bytes()
            assert not any(name in variables for name in (b"LISTEN_", b"NOTIFY_", b"CREDENTIALS_", b"WATCHDOG_"))
            assert held not in descriptors(pid)
        assert daemon.stop() == 0
        assert "sk-value" not in daemon.log


def descriptors(pid: int, number: str = "*") -> Iterator[str]:
    """What a process has open; it may close some meanwhile."""
    for link in Path(f"/proc/{pid}/fd").glob(number):
        with suppress(FileNotFoundError):
            yield str(link.readlink())


@pytest.mark.parametrize("kind", ["internet", "datagram", "connected", "abstract", "two", "none"])
def test_another_kind_of_socket_is_refused_with_a_sentence(tmp_path: Path, kind: str) -> None:
    family = socket.AF_INET if kind == "internet" else socket.AF_UNIX
    with socket.socket(family, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as given:
        if kind == "abstract":
            given.bind(f"\0agentd-test-{os.getpid()}")
            given.listen()
        elif kind in {"internet", "two"}:
            given.bind(("127.0.0.1", 0) if kind == "internet" else str(tmp_path / "two"))
            given.listen()
        count = {"two": "2"}.get(kind, "1")
        with managed(tmp_path / "place", listening=given, LISTEN_FDS=count, LISTEN_FDNAMES="") as (daemon, _):
            if kind == "none":
                daemon.environment["LISTEN_FDS"] = "0x1"
            daemon.spawn()
            assert daemon.exit_code() == 2  # a restart would not mend it
            assert ("expected one" if kind == "two" else "expected a") in daemon.log


def test_a_daemon_by_hand_leaves_the_managers_socket_alone(tmp_path: Path, listening: socket.socket) -> None:
    path = tmp_path / "place" / "run" / "agentd.sock"
    assert listened_on(path)
    with pytest.raises(StateLockedError, match="service manager"), BoundSocket(path, 10):
        pass
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))  # still its socket
    listening.close()
    assert not listened_on(path)
    with BoundSocket(path, 10):
        assert listened_on(path)


def test_check_names_the_credentials_and_shows_none(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "openai").write_text("sk-value-of-a-key\n")
    (keys / "web.token").write_text("another value\n")
    environ = {**os.environ, "CREDENTIALS_DIRECTORY": str(keys), "AGENTD_STATE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "agentd", "--check"], env=environ, capture_output=True, check=True)
    assert b"# credentials: openai, web.token\n" in done.stdout
    assert b"value" not in done.stdout + done.stderr


def test_a_manager_that_is_gone_costs_one_line_of_the_log(tmp_path: Path) -> None:
    with running(tmp_path / "place", NOTIFY_SOCKET=str(tmp_path / "gone"), WATCHDOG_USEC="30000") as daemon:
        until(lambda: "notify_failed" in daemon.log)
        assert daemon.client.health()
    assert daemon.log.count("notify_failed") == 1


def test_the_abstract_namespace_and_a_full_queue_are_no_trouble() -> None:
    address = f"@agentd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind("\0" + address[1:])
        with Notifier(address) as notifier:
            for _ in range(10_000):
                notifier.alive()  # returns at once, also when nobody takes them
        assert deaf.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"roots": []}, "current: no folders yet, see agentctl add"),
        ({"state": "indexing", "pending": 1204}, "indexing: 1,204 files left"),
        ({"state": "embedding", "vectors_pending": 1}, "embedding: 1 passage left"),
        ({"degraded": ["a", "b"]}, "current: 3,310 files; 2 problems, see agentctl status"),
    ],
)
def test_the_index_in_one_line(changes: dict[str, Any], line: str) -> None:
    status = {
        "state": "current", "roots": [{}], "pending": 0, "vectors_pending": 0, "documents": 3310, "degraded": [],
    }  # fmt: skip
    assert summary(status | changes) == line  # type: ignore[arg-type]


def test_a_client_that_comes_while_it_stops_is_answered_by_this_daemon_or_the_next(
    tmp_path: Path, listening: socket.socket
) -> None:
    with managed(tmp_path / "place", listening=listening) as (daemon, _):
        daemon.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(DEADLINE)
            daemon.signal(signal.SIGTERM)
            client.connect(str(daemon.socket))
            client.sendall(HELLO)
            assert daemon.exit_code() == 0
            daemon.start()
            assert json.loads(client.recv(4096))["id"] == 1
        assert daemon.stop() == 0
