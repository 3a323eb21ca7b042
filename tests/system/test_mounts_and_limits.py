"""Real mounts over a root, and a real limit of watches: each daemon in namespaces of its own."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

import pytest
from daemon_harness import DEADLINE, KEYWORD_ONLY, QUICK, Daemon, until, write_files

CLONE_NEWNS, CLONE_NEWUSER = 0x0002_0000, 0x1000_0000  # unshare(2)
MS_REC_PRIVATE = 0x4000 | 0x4_0000  # mount(2)
FEW_WATCHES = 6

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
]


def own_mounts() -> None:
    """Runs in the child before its exec."""
    library = ctypes.CDLL(None, use_errno=True)
    failed = library.unshare(CLONE_NEWNS)
    failed |= library.mount(b"none", b"/", None, MS_REC_PRIVATE, None)
    if failed:
        raise OSError(ctypes.get_errno(), "cannot unshare")


def few_watches() -> None:
    """Runs in the child before its exec: a user namespace whose users have few watches (namespaces(7), ucounts)."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "cannot unshare")
    Path("/proc/self/uid_map").write_text("0 0 1")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text("0 0 1")
    Path("/proc/sys/user/max_inotify_watches").write_text(str(FEW_WATCHES))


def inside(daemon: Daemon, *command: str) -> None:
    """Run where the daemon sees its files."""
    subprocess.run(["nsenter", "--mount", "--target", str(daemon.pid), *command], check=True)


def write_inside(daemon: Daemon, path: Path, text: str) -> None:
    inside(daemon, "sh", "-c", f"printf '%s\\n' {text!r} > {path}")


def test_what_is_mounted_over_a_watched_directory_is_followed_and_what_was_there_comes_back(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 21)
    place = root / "package_2"
    daemon = Daemon(tmp_path / "place", root, **KEYWORD_ONLY)
    daemon.before_exec = own_mounts
    with daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        inside(daemon, "mount", "-t", "tmpfs", "none", str(place))
        until(lambda: len(daemon.indexed(root)) == 18, "what is hidden is forgotten")
        write_inside(daemon, place / "above.txt", "wombat")
        until(lambda: daemon.finds("wombat") == [str(place / "above.txt")], "the mounted directory is watched")
        inside(daemon, "umount", str(place))
        until(lambda: len(daemon.indexed(root)) == 21 and not daemon.finds("wombat"), "what was hidden is back")
        (place / "module_2.py").write_text("common = 'numbat'\n")
        until(lambda: daemon.finds("numbat"), "the directory below is watched again")


def test_a_procfs_below_a_root_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 3)
    (root / "proc").mkdir()
    daemon = Daemon(tmp_path / "place", root, **KEYWORD_ONLY)
    daemon.before_exec = own_mounts
    with daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        inside(daemon, "mount", "-t", "proc", "none", str(root / "proc"))
        until(lambda: "mounts_changed" in daemon.log, "the mount is noticed")
        (root / "sentinel.txt").write_text("quokka\n")
        until(lambda: daemon.finds("quokka"), "the root is scanned")
        assert daemon.client.status()["documents"] == 4


def test_a_limit_of_the_system_leaves_nothing_unseen_and_says_what_to_raise(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 40)
    config = QUICK.replace("[index]", "[index]\npoll_seconds = 0.2")
    daemon = Daemon(tmp_path / "place", root, config=config, **KEYWORD_ONLY)
    daemon.before_exec = few_watches
    with daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        info = daemon.client.roots()[0]
        assert 0 < info["watched_directories"] < FEW_WATCHES
        assert info["watched_directories"] + info["polled_directories"] == 8
        problem = next(each for each in daemon.client.health()["problems"] if "polled" in each)
        assert "raise fs.inotify.max_user_watches" in problem
        for package in range(7):
            (root / f"package_{package}" / "late.py").write_text(f"common = 'late {package}'\n")
        daemon.follows(root)
        write_files(root / "more", 10, start=200)
        daemon.follows(root)
