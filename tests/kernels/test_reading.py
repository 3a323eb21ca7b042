from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentd.domain import SkipReason
from agentd.kernels.reading import ReadFile, read_file
from agentd.kernels.signature import signature

if TYPE_CHECKING:
    from collections.abc import Callable

    RunAsNobody = Callable[[Callable[[], None]], None]

LIMIT = 1000


def read(root: Path, path: str) -> ReadFile:
    return read_file(str(root), path, LIMIT)


def aged(path: Path) -> None:
    """Wait, in the file system's own time, until ``path`` is settled."""
    probe = path.with_name(path.name + ".probe")
    before = path.stat().st_ctime_ns
    while True:
        probe.write_text("x")
        if probe.stat().st_ctime_ns - before > 30_000_000:
            break
    probe.unlink()


def test_a_file_comes_with_its_hash_and_the_signature_that_a_later_stat_has(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    path = tmp_path / "a/b/c.txt"
    path.write_bytes(b"text\r\n")
    aged(path)
    found = read(tmp_path, "a/b/c.txt")
    assert (found.data, found.size, found.skip, found.vanished) == (b"text\r\n", 6, None, False)
    assert found.content_hash == hashlib.blake2b(b"text\r\n", digest_size=16).digest()
    assert found.signature == signature(path.stat())
    assert found.mtime_ns == path.stat().st_mtime_ns


def test_a_file_changed_just_now_is_marked_to_be_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("new")
    monkeypatch.setattr("time.time_ns", lambda: path.stat().st_ctime_ns + 1_000_000)
    assert read(tmp_path, "a").signature == signature(path.stat()) + "!"


def test_an_empty_file_and_one_of_exactly_the_limit_are_read(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "full").write_bytes(b"x" * LIMIT)
    assert read(tmp_path, "empty").data == b""
    assert read(tmp_path, "empty").skip is None
    assert read(tmp_path, "full").data == b"x" * LIMIT


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (LIMIT + 1))
    found = read(tmp_path, "big")
    assert (found.skip, found.size, found.data) == (SkipReason.TOO_LARGE, LIMIT + 1, b"")


def test_a_file_that_lies_about_its_size_is_cut_off_at_the_limit() -> None:
    assert read_file("/proc/self", "environ", 1).skip is SkipReason.TOO_LARGE


def test_what_is_no_regular_file_neither_blocks_nor_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert read(tmp_path, "fifo").skip is SkipReason.NOT_REGULAR
        assert read(tmp_path, "socket").skip is SkipReason.NOT_REGULAR
    assert read(Path("/dev"), "null").skip is SkipReason.NOT_REGULAR


@pytest.mark.parametrize("path", ["gone", "folder", "folder/gone", "file/below", "link", "linked/file", "x" * 300])
def test_what_is_not_there_as_a_file_has_vanished(tmp_path: Path, path: str) -> None:
    """Links count as that even where they stay inside: their targets are read under their own names."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "linked").symlink_to("folder")
    found = read(tmp_path, path)
    assert found.vanished
    assert found.skip is None


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../secret", "a/../../secret", "a//b", "./a", "a\0b", "\ud800"])
def test_a_path_that_is_not_below_the_root_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("secret")
    found = read(root, path)
    assert found.skip is SkipReason.OUTSIDE_ROOT
    assert found.data == b""


def test_a_root_that_is_gone_has_lost_its_files(tmp_path: Path) -> None:
    assert read(tmp_path / "gone", "a").vanished


def test_a_root_reached_through_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").write_text("x")
    (tmp_path / "root").symlink_to("real")
    assert read(tmp_path / "root", "a").data == b"x"


def test_a_file_without_permission_is_unreadable(tmp_path: Path, as_nobody: RunAsNobody) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed/a").write_text("x")
    (tmp_path / "closed").chmod(0)

    def check() -> None:
        assert read(tmp_path, "secret").skip is SkipReason.UNREADABLE
        assert read(tmp_path, "closed/a").skip is SkipReason.UNREADABLE

    as_nobody(check)


def test_a_file_that_changes_at_each_try_is_unstable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    path.write_text("x")
    pread = os.pread

    def append_and_read(descriptor: int, count: int, offset: int) -> bytes:
        if offset == 0:
            with path.open("a") as log:
                log.write("x")
        return pread(descriptor, count, offset)

    monkeypatch.setattr("os.pread", append_and_read)
    assert read(tmp_path, "log").skip is SkipReason.UNSTABLE


def test_a_file_that_changes_once_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    pread, changes = os.pread, iter(["newer"])

    def change_and_read(descriptor: int, count: int, offset: int) -> bytes:
        data = pread(descriptor, count, offset)
        for text in changes:
            path.write_text(text)
        return data

    monkeypatch.setattr("os.pread", change_and_read)
    assert read(tmp_path, "a").data == b"newer"


def test_a_folder_swapped_for_a_link_never_leads_outside(tmp_path: Path) -> None:
    """A thread swaps the folder for a link to the outside and back, as fast as it can, while we read."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder, text in ((root / "folder", "inside"), (outside, "outside")):
        folder.mkdir(parents=True)
        (folder / "file").write_text(text)
    (root / "link").symlink_to(outside)
    stop, swaps = threading.Event(), 0

    def swap() -> None:
        nonlocal swaps
        while not stop.is_set():
            (root / "folder").rename(root / "aside")
            (root / "link").rename(root / "folder")
            (root / "folder").rename(root / "link")
            (root / "aside").rename(root / "folder")
            swaps += 1

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        seen: dict[bytes, int] = {}
        while swaps < 200 or len(seen) < 2:
            data = read(root, "folder/file").data
            seen[data] = seen.get(data, 0) + 1
    finally:
        stop.set()
        swapper.join()
    assert set(seen) == {b"inside", b""}


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("x")
    os.mkfifo(tmp_path / "a/fifo")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("a/b/c", "a/b", "a/fifo", "a/gone", "a/b/c/d", "gone/a"):
        read(tmp_path, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
