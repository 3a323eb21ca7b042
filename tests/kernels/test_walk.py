from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.domain import SkipReason
from agentd.kernels.messages import FileEntry, WalkPage, WalkRequest
from agentd.kernels.signature import signature
from agentd.kernels.walk import MAX_DEPTH, MAX_PATH, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    RunAsNobody = Callable[[Callable[[], None]], None]


def pages(root: Path, *paths: str, max_file_bytes: int = 100, page_size: int = 500) -> list[WalkPage]:
    return list(walk(WalkRequest(str(root), paths or ("",), max_file_bytes=max_file_bytes, page_size=page_size)))


def entries(root: Path, *paths: str) -> list[FileEntry]:
    return [entry for page in pages(root, *paths) for entry in page.entries]


def skips(root: Path, *paths: str) -> dict[str, SkipReason | None]:
    return {entry.path: entry.skip for entry in entries(root, *paths)}


def names(root: Path, *paths: str) -> list[str]:
    return [entry.path for entry in entries(root, *paths)]


def missing(root: Path, *paths: str) -> list[str]:
    return [path for page in pages(root, *paths) for path in page.missing]


def folders(root: Path, *paths: str) -> list[str]:
    return [path for page in pages(root, *paths) for path in page.directories]


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def test_files_come_in_order_with_what_stat_says(tmp_path: Path) -> None:
    touch(tmp_path, "b/y", "b/x", "a", ".github/workflows/ci.yml", "b-c", "é")
    (tmp_path / "a").write_text("12345")
    found = entries(tmp_path)
    assert [entry.path for entry in found] == ["a", "b-c", "é", ".github/workflows/ci.yml", "b/x", "b/y"]
    stat = (tmp_path / "a").stat()
    assert found[0] == FileEntry("a", 5, stat.st_mtime_ns, signature(stat), None)


def test_every_directory_entered_is_listed_also_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "a/empty").mkdir(parents=True)
    (tmp_path / "node_modules/x").mkdir(parents=True)
    assert folders(tmp_path) == ["", "a", "a/empty"]


def test_pages_hold_no_more_than_asked_for(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number:03}" for number in range(25)), *(f"folder{number}/x" for number in range(5)))
    found = pages(tmp_path, page_size=10)
    assert [len(page.entries) for page in found] == [10, 10, 10]
    directories = [path for page in found for path in page.directories]
    assert directories == ["", *(f"folder{number}" for number in range(5))]
    assert len({entry.path for page in found for entry in page.entries}) == 30


def test_an_empty_root_is_one_page(tmp_path: Path) -> None:
    assert pages(tmp_path) == [WalkPage([], [""], [])]


@pytest.mark.parametrize("root", ["gone", "file", "file/below"])
def test_a_root_that_is_missing_or_a_file_ends_the_walk(tmp_path: Path, root: str) -> None:
    touch(tmp_path, "file")
    assert pages(tmp_path / root) == [WalkPage([], [], [], root_missing=True)]


def test_what_is_no_regular_file_is_reported(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert skips(tmp_path) == {"fifo": SkipReason.NOT_REGULAR, "socket": SkipReason.NOT_REGULAR}


def test_a_file_over_the_limit_is_reported(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 101)
    (tmp_path / "fits").write_bytes(b"x" * 100)
    assert skips(tmp_path) == {"big": SkipReason.TOO_LARGE, "fits": None}


def test_names_that_are_not_utf8_are_reported_escaped_and_not_entered(tmp_path: Path) -> None:
    touch(tmp_path, os.fsdecode(b"caf\xe9"), os.fsdecode(b"d\xff/x"))
    assert skips(tmp_path) == {"caf\\xe9": SkipReason.BAD_NAME, "d\\xff/": SkipReason.BAD_NAME}
    assert folders(tmp_path) == [""]


@pytest.mark.parametrize("target", ["file", "folder", "folder/deep", ".", "..//root/file", "gone", "{root}/file"])
def test_a_link_to_something_below_the_root_or_nothing_is_silent(tmp_path: Path, target: str) -> None:
    root = tmp_path / "root"
    touch(root, "file", "folder/deep")
    (root / "link").symlink_to(target.format(root=root))
    expected = SkipReason.OUTSIDE_ROOT if target.startswith("..") else None
    assert skips(root).get("link") is expected
    assert ("link" in names(root)) is (expected is not None)
    assert folders(root) == ["", "folder"]
    assert (missing(root, "link") == ["link"]) is (expected is None)


@pytest.mark.parametrize("target", ["..", "../outside", "/etc", "folder/../../outside", "{root}x", "hop", "up/../.."])
def test_a_link_out_of_the_root_is_reported_and_not_followed(tmp_path: Path, target: str) -> None:
    root = tmp_path / "root"
    touch(root, "folder/x")
    touch(tmp_path, "outside/secret", "rootx")
    (root / "hop").symlink_to("../outside/secret")
    (root / "up").symlink_to("folder")
    (root / "link").symlink_to(target.format(root=root))
    assert skips(root)["link"] is SkipReason.OUTSIDE_ROOT
    assert skips(root, "link") == {"link": SkipReason.OUTSIDE_ROOT}
    assert not any("secret" in path for path in names(root))


def test_links_in_a_circle_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "self").symlink_to("self/below")
    assert set(skips(tmp_path).values()) == {SkipReason.SYMLINK_LOOP}


def test_a_link_in_place_of_a_junk_folder_is_silent(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to("/usr/lib")
    assert names(tmp_path) == []


def test_a_hostile_depth_is_cut_and_reported(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(MAX_DEPTH + 5):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_DIRECTORY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    deepest = "d/" * (MAX_DEPTH + 1)
    assert skips(tmp_path) == {deepest: SkipReason.TOO_DEEP}
    assert missing(tmp_path, deepest + "d") == [deepest + "d"]
    shutil.rmtree(tmp_path / "d")


def test_what_no_path_reaches_is_reported_and_not_entered(tmp_path: Path) -> None:
    name = "n" * 250
    inside = os.open(tmp_path, os.O_RDONLY)
    deep, room = "", MAX_PATH - len(str(tmp_path))
    while len(deep) + 251 < room:
        os.mkdir(name, dir_fd=inside)
        below = os.open(name, os.O_RDONLY, dir_fd=inside)
        os.close(inside)
        inside, deep = below, f"{deep}/{name}"
    longest = "f" * (room - len(deep) - 1)
    for each in (longest, f"{longest}f"):
        os.close(os.open(each, os.O_CREAT, dir_fd=inside))
    os.mkdir(f"{longest}d", dir_fd=inside)
    os.close(inside)
    assert skips(tmp_path) == {
        f"{deep[1:]}/{longest}": None,
        f"{deep[1:]}/{longest}f": SkipReason.TOO_DEEP,
        f"{deep[1:]}/{longest}d/": SkipReason.TOO_DEEP,
    }
    assert (tmp_path / deep[1:] / longest).stat()
    with pytest.raises(OSError, match="too long"):
        (tmp_path / deep[1:] / f"{longest}f").stat()


def test_a_directory_that_cannot_be_listed_is_reported(tmp_path: Path, as_nobody: RunAsNobody) -> None:
    touch(tmp_path, "closed/x", "open/x", "named/x", "named/.gitignore")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "named").chmod(0o744)  # lists names, but gives nothing about them

    def check() -> None:
        found = skips(tmp_path)
        assert found["closed/"] is SkipReason.UNREADABLE
        assert found["open/x"] is None
        assert found["named/x"] is SkipReason.UNREADABLE
        assert skips(tmp_path, "closed") == {"closed/": SkipReason.UNREADABLE}
        assert missing(tmp_path, "closed/x") == ["closed/x"]

    as_nobody(check)


def test_a_root_that_cannot_be_listed_is_reported(tmp_path: Path, as_nobody: RunAsNobody) -> None:
    root = tmp_path / "root"
    root.mkdir()
    root.chmod(0)

    def check() -> None:
        assert pages(root) == [WalkPage([FileEntry("./", 0, 0, "", SkipReason.UNREADABLE)], [], [])]

    as_nobody(check)


def test_a_directory_that_vanishes_in_the_middle_is_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a/x", "b/x", "c/x")
    running = walk(WalkRequest(str(tmp_path), page_size=1))
    assert next(running).directories == [""]  # it has looked ahead into a, and no further
    shutil.rmtree(tmp_path / "b")
    (tmp_path / "c").rename(tmp_path / "d")
    (tmp_path / "c").symlink_to("/etc")
    rest = list(running)
    assert [path for page in rest for path in page.directories] == ["a"]
    assert not any(page.entries for page in rest)


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/passwd", "a/../../outside", "link/secret", "gone", "a/gone", "a/x/below", "a//x", "a\0"],
)
def test_a_path_that_is_not_there_or_leaves_the_root_is_missing(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    touch(root, "a/x")
    touch(tmp_path, "outside/secret")
    (root / "link").symlink_to("../outside")
    assert pages(root, path) == [WalkPage([], [], [path])]


def test_ignored_paths_are_missing(tmp_path: Path) -> None:
    touch(tmp_path, "out/deep/x", "a/b.log", "node_modules/x", "env/pyvenv.cfg", "env/lib/x", "Cargo.toml", "target/x")
    (tmp_path / ".gitignore").write_text("out/\n*.log\n")
    asked = ["Cargo.toml", "a/b.log", "env", "env/lib", "node_modules/x", "out", "out/deep/x", "target/x"]
    assert missing(tmp_path, *asked) == asked[1:]


def test_a_requested_directory_is_walked_whole_and_listed_once(tmp_path: Path) -> None:
    touch(tmp_path, "a/x", "a/b/y", "a-b", "c")
    asked = ("a", "a/b", "a/b/y", "a/gone", "a")
    assert names(tmp_path, *asked) == ["a/x", "a/b/y"]
    assert folders(tmp_path, *asked) == ["a", "a/b"]
    assert missing(tmp_path, *asked) == ["a/gone"]
    assert names(tmp_path, "", "c") == ["a-b", "c", "a/x", "a/b/y"]


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_requested_path_is_listed_exactly_if_the_whole_walk_lists_it(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    name = st.sampled_from(["a", "b", "c.log", "node_modules", "target", "pyvenv.cfg", "Cargo.toml", ".gitignore"])
    paths = data.draw(st.lists(st.lists(name, min_size=1, max_size=4).map("/".join), min_size=1, max_size=15))
    for path in paths:
        if not (root / path).exists() and not any(above.is_file() for above in (root / path).parents):
            touch(root, path)
    for rules in [path for path in root.rglob(".gitignore") if path.is_file()]:
        rules.write_text(data.draw(st.sampled_from(["a/\n", "*.log\n", "/b\n", "*\n!a\n", "!c.log\n"])))
    whole = {entry.path: entry for entry in entries(root)}
    listed = set(folders(root))
    for path in sorted({str(found.relative_to(root)) for found in root.rglob("*")}):
        below = {key: entry for key, entry in whole.items() if key == path or key.startswith(path + "/")}
        assert {entry.path: entry for entry in entries(root, path)} == below
        assert missing(root, path) == ([] if below or path in listed else [path])


def test_no_descriptor_is_left_open_even_if_the_walk_is_dropped(tmp_path: Path) -> None:
    touch(tmp_path, "a/b/c", "a/b/d/e", "env/pyvenv.cfg", "f")
    before = len(list(Path("/proc/self/fd").iterdir()))
    pages(tmp_path, "", "a/b", "a/b/c", "gone/x", "env/x", "f/x")
    running = walk(WalkRequest(str(tmp_path), page_size=1))
    next(running)
    running.close()  # type: ignore[attr-defined]  # declared an iterator, it is a generator
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_a_name_shows_to_be_binary_is_not_opened(tmp_path: Path) -> None:
    touch(tmp_path, "logo.PNG", "django.mo", "png", "so", "notes.so.txt")
    assert skips(tmp_path) == {
        "logo.PNG": SkipReason.BINARY,
        "django.mo": SkipReason.BINARY,
        "png": None,
        "so": None,
        "notes.so.txt": None,
    }


SECRETS = ("web/.env", "web/.env.example", ".ssh/config", ".ssh/id_ed25519", "deploy/server.key", "notes.md")


def test_files_of_secrets_and_folders_of_them_are_skipped_by_their_names(tmp_path: Path) -> None:
    touch(tmp_path, *SECRETS)
    expected = {
        "notes.md": None,
        ".ssh/": SkipReason.SECRET,
        "deploy/server.key": SkipReason.SECRET,
        "web/.env": SkipReason.SECRET,
        "web/.env.example": None,
    }
    assert skips(tmp_path) == expected
    assert ".ssh" not in folders(tmp_path)
    assert skips(tmp_path, "web/.env", ".ssh") == {"web/.env": SkipReason.SECRET, ".ssh/": SkipReason.SECRET}
    assert missing(tmp_path, ".ssh/config") == [".ssh/config"]


def test_secrets_are_listed_like_all_else_where_the_configuration_says_so(tmp_path: Path) -> None:
    touch(tmp_path, *SECRETS)
    found = [entry for page in walk(WalkRequest(str(tmp_path), index_secrets=True)) for entry in page.entries]
    assert {entry.path: entry.skip for entry in found} == dict.fromkeys(SECRETS)
