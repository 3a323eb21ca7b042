"""A state directory on a disk that is really full: a small file system of its own, which nobody else sees."""

from __future__ import annotations

import ctypes
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from daemon_harness import KEYWORD_ONLY, Daemon, until

if TYPE_CHECKING:
    from pathlib import Path

CLONE_NEWNS = 0x0002_0000  # unshare(2)
MS_REC_PRIVATE = 0x4000 | 0x4_0000  # mount(2)

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
]


def own_disk(folder: Path, size: str) -> None:
    """Runs in the child before its exec: a mount namespace in which ``folder`` is a file system of ``size``."""
    library = ctypes.CDLL(None, use_errno=True)
    failed = library.unshare(CLONE_NEWNS)
    failed |= library.mount(b"none", b"/", None, MS_REC_PRIVATE, None)
    failed |= library.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size},mode=0700".encode())
    if failed:
        raise OSError(ctypes.get_errno(), "cannot mount")


def resize(daemon: Daemon, size: str) -> None:
    """Give the daemon's disk another size."""
    inside = ["nsenter", "--mount", "--target", str(daemon.pid), "mount", "-o", f"remount,size={size}"]
    subprocess.run([*inside, str(daemon.state)], check=True)


def write_corpus(root: Path, files: int) -> None:
    root.mkdir()
    for number in range(files):
        lines = (f"word{number}x{line} = 'filler text of some length, line {line}'" for line in range(200))
        (root / f"module_{number}.py").write_text("\n".join(lines))


def test_a_full_disk_is_named_searches_go_on_and_room_mends_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_corpus(root, 400)
    daemon = Daemon(tmp_path / "place", root, **KEYWORD_ONLY, AGENTD_LIMITS_FREE_DISK_MEGABYTES="0")
    daemon.state.mkdir(parents=True)
    daemon.before_exec = lambda: own_disk(daemon.state, "4m")
    with daemon:
        until(lambda: "full" in " ".join(daemon.client.health()["problems"]), "the full disk is named")
        assert daemon.client.status()["pending"] > 0
        daemon.client.search("filler text")  # answers, with whatever was indexed before
        resize(daemon, "400m")
        status = daemon.client.wait("keyword", timeout=60)
        assert status["pending"] == 0
        assert daemon.finds("word399x1")[0] == str(root / "module_399.py")
        until(lambda: daemon.client.health()["status"] == "degraded", "only the vectors are missing")
        until(lambda: "full" not in " ".join(daemon.client.health()["problems"]), "the problem is struck off")


def test_a_disk_that_fills_up_makes_indexing_wait_before_it_is_full(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_corpus(root, 400)
    daemon = Daemon(tmp_path / "place", root, **KEYWORD_ONLY, AGENTD_LIMITS_FREE_DISK_MEGABYTES="56")
    daemon.state.mkdir(parents=True)
    daemon.before_exec = lambda: own_disk(daemon.state, "60m")
    with daemon:
        until(lambda: daemon.client.status()["limits"]["free_disk"]["state"] == "paused", "indexing waits")
        assert any("limits.free_disk_megabytes is 56" in problem for problem in daemon.client.health()["problems"])
        daemon.client.search("filler text")  # answers, with whatever was indexed before
        resize(daemon, "400m")
        assert daemon.client.wait("keyword", timeout=60)["pending"] == 0
        assert "full" not in daemon.log
