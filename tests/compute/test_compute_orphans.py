"""Workers end with their daemon, however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import kernels_for_tests as k
import msgspec
import pytest
from compute_harness import is_running, lines, wait_blocking
from kernels_for_tests import Ask

from agentd.compute.frames import pack
from agentd.compute.messages import FromDaemon, Run, Setup

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


@contextmanager
def _bare_worker() -> Iterator[tuple[socket.socket, subprocess.Popen[bytes]]]:
    """A worker without a pool: our end of its socket, and its process."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "agentd.compute.worker", "bulk", str(theirs.fileno())]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with theirs:
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment)
    try:
        with ours:
            ours.settimeout(20)
            yield ours, process
    finally:
        process.kill()
        process.wait()


def test_kill_9_of_the_daemon_ends_a_worker_that_spins_and_one_that_holds_the_gil(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    daemon = subprocess.Popen([sys.executable, HERE / "daemon_for_tests.py", tmp_path], env=environment)
    try:
        wait_blocking((tmp_path / "pids").exists)
        workers = json.loads((tmp_path / "pids").read_text(encoding="ascii"))
        assert len(workers) == 2
        assert all(is_running(pid) for pid in workers)
    finally:
        daemon.kill()
        daemon.wait()
    wait_blocking(lambda: not any(is_running(pid) for pid in workers))


@pytest.mark.parametrize("busy", [True, False])
def test_a_worker_ends_when_its_socket_closes_although_its_parent_lives(tmp_path: Path, *, busy: bool) -> None:
    messages: list[FromDaemon] = [Setup("kernels_for_tests", 0, 0, 1 << 32)]
    if busy:
        messages.append(Run(k.SPIN.name, msgspec.Raw(msgspec.msgpack.encode(Ask(path=str(tmp_path / "spin"))))))
    with _bare_worker() as (ours, process):
        ours.sendall(b"".join(map(pack, messages)))
        if busy:
            wait_blocking(lambda: lines(tmp_path / "spin"))
        else:
            assert ours.recv(100)  # its hello
        ours.close()
        assert process.wait(20) == 0


def test_a_worker_whose_daemon_died_before_its_first_word_ends_quietly() -> None:
    with _bare_worker() as (ours, process):
        ours.close()
        assert process.wait(20) == 0


def test_a_worker_can_be_ended_by_sigterm_but_not_by_ctrl_c() -> None:
    with _bare_worker() as (ours, process):
        ours.sendall(pack(Setup("kernels_for_tests", 0, 0, 1 << 32)))
        assert ours.recv(100)  # its hello
        process.send_signal(signal.SIGINT)
        ours.sendall(pack(Run(k.ECHO.name, msgspec.Raw(msgspec.msgpack.encode(Ask())))))
        assert ours.recv(100)  # it still answers
        process.terminate()
        assert process.wait(20) == -signal.SIGTERM
