"""Roots on file systems that tell of nothing, and mounts that come and go: the table is made up, all else is real."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
from indexing_harness import documents, services, settled, until

from agentd.config.settings import IndexSettings
from agentd.errors import TaskTimeoutError
from agentd.indexing import planner
from agentd.indexing.mounts import Mount, Mounts

if TYPE_CHECKING:
    from pathlib import Path

    from agentd.daemon.bootstrap import Daemon

QUICK = IndexSettings(rescan_seconds=86400.0, quiet_milliseconds=20, poll_seconds=0.1)
DISK = Mount(1, "/", "ext4")


class Table:
    """What the next reader of the mount table finds."""

    def __init__(self) -> None:
        self.mounts = [DISK]

    def read(self) -> Mounts:
        return Mounts(self.mounts)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    table = Table()
    monkeypatch.setattr(planner, "read_mounts", table.read)
    return table


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a", "a/b", "c"):
        (root / name).mkdir(parents=True)
        (root / name / "file.txt").write_text(f"words of {name}\n")
    return root


def watched(daemon: Daemon, root: Path) -> set[str]:
    return {
        os.path.relpath(path, root) for path in daemon.index.planner.watcher.watched() if path.startswith(str(root))
    }


async def test_a_root_on_a_server_is_polled_and_followed(tmp_path: Path, root: Path, table: Table) -> None:
    table.mounts.append(Mount(2, str(root), "nfs4"))
    async with services(tmp_path, root, index=QUICK) as daemon:
        await settled(daemon)
        info = daemon.index.keepers[str(root)].coverage.info()
        assert (info["filesystem"], info["polled_directories"], info["coverage"]) == ("nfs4", 4, 0.0)
        assert watched(daemon, root) == set()
        problem = next(each for each in daemon.status.problems() if str(root) in each)
        assert "4 of 4 directories" in problem
        assert "nfs4 does not tell of changes made elsewhere" in problem
        done = daemon.ingest.files.total
        (root / "a" / "b" / "file.txt").write_text("changed on the server\n")
        (root / "new").mkdir()
        (root / "new" / "file.txt").write_text("made on the server\n")
        await until(lambda: daemon.ingest.files.total >= done + 2)
        (root / "new" / "file.txt").unlink()
        (root / "new").rmdir()
        assert await documents(daemon) == 4
        await eventually_documents(daemon, 3)
        await until(lambda: daemon.index.keepers[str(root)].coverage.directories == 4)


async def eventually_documents(daemon: Daemon, count: int) -> None:
    for _ in range(1000):
        if await documents(daemon) == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {count} documents")


async def test_only_what_is_mounted_from_a_server_is_polled(tmp_path: Path, root: Path, table: Table) -> None:
    table.mounts.append(Mount(2, str(root / "a"), "fuse.sshfs"))
    table.mounts.append(Mount(3, str(root / "a" / "b"), "ext4"))
    async with services(tmp_path, root, index=QUICK) as daemon:
        await settled(daemon)
        assert watched(daemon, root) == {".", "a/b", "c"}
        info = daemon.index.keepers[str(root)].coverage.info()
        assert (info["polled_directories"], info["coverage"], info["filesystem"]) == (1, 75.0, "ext4")
        assert any("fuse.sshfs does not tell" in problem for problem in daemon.status.problems())


async def test_what_the_kernel_makes_up_below_a_root_is_left_out(tmp_path: Path, root: Path, table: Table) -> None:
    table.mounts.append(Mount(2, str(root / "a"), "proc"))
    async with services(tmp_path, root, index=QUICK) as daemon:
        await settled(daemon)
        assert await documents(daemon) == 1
        assert watched(daemon, root) == {".", "c"}


async def test_a_mount_over_a_directory_is_followed_in_its_place(tmp_path: Path, root: Path, table: Table) -> None:
    async with services(tmp_path, root, index=QUICK) as daemon:
        await settled(daemon)
        keeper = daemon.index.keepers[str(root)]
        scans = keeper.scans
        table.mounts.append(Mount(2, str(root / "a"), "cifs"))
        await daemon.index.planner.remount()
        await until(lambda: keeper.scans > scans and keeper.settled)
        assert watched(daemon, root) == {".", "c"}
        assert keeper.coverage.polled == 2
        table.mounts.pop()
        scans = keeper.scans
        await daemon.index.planner.remount()
        await until(lambda: keeper.scans > scans and keeper.settled)
        assert watched(daemon, root) == {".", "a", "a/b", "c"}
        assert keeper.coverage.polled == 0


async def test_a_mount_elsewhere_concerns_nobody(tmp_path: Path, root: Path, table: Table) -> None:
    async with services(tmp_path, root, index=QUICK) as daemon:
        await settled(daemon)
        scans = daemon.index.keepers[str(root)].scans
        table.mounts.append(Mount(2, str(tmp_path / "other"), "tmpfs"))
        await daemon.index.planner.remount()
        await settled(daemon)  # which asks for one scan
        assert daemon.index.keepers[str(root)].scans == scans + 1


async def test_a_worker_that_dies_while_it_looks_costs_one_look(
    tmp_path: Path, root: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.mounts.append(Mount(2, str(root), "nfs4"))
    async with services(tmp_path, root, index=QUICK) as daemon:
        await settled(daemon)
        polls = daemon.index.keepers[str(root)].coverage.polls
        failures = 0

        async def fails(_: object, __: object) -> tuple[list[bytes], list[str]]:
            nonlocal failures
            failures += 1
            raise TaskTimeoutError("poll took more than 60 s")

        monkeypatch.setattr(polls, "_look", fails)
        await until(lambda: failures)
        monkeypatch.undo()
        (root / "c" / "late.txt").write_text("after the failure\n")
        await eventually_documents(daemon, 4)
        assert not daemon.supervisor.restarts
