"""``agentctl`` among other processes: stopping a daemon, pipes that close, following in a pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scripted_peer import Result, ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
PEER = CHECKOUT / "tests" / "scripted_peer.py"
ENVIRON = {**os.environ, "PYTHONPATH": str(CHECKOUT)}


def agentctl(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "agentd.cli.main", *arguments]
    return subprocess.Popen(command, env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    with ScriptedPeer(tmp_path / "s") as peer:
        yield peer


def start_daemon(path: Path, said_pid: int = 0) -> subprocess.Popen[bytes]:
    daemon = subprocess.Popen([sys.executable, str(PEER), str(path), str(said_pid)], stdout=subprocess.PIPE)
    assert daemon.stdout
    assert daemon.stdout.readline() == b"ready\n"
    return daemon


def test_stop_sends_sigterm_and_returns_when_the_process_has_ended(tmp_path: Path) -> None:
    with start_daemon(tmp_path / "s") as daemon:
        stopping = agentctl("stop", "--socket", str(tmp_path / "s"))
        output, errors = stopping.communicate(timeout=20)
        assert (stopping.returncode, errors) == (0, "")
        assert output == f"agentd (process {daemon.pid}) has stopped\n"
        assert daemon.poll() is not None


def test_stop_gives_up_after_its_time_out(tmp_path: Path) -> None:
    with start_daemon(tmp_path / "s") as daemon:
        daemon.send_signal(signal.SIGSTOP)
        try:
            # Stopped processes still let the kernel accept; hello would hang, so the client's own limit ends it.
            stopping = agentctl("stop", "--socket", str(tmp_path / "s"), "--timeout", "1")
            output, errors = stopping.communicate(timeout=20)
        finally:
            daemon.send_signal(signal.SIGCONT)
            daemon.kill()
    assert (stopping.returncode, output) == (5, "")
    assert "did not answer within 1 s" in errors


def test_stop_leaves_a_socket_alone_that_a_service_manager_made(tmp_path: Path) -> None:
    with start_daemon(tmp_path / "s", said_pid=1) as daemon:
        stopping = agentctl("stop", "--socket", str(tmp_path / "s"))
        _, errors = stopping.communicate(timeout=20)
        assert stopping.returncode == 4
        assert f"made by process {daemon.pid}, but process 1 answers" in errors
        assert "systemctl --user stop agentd.socket" in errors
        assert daemon.poll() is None
        daemon.kill()


def test_a_reader_that_leaves_ends_the_command_quietly(peer: ScriptedPeer) -> None:
    files = [{"path": f"/r/{number}", "skip": None} for number in range(20_000)]
    peer.replies["list_files"] = Result({"files": files, "total": len(files), "next": None})
    listing = agentctl("files", "--socket", peer.path)
    assert listing.stdout
    assert listing.stderr
    assert listing.stdout.readline()
    listing.stdout.close()
    assert listing.stderr.read() == ""
    assert listing.wait(10) == 141
    listing.stderr.close()


def test_files_are_asked_for_page_by_page(peer: ScriptedPeer) -> None:
    page = {"files": [{"path": "/r/a", "skip": None}], "total": 9, "next": "a"}
    peer.replies["list_files"] = Result(page)
    listing = agentctl("files", "--socket", peer.path)
    assert peer.received.get(timeout=10) == ("list_files", {})
    assert peer.received.get(timeout=10) == ("list_files", {"after": "a"})
    listing.kill()
    listing.communicate(timeout=10)


def test_watch_prints_a_line_for_each_change_in_a_pipe(peer: ScriptedPeer) -> None:
    now = {"state": "indexing", "documents": 1, "pending": 2, "vectors": 3, "vectors_pending": 4, "degraded": ["x"]}
    peer.replies["index.status"] = Result(now)
    watching = agentctl("status", "--watch", "--socket", peer.path)
    assert watching.stdout
    first = watching.stdout.readline()
    assert first == "indexing: 1 files, 2 to read, 3 vectors, 4 to compute; degraded: x\n"
    for _ in range(2):  # unchanged: asked for again, and not printed
        peer.received.get(timeout=10)
    peer.replies["index.status"] = Result(now | {"state": "current"})
    assert watching.stdout.readline().startswith("current: ")
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=10)
    assert (watching.returncode, errors) == (130, "")


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_no_reason_to_fail(peer: ScriptedPeer, closed: str) -> None:
    assert in_shell(f'"$@" version --socket {peer.path} {closed}').returncode == 0


def test_what_cannot_be_written_is_a_failure_and_never_nothing_found(peer: ScriptedPeer) -> None:
    peer.replies["roots.list"] = Result({"roots": []})
    ended = in_shell(f'"$@" roots --json --socket {peer.path} > /dev/full')
    assert (ended.returncode, ended.stderr) == (4, "agentctl: No space left on device\n")


@pytest.mark.parametrize("arguments", ["add .", "show a.py"])
def test_a_current_directory_that_is_gone_is_named(peer: ScriptedPeer, tmp_path: Path, arguments: str) -> None:
    (tmp_path / "gone").mkdir()
    ended = in_shell(f'cd {tmp_path}/gone && rmdir ../gone && "$@" {arguments} --socket {peer.path}')
    assert ended.returncode == 4
    assert ended.stderr.startswith("agentctl: The current directory is gone: expected an absolute path, found ")


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which ``"$@"`` is ``agentctl``."""
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "agentd.cli.main"]
    return subprocess.run(command, env=ENVIRON, capture_output=True, text=True, timeout=20, check=False)
