"""Processes that are killed, hang, or come twice."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, alive, running, until, write_files

from agentd.client import AgentdClientError, Client

if TYPE_CHECKING:
    from pathlib import Path

MOMENTS = [round(random.Random(7).uniform(0.0, 0.8), 3) for _ in range(6)]  # noqa: S311 seeded on purpose


def test_kills_while_indexing_lose_nothing_and_leave_no_orphan(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 150)
    daemon = Daemon(tmp_path / "place", root)
    try:
        for round_number, moment in enumerate(MOMENTS):
            daemon.start()
            write_files(root, 20, start=200 + 20 * round_number)
            assert daemon.workers()
            time.sleep(moment)  # waits for nothing: this is when the kill comes
            daemon.kill()
            if (daemon.state / "index.db").exists():
                assert daemon.scalar("PRAGMA integrity_check") == "ok"
            assert daemon.socket.exists()  # stale; the next start replaces it
        with daemon:
            daemon.agrees(root)
            assert daemon.client.health()["status"] == "ok"
    finally:
        daemon.kill()


def test_killed_workers_are_replaced_and_search_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 60)
    with Daemon(tmp_path / "place", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        for number in range(3):
            write_files(root, 60, start=100 + 60 * number)
            until(lambda: daemon.client.status()["state"] != "current", "indexing has begun")
            for pid in daemon.workers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert daemon.finds("unique1")
        daemon.agrees(root)
        until(lambda: daemon.workers("interactive") and daemon.workers("bulk"), "workers are there again")
        hits = daemon.client.search("a class that holds steps", mode="vector")
        assert hits["hits"]
        assert not hits["degraded"]
        assert sum(lane["restarts"] for lane in daemon.client.stats()["compute"]["lanes"].values()) > 0


def test_an_embedding_worker_killed_under_a_search_costs_at_most_its_list(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 5)
    with Daemon(tmp_path / "place", root) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        for number in range(5):
            for pid in daemon.workers("interactive"):
                os.kill(pid, signal.SIGKILL)
            found = daemon.client.search(f"common task number {number}", min_score=0)
            assert found["hits"]


def test_a_worker_that_hangs_is_killed_at_its_time_limit(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 30)
    config = QUICK + "[compute]\ntask_timeout_seconds = 1.0\nbulk_workers = 1\n"
    with running(tmp_path / "place", root, config=config) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        (hung,) = daemon.workers("bulk")
        os.kill(hung, signal.SIGSTOP)
        write_files(root, 30, start=100)
        assert daemon.finds("unique1")
        until(lambda: not alive([hung]), "the hung worker is gone")
        assert len(daemon.agrees(root)) == 60
        assert "TaskTimeoutError" not in str(daemon.client.status()["skipped"])


def test_an_interactive_worker_that_hangs_leaves_keyword_search(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 5)
    with Daemon(tmp_path / "place", root) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        for pid in daemon.workers("interactive"):
            os.kill(pid, signal.SIGSTOP)
        found = daemon.client.search("common task", deadline_ms=500)
        assert found["hits"]
        assert not found["complete"]
        assert any("vector" in reason for reason in found["degraded"])


@pytest.mark.parametrize("shared", ["state", "socket"])
def test_a_second_daemon_is_refused_and_the_first_lives_on(tmp_path: Path, shared: str) -> None:
    with running(tmp_path / "first") as first:
        state, path = tmp_path / "second-state", tmp_path / "second.sock"
        state, path = (first.state, path) if shared == "state" else (state, first.socket)
        second = subprocess.run(
            [sys.executable, "-m", "agentd", "--state-dir", str(state), "--socket", str(path)],
            env=os.environ | {"HOME": str(tmp_path)},
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        assert second.returncode == 3
        line = json.loads(second.stderr.splitlines()[-1])
        assert line["event"] == "cannot_start"
        assert str(first.pid) in line["error"]
        assert first.client.health()["status"] == "degraded"  # embedding is off here, nothing else


def test_a_stop_while_indexing_ends_within_the_drain_limit(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 400)
    with Daemon(tmp_path / "place", root) as daemon:
        waiting = Client(str(daemon.socket), timeout=DEADLINE)
        stream = waiting.stream("index.wait", events=True)
        next(stream)
        began = time.monotonic()
        assert daemon.stop(within=10) == 0
        assert time.monotonic() - began < 8
        assert not daemon.socket.exists()
        with closing(waiting), pytest.raises(AgentdClientError) as error:
            list(stream)
        assert error.value.kind == "shutting_down"
        assert daemon.scalar("PRAGMA integrity_check") == "ok"


def test_an_ordinary_life_leaves_no_warning_in_the_log(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 20)
    with Daemon(tmp_path / "place", tmp_path / "root") as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        assert daemon.stop(within=10) == 0
        lines = [json.loads(line) for line in daemon.log.splitlines()]
        assert {line["level"] for line in lines} == {"info"}
        assert [line["new"] for line in lines if line["event"] == "root_scanned"] == [20]  # others find nothing


def test_keyword_search_is_complete_while_vectors_are_missing(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 400)
    with Daemon(tmp_path / "place", tmp_path / "root") as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        keyword = daemon.client.search("common task", mode="keyword")
        fusion = daemon.client.search("common task")
        assert daemon.client.status()["vectors_pending"] > 0
        assert (keyword["complete"], keyword["degraded"]) == (True, [])
        assert (fusion["complete"], fusion["degraded"]) == (False, ["vectors are still being computed"])


def test_a_second_signal_ends_a_drain_at_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 5)
    config = QUICK.replace("drain_seconds = 5.0", "drain_seconds = 600.0")
    with Daemon(tmp_path / "place", root, config=config) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        for pid in daemon.workers("interactive"):
            os.kill(pid, signal.SIGSTOP)
        with closing(socket.socket(socket.AF_UNIX)) as client:
            # A request that is under way for longer than the test may take.
            client.connect(str(daemon.socket))
            client.sendall(
                b'{"jsonrpc":"2.0","id":1,"method":"search","params":{"query":"x y","deadline_ms":300000}}\n'
            )
            until(lambda: daemon.client.stats()["server"]["in_flight"] >= 2, "the request is in flight")
            daemon.signal(signal.SIGTERM)
            until(lambda: '"stop' in daemon.log or not accepts(daemon), "it drains")
            assert daemon.process is not None
            assert daemon.process.poll() is None
            daemon.signal(signal.SIGTERM)
            assert daemon.exit_code(within=10) == 0


def accepts(daemon: Daemon) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(daemon.socket))
        except OSError:
            return False
        probe.settimeout(1)
        probe.sendall(b'{"jsonrpc":"2.0","id":1,"method":"health"}\n')
        with suppress(TimeoutError, OSError):
            return b"result" in probe.recv(4096)
    return False
