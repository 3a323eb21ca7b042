"""A state directory on a disk that is really full: a small file system of its own, which nobody else sees."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from daemon_harness import DEADLINE, KEYWORD_ONLY, Daemon, until, write_files

from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

CLONE_NEWNS = 0x0002_0000  # setns(2)
ROOM = 400 << 20
UNUSABLE = 4
"""The exit code."""
MENDED_SECONDS = 20.0

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
]


class Disk:
    """A file system at ``folder``, in a mount namespace that a process holds, so that it outlives daemons."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size
        folder.mkdir(parents=True)

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(["unshare", "--mount", "cat"], stdin=subprocess.PIPE)
        own, held = Path("/proc/self/ns/mnt"), Path(f"/proc/{self._holder.pid}/ns/mnt")
        until(lambda: held.readlink() != own.readlink(), "the namespace is there")
        self._run("mount", "-t", "tmpfs", "-o", f"size={self._size},mode=0700", "none", str(self.folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.kill()
        self._holder.communicate()

    def enter(self) -> None:
        """Runs in a child before its exec: from now on it sees the disk."""
        library = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(f"/proc/{self._holder.pid}/ns/mnt", os.O_RDONLY)
        if library.setns(descriptor, CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "cannot enter the namespace")

    @property
    def inside(self) -> Path:
        """The disk's files, as this process reaches them."""
        return Path(f"/proc/{self._holder.pid}/root{self.folder}")

    def resize(self, size: int) -> None:
        self._run("mount", "-o", f"remount,size={size}", str(self.folder))

    def remount(self, mode: str) -> None:
        """``ro`` or ``rw``; nobody may have a file open for writing."""
        self._run("mount", "-o", f"remount,{mode}", str(self.folder))

    def fill(self) -> None:
        """Leave not a byte."""
        with (self.inside / "filler").open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while True:
                        file.write(b"\0" * size)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            (self.inside / "another").write_bytes(b"1")
        (self.inside / "another").unlink(missing_ok=True)

    def make_room(self) -> None:
        (self.inside / "filler").unlink()

    def _run(self, *command: str) -> None:
        subprocess.run(["nsenter", "--mount", "--target", str(self._holder.pid), *command], check=True)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "place"


@pytest.fixture
def disk(place: Path) -> Iterator[Disk]:
    with Disk(place / "state", ROOM) as disk:
        yield disk


def daemon_on(disk: Disk, *roots: Path, **environment: str) -> Daemon:
    """One that goes on to the last byte, unless the environment says otherwise."""
    daemon = Daemon(disk.folder.parent, *roots, **({"AGENTD_LIMITS_FREE_DISK_MEGABYTES": "0"} | environment))
    daemon.before_exec = disk.enter
    return daemon


def problems(daemon: Daemon) -> str:
    return " ".join(daemon.client.health()["problems"])


def write_corpus(root: Path, files: int, word: str = "word") -> None:
    root.mkdir(exist_ok=True)
    for number in range(files):
        lines = (f"{word}{number}x{line} = 'filler text of some length, line {line}'" for line in range(200))
        (root / f"module_{number}.py").write_text("\n".join(lines))


def test_a_full_disk_is_named_searches_go_on_and_room_mends_it(tmp_path: Path, place: Path) -> None:
    root = tmp_path / "root"
    write_corpus(root, 400)
    with Disk(place / "state", 4 << 20) as disk, daemon_on(disk, root, **KEYWORD_ONLY) as daemon:
        until(lambda: "full" in problems(daemon), "the full disk is named")
        assert daemon.client.status()["pending"] > 0
        daemon.client.search("filler text")  # answers, with whatever was indexed before
        disk.resize(ROOM)
        status = daemon.client.wait("keyword", timeout=60)
        assert status["pending"] == 0
        assert daemon.finds("word399x1")[0] == str(root / "module_399.py")
        until(lambda: daemon.client.health()["status"] == "degraded", "only the vectors are missing")
        until(lambda: "full" not in problems(daemon), "the problem is struck off", MENDED_SECONDS)


def test_a_disk_that_fills_up_makes_indexing_wait_before_it_is_full(tmp_path: Path, place: Path) -> None:
    root = tmp_path / "root"
    write_corpus(root, 400)
    limit = {"AGENTD_LIMITS_FREE_DISK_MEGABYTES": "56"}
    with Disk(place / "state", 60 << 20) as disk, daemon_on(disk, root, **KEYWORD_ONLY, **limit) as daemon:
        until(lambda: daemon.client.status()["limits"]["free_disk"]["state"] == "paused", "indexing waits")
        assert "limits.free_disk_megabytes is 56" in problems(daemon)
        daemon.client.search("filler text")  # answers, with whatever was indexed before
        disk.resize(ROOM)
        assert daemon.client.wait("keyword", timeout=60)["pending"] == 0
        assert "full" not in daemon.log


def test_a_disk_that_fills_later_keeps_what_was_indexed_refuses_the_rest_and_is_mended_by_room(
    disk: Disk, tmp_path: Path
) -> None:
    root, late = tmp_path / "root", tmp_path / "late"
    write_files(root, 30)
    write_files(late, 2, start=900)
    with daemon_on(disk, root) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        disk.fill()
        write_corpus(root / "more", 12, "later")
        until(lambda: "full" in problems(daemon), "the full disk is named")
        assert daemon.finds("unique3")[0] == str(root / "package_3" / "module_3.py")
        assert daemon.client.search("a class that holds steps", mode="vector", min_score=0)["hits"]
        with pytest.raises(AgentdClientError) as refused:
            daemon.client.add_root(str(late))
        assert refused.value.kind == "state_unusable"
        disk.make_room()
        until(lambda: daemon.client.health()["status"] == "ok", "all is well", MENDED_SECONDS)
        assert daemon.client.wait("vectors", timeout=60)["documents"] == 42
        assert daemon.finds("later11x7")[0] == str(root / "more" / "module_11.py")
        daemon.client.add_root(str(late))
        assert daemon.client.wait("vectors", timeout=60)["documents"] == 44
        disk.fill()
        gone = 0
        with suppress(AgentdClientError):
            gone = daemon.client.remove_root(str(late))["documents"]
        kept = {each["path"] for each in daemon.client.roots()}
        assert (str(late) in kept) == (gone == 0)  # what was refused is there, what was acknowledged is not
        disk.make_room()
        daemon.restart()
        assert {each["path"] for each in daemon.client.roots()} == kept
        until(lambda: daemon.client.health()["status"] == "ok", "all is well", MENDED_SECONDS)
        assert not list(disk.inside.glob("*.damaged-*"))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_start_without_a_byte_of_room_searches_what_there_is_or_says_why_not(
    disk: Disk, tmp_path: Path, end: signal.Signals
) -> None:
    root = tmp_path / "root"
    write_files(root, 20)
    daemon = daemon_on(disk, root, **KEYWORD_ONLY)
    with daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        disk.fill()
        daemon.signal(end)
        daemon.exit_code()
        disk.fill()  # the end may have left some room
        try:
            daemon.start()
        except AssertionError:
            assert daemon.exit_code() == UNUSABLE
            line = json.loads(daemon.log.splitlines()[-1])
            assert line["kind"] == "state_unusable"
            assert "space" in line["error"].lower() or "full" in line["error"]
        else:
            assert daemon.finds("unique3")[0] == str(root / "package_3" / "module_3.py")
            daemon.stop()
        disk.make_room()
        daemon.start()
        assert daemon.client.wait("keyword", timeout=DEADLINE)["documents"] == 20
        assert daemon.finds("unique3")[0] == str(root / "package_3" / "module_3.py")
        until(lambda: len(daemon.client.health()["problems"]) == 1, "only the vectors are missing", MENDED_SECONDS)
        assert not list(disk.inside.glob("*.damaged-*"))


def test_a_disk_mounted_read_only_is_refused_and_searched_again_when_it_is_not(disk: Disk, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 5)
    daemon = daemon_on(disk, root, **KEYWORD_ONLY)
    with daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        assert daemon.stop() == 0
        disk.remount("ro")
        daemon.spawn()
        assert daemon.exit_code() == UNUSABLE
        line = json.loads(daemon.log.splitlines()[-1])
        assert "Read-only file system" in line["error"]
        disk.remount("rw")
        daemon.start()
        assert daemon.finds("unique3")[0] == str(root / "package_3" / "module_3.py")
        assert not list(disk.inside.glob("*.damaged-*"))
