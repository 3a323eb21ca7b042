"""Files that are hard to index, all in one root: each is searchable or counted with its reason, and life goes on."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, Daemon, obey_permissions, running, until, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

GIGABYTE = 1 << 30


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("bad-files") / "daemon", before_exec=obey_permissions) as daemon:
        yield daemon


@pytest.fixture
def root(daemon: Daemon) -> Iterator[Path]:
    root = daemon.place.parent / "root"
    write_files(root, 3)
    daemon.client.add_root(str(root))
    daemon.client.wait("keyword", timeout=DEADLINE)
    yield root
    daemon.client.remove_root(str(root))
    shutil.rmtree(root)


def skipped(daemon: Daemon, root: Path) -> dict[str, str | None]:
    files = daemon.client.list_files(roots=[str(root)], skipped=True)["files"]
    return {each["path"].removeprefix(f"{root}/"): each["skip"] for each in files}


def test_each_file_that_cannot_be_searched_is_counted_with_its_reason(daemon: Daemon, root: Path) -> None:
    (root / "binary.py").write_bytes(bytes(range(256)) * 40)
    with (root / "sparse.txt").open("wb") as file:
        file.truncate(GIGABYTE)
    (root / "secret.py").write_text("common = 'for root alone'\n")
    (root / "secret.py").chmod(0)
    (root / "closed").mkdir(mode=0)
    os.mkfifo(root / "fifo.py")
    (root / "loop").symlink_to("loop")
    (root / "passwd").symlink_to("/etc/passwd")
    (root / "outside").symlink_to("/etc")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(root / "socket"))
    (Path(os.fsdecode(bytes(root) + b"/caf\xe9.py"))).write_text("common = 'latin name'\n")
    expected = {
        "binary.py": "binary",
        "sparse.txt": "too_large",
        "secret.py": "unreadable",
        "closed/": "unreadable",
        "fifo.py": "not_regular",
        "socket": "not_regular",
        "loop": "symlink_loop",
        "passwd": "outside_root",
        "outside": "outside_root",
        "caf\\xe9.py": "bad_name",
    }
    daemon.client.wait("keyword", timeout=DEADLINE)
    assert skipped(daemon, root) == expected
    status = daemon.client.status()
    assert status["skipped"] == {reason: list(expected.values()).count(reason) for reason in expected.values()}
    assert daemon.finds("common", roots=[str(root)])
    assert daemon.finds("root alone", roots=[str(root)], limit=1) != [str(root / "secret.py")]
    (root / "secret.py").chmod(0o644)
    (root / "closed").chmod(0o755)
    until(lambda: "secret.py" not in skipped(daemon, root))
    until(lambda: "closed/" not in skipped(daemon, root))
    until(lambda: daemon.finds("root alone", roots=[str(root)], limit=1) == [str(root / "secret.py")])


def test_a_file_that_becomes_unreadable_is_taken_out(daemon: Daemon, root: Path) -> None:
    path = root / "package_1" / "module_1.py"
    path.chmod(0)
    until(lambda: skipped(daemon, root) == {"package_1/module_1.py": "unreadable"})
    assert str(path) not in daemon.finds("common", roots=[str(root)])
    path.chmod(0o644)
    until(lambda: str(path) in daemon.finds("common", roots=[str(root)]))


def test_a_device_is_counted(daemon: Daemon, root: Path) -> None:
    try:
        os.mknod(root / "null", 0o666 | 0o020000, os.makedev(1, 3))
    except OSError as error:
        if error.errno == errno.EPERM:
            pytest.skip("devices cannot be made here")
        raise
    until(lambda: skipped(daemon, root) == {"null": "not_regular"})


def test_odd_text_is_searchable(daemon: Daemon, root: Path) -> None:
    (root / "empty.py").touch()
    (root / "crlf.txt").write_bytes(b"first line\r\nsecond walrus line\r\n")
    (root / "bom.txt").write_bytes(b"\xef\xbb\xbfa narwhal after the mark\n")
    (root / "utf16.txt").write_bytes("an axolotl in sixteen bits\n".encode("utf-16"))
    (root / "latin.txt").write_bytes("un caf\u00e9 cr\u00e8me, tapir\n".encode("cp1252"))
    (root / "small.min.js").write_text("var pangolin=1;" * 5000)
    (root / "new\nline.txt").write_text("a quokka in an odd name\n")
    (root / "space and [brackets]*.txt").write_text("a numbat in an odder name\n")
    (root / "link.txt").symlink_to("crlf.txt")
    daemon.client.wait("keyword", timeout=DEADLINE)
    names = {
        "walrus": "crlf.txt",
        "narwhal": "bom.txt",
        "axolotl": "utf16.txt",
        "tapir": "latin.txt",
        "pangolin": "small.min.js",
        "quokka": "new\nline.txt",
        "numbat": "space and [brackets]*.txt",
    }
    for word, name in names.items():
        assert daemon.finds(word, roots=[str(root)], limit=1) == [str(root / name)]
    assert skipped(daemon, root) == {}
    assert daemon.client.read_span(str(root / "new\nline.txt"))["text"] == "a quokka in an odd name\n"
    (hit,) = daemon.client.search("walrus", mode="keyword", limit=1, roots=[str(root)])["hits"]
    assert hit["text"].splitlines()[1] == "second walrus line"
    assert not hit["stale"]


@pytest.mark.parametrize("seconds", [12_000_000_000, 2**62])
def test_a_file_of_a_time_beyond_64_bits_is_searchable_like_the_others(
    daemon: Daemon, root: Path, seconds: int
) -> None:
    path = root / "restored.py"
    path.write_text("common = 'axolotl of another age'\n")
    os.utime(path, (0, seconds))
    (root / "neighbour.py").write_text("common = 'neighbour of another age'\n")
    daemon.client.wait("keyword", timeout=DEADLINE)
    assert daemon.finds("axolotl", roots=[str(root)], limit=1) == [str(path)]
    assert daemon.finds("neighbour", roots=[str(root)], limit=1) == [str(root / "neighbour.py")]


def test_a_file_that_never_stops_growing_ends_up_whole(daemon: Daemon, root: Path) -> None:
    path = root / "growing.log"
    enough = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        with path.open("w", buffering=1) as file:
            while not enough.is_set() or written < 500:
                file.write(f"common entry {written} of the capybara log\n")
                written += 1
                enough.wait(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until(path.exists)
        for _ in range(10):
            result = daemon.client.search("capybara", mode="keyword", roots=[str(root)])
            assert all(hit["stale"] or hit["text"] in path.read_text() for hit in result["hits"])
            assert daemon.finds("unique1", roots=[str(root)])
    finally:
        enough.set()
        writer.join()
    tree = daemon.follows(root)
    assert f"common entry {written - 1} " in tree["growing.log"][1][-1].text
