"""A real daemon that cannot watch everything, or whose watches are taken from it: the index follows the disk."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, running, until, write_files

from agentd.client import AgentdClientError

FEW = QUICK.replace("[index]", "[index]\npoll_seconds = 0.2") + "\n[limits]\nwatches = 4\n"
"""Fewer watches than directories, and looks at the others that a test can wait for."""


def info(daemon: Daemon, root: Path) -> dict[str, Any]:
    return next(dict(each) for each in daemon.client.roots() if each["path"] == str(root))


def watches(daemon: Daemon) -> int:
    """How many watches the kernel holds for the daemon (proc(5), fdinfo)."""
    found = 0
    for descriptor in Path(f"/proc/{daemon.pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):
            found += descriptor.read_text().count("inotify wd:")
    return found


def test_what_the_limit_leaves_is_polled_and_followed_all_the_same(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 21)
    with running(tmp_path / "place", root, config=FEW) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        cover = info(daemon, root)
        assert cover["directories"] == 8
        assert 0 < cover["watched_directories"] <= 4
        assert cover["watched_directories"] + cover["polled_directories"] == 8
        assert cover["coverage"] == cover["watched_directories"] / 8 * 100
        assert not cover["watched"]
        problem = next(each for each in daemon.client.health()["problems"] if str(root) in each)
        assert "are polled every 0.2 s" in problem
        assert "raise limits.watches" in problem
        above = len(root.parents) - 1
        assert watches(daemon) <= 4 + above + 1  # and the one by which it sees that events arrive
        for package in range(7):
            (root / f"package_{package}" / f"module_{package}.py").write_text(f"common = 'edited {package}'\n")
        daemon.follows(root)
        shutil.rmtree(root / "package_2")
        (root / "package_4" / "module_4.py").unlink()
        (root / "package_5").rename(root / "renamed")
        write_files(root / "new" / "below", 8, start=100)
        daemon.follows(root)
        (root / "new" / "below" / "package_3" / "module_101.py").write_text("common = 'in a new directory'\n")
        daemon.follows(root)
        assert info(daemon, root)["directories"] == 16


def test_a_limit_that_is_raised_or_lowered_takes_effect_at_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 21)
    with running(tmp_path / "place", root, config=FEW) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        for limit, least, most in ((1000, 8, 8), (3, 1, 3), (0, 8, 8)):
            daemon.config.write_text(FEW.replace("watches = 4", f"watches = {limit}"))
            daemon.signal(signal.SIGHUP)
            until(lambda: least <= info(daemon, root)["watched_directories"] <= most, f"limit {limit} is in force")  # noqa: B023  # called at once
            (root / "package_6" / "module_6.py").write_text(f"common = 'under a limit of {limit}'\n")
            daemon.follows(root)
        assert info(daemon, root)["coverage"] == 100
        assert not [each for each in daemon.client.health()["problems"] if "polled" in each]


def test_the_watches_go_to_the_folders_that_are_worked_in(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for root in (old, new):
        write_files(root, 21)
    for path in old.rglob("*.py"):
        os.utime(path, (0, 0))
    with running(tmp_path / "place", old, config=FEW.replace("watches = 4", "watches = 12")) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        assert info(daemon, old)["coverage"] == 100
        daemon.client.add_root(str(new))
        until(lambda: info(daemon, new)["coverage"] == 100, "the new root is watched")
        until(lambda: info(daemon, old)["polled_directories"] >= 4, "the old root gave its watches away")
        daemon.follows(old)
        (old / "package_3" / "module_3.py").write_text("common = 'seen without a watch'\n")
        daemon.follows(old)


def test_junk_and_ignored_folders_get_no_watch(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 3)
    for junk in ("node_modules/x/y", ".git/objects/aa", "ignored/deep", ".venv/lib"):
        (root / junk).mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").touch()
    (root / ".gitignore").write_text("ignored/\n")
    with running(tmp_path / "place", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        assert info(daemon, root)["directories"] == 4
        above = len(root.parents) - 1
        assert watches(daemon) <= 4 + above + 1


def test_a_removed_root_gives_its_watches_back(tmp_path: Path) -> None:
    with running(tmp_path / "place") as daemon:
        for name in ("one", "two"):
            write_files(tmp_path / name, 21)
            daemon.client.add_root(str(tmp_path / name))
        daemon.client.wait("keyword", timeout=DEADLINE)
        before = watches(daemon)
        daemon.client.remove_root(str(tmp_path / "two"))
        assert watches(daemon) == before - 8
        daemon.client.remove_root(str(tmp_path / "one"))
        assert watches(daemon) == 1  # the one by which it sees that events arrive


def test_a_folder_above_a_root_may_move_and_another_take_its_place(tmp_path: Path) -> None:
    root = tmp_path / "outer" / "middle" / "root"
    write_files(root, 5)
    with running(tmp_path / "place", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        (tmp_path / "outer").rename(tmp_path / "away")
        write_files(root, 3, start=60)
        assert len(daemon.follows(root)) == 3
        (root / "package_4" / "module_60.py").write_text("common = 'in the new place'\n")
        daemon.follows(root)
        (tmp_path / "away" / "middle" / "root" / "package_1" / "module_1.py").write_text("common = 'elsewhere'\n")
        assert daemon.finds("elsewhere") == []


def test_a_flood_that_overflows_the_queue_is_followed(tmp_path: Path) -> None:
    """The daemon stands still while more happens than the kernel keeps for it."""
    root = tmp_path / "root"
    write_files(root, 5)
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    with running(tmp_path / "place", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        daemon.signal(signal.SIGSTOP)
        for number in range(most // 3 + 500):
            path = root / f"file_{number % 50}.txt"
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            path.unlink()
        write_files(root / "late", 10, start=300)  # of these the kernel can tell nothing
        daemon.signal(signal.SIGCONT)
        daemon.follows(root)
        assert "watch_events_lost" in daemon.log


def test_what_the_kernel_makes_up_is_no_root(tmp_path: Path) -> None:
    with running(tmp_path) as daemon:
        for place in ("/proc", "/sys", "/proc/self/task", "/dev", "/dev/pts"):
            with pytest.raises(AgentdClientError, match="kernel's own making") as error:
                daemon.client.add_root(place)
            assert error.value.kind == "root_invalid"
