"""No path leads outside a root, by whatever method it is asked for and whatever is swapped meanwhile."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon, running

from agentd.client import AgentdClientError
from agentd.kernels.complexity import complexity
from agentd.kernels.messages import ComplexityRequest, ParseRequest, WalkRequest
from agentd.kernels.parse import parse_files
from agentd.kernels.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTSIDE = "zqoutsidezq"
SWAPS = 2000


def lay_out(place: Path) -> tuple[Path, Path]:
    """A root with a folder, and outside of it one with files of the same names and more."""
    root, outside = place / "root", place / "outside"
    for folder, text in ((root / "folder", "inside"), (outside, OUTSIDE)):
        folder.mkdir(parents=True)
        for name in ("file.py", "notes.md"):
            (folder / name).write_text(f"def common(): return '{text}'\n")
    (outside / f"{OUTSIDE}.py").write_text(f"def {OUTSIDE}(): return 1\n")
    (root / "link").symlink_to(outside)
    return root, outside


@contextmanager
def swapping(root: Path) -> Iterator[list[int]]:
    """Swap ``folder`` for a link to the outside and back, as fast as a thread can; the list counts how often."""
    stop, swaps = threading.Event(), [0]

    def swap() -> None:
        while not stop.is_set():
            (root / "folder").rename(root / "aside")
            (root / "link").rename(root / "folder")
            (root / "folder").rename(root / "link")
            (root / "aside").rename(root / "folder")
            swaps[0] += 1

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        yield swaps
    finally:
        stop.set()
        swapper.join()


def test_kernels_never_read_or_list_what_lies_outside_while_a_folder_is_swapped_for_a_link(tmp_path: Path) -> None:
    root, _ = lay_out(tmp_path)
    paths = ("folder/file.py", "folder/notes.md", f"folder/{OUTSIDE}.py", "link/file.py", "aside/file.py")
    inside = 0
    with swapping(root) as swaps:
        while swaps[0] < SWAPS or not inside:
            found: list[Any] = list(parse_files(ParseRequest(str(root), paths)))
            inside += "inside" in repr(found)
            found += complexity(ComplexityRequest(str(root), paths))
            found += walk(WalkRequest(str(root)))
            found += walk(WalkRequest(str(root), paths))
            text = repr(found).replace(f"folder/{OUTSIDE}.py", "")  # that path was asked for
            assert OUTSIDE not in text


def test_a_daemon_never_shows_what_lies_outside_while_a_folder_is_swapped_for_a_link(tmp_path: Path) -> None:
    root, _ = lay_out(tmp_path)
    with running(tmp_path / "place", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        shown: list[str] = []
        with swapping(root) as swaps:
            while swaps[0] < SWAPS or "inside" not in "".join(shown):
                for path in ("folder/file.py", "link/file.py", f"folder/{OUTSIDE}.py"):
                    with suppress(AgentdClientError):
                        shown.append(daemon.client.read_span(str(root / path))["text"])
                shown += [hit["text"] for hit in daemon.client.search("common", mode="keyword")["hits"]]
                daemon.client.reindex(str(root))
        assert OUTSIDE not in "".join(shown)
        daemon.agrees(root)
        assert not any(OUTSIDE in str(path) + str(entry) for path, entry in daemon.indexed(root).items())


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "{root}/../outside/file.py",
        "{root}/folder/../../outside/file.py",
        "{root}/link/file.py",
        "{root}/hard",
        "{root}/fifo",
        "{root}/null",
        "{root}",
        "{root}/",
        "{root}/folder",
        "{root}/FOLDER/file.py",
        "{root}/folder/file.py\0",
        "{root}//folder/../link/file.py",
        "{root}/" + "a/" * 3000 + "file",
        "{root}/" + "n" * 300,
        "{root}/caf\udce9",
        "/proc/self/root{root}/folder/file.py",
        "/proc/self/environ",
        "{root}/.git/config",
    ],
)
def test_no_path_but_that_of_an_indexed_file_is_read(odd: Daemon, path: str) -> None:
    root = odd.place.parent / "root"
    asked = path.format(root=root)
    client = odd.client
    for ask in (client.read_span, client.complexity, lambda each: client.related(each, 1)):
        with suppress(AgentdClientError, UnicodeEncodeError):
            assert OUTSIDE not in str(ask(asked))
    if not path.endswith("hard"):
        with pytest.raises((AgentdClientError, UnicodeEncodeError)):
            odd.client.read_span(asked)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    place = tmp_path_factory.mktemp("odd")
    root, outside = lay_out(place)
    os.mkfifo(root / "fifo")
    (root / "null").symlink_to("/dev/null")
    (root / "file-link").symlink_to(outside / "file.py")
    (root / ".git").mkdir()
    (root / ".git/config").write_text("[remote]\nurl = https://user:pa55word@example.org\n")
    (place / "plain").write_text("a second name of a file outside\n")
    os.link(place / "plain", root / "hard")  # is a file of the root: see docs/security.md
    with running(place / "daemon", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        yield daemon
