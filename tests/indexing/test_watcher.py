"""The watcher against the real kernel: what it sees, what it forgets, and what it makes of trouble."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from indexing_harness import until

from agentd.indexing import inotify
from agentd.indexing import watcher as watcher_module
from agentd.indexing.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path


class Listener:
    """Everything that a watcher told."""

    def __init__(self, canary: Path) -> None:
        canary.mkdir()
        self.seen: set[str] = set()
        self.missed = 0
        self.watcher = Watcher(self.seen.update, self._miss, str(canary))

    def _miss(self) -> None:
        self.missed += 1

    async def sees(self, path: Path) -> None:
        await until(lambda: str(path) in self.seen)


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[Listener]:
    listener = Listener(tmp_path / "canary")
    yield listener
    listener.watcher.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for name in ("a", "a/b", "c"):
        (tree / name).mkdir(parents=True)
    return tree


def folders(tree: Path) -> list[str]:
    return [str(tree), *(str(tree / name) for name in ("a", "a/b", "c"))]


async def test_changes_in_watched_directories_are_told_and_missing_ones_left_out(
    listener: Listener, tree: Path
) -> None:
    armed = await listener.watcher.watch([*folders(tree), str(tree / "missing"), str(tree / "file")])
    assert armed.new == set(folders(tree))
    assert not armed.beyond
    (tree / "a" / "b" / "new").write_text("x")
    await listener.sees(tree / "a" / "b" / "new")
    (tree / "a" / "b" / "new").rename(tree / "c" / "moved")
    await listener.sees(tree / "c" / "moved")
    (tree / "c" / "moved").unlink()
    (tree / "c").chmod(0o700)
    await listener.sees(tree / "c")
    assert (await listener.watcher.watch(folders(tree))).new == set()


async def test_a_deleted_directory_is_not_watched_and_can_be_watched_again(listener: Listener, tree: Path) -> None:
    await listener.watcher.watch(folders(tree))
    shutil.rmtree(tree / "a")
    await until(lambda: listener.watcher.directories == 2)
    (tree / "a").mkdir()
    assert (await listener.watcher.watch(folders(tree))).new == {str(tree / "a")}
    (tree / "a" / "file").write_text("x")
    await listener.sees(tree / "a" / "file")


async def test_a_moved_directory_is_told_by_its_new_path_alone_once_it_is_watched_there(
    listener: Listener, tree: Path
) -> None:
    await listener.watcher.watch(folders(tree))
    (tree / "a").rename(tree / "z")
    await until(lambda: listener.watcher.directories == 2)
    await listener.watcher.watch([str(tree / "z"), str(tree / "z" / "b")])
    listener.seen.clear()
    (tree / "z" / "b" / "file").write_text("x")
    await listener.sees(tree / "z" / "b" / "file")
    assert not [path for path in listener.seen if path.startswith(str(tree / "a"))]


async def test_a_folder_above_a_root_that_moves_ends_the_watches_below_it(listener: Listener, tree: Path) -> None:
    await listener.watcher.watch(folders(tree))
    await listener.watcher.watch([str(tree.parent)], above=True)
    tree.parent.rename(tree.parent.with_name("elsewhere"))
    try:
        await listener.sees(tree.parent)
        assert listener.watcher.directories == 0
    finally:
        tree.parent.with_name("elsewhere").rename(tree.parent)


async def test_unwatched_and_forgotten_directories_tell_nothing(listener: Listener, tree: Path) -> None:
    await listener.watcher.watch(folders(tree))
    await listener.watcher.unwatch([str(tree / "c"), str(tree / "never")])
    await listener.watcher.forget(str(tree / "a"))
    for name in ("a/x", "a/b/x", "c/x", "sentinel"):
        (tree / name).write_text("x")
    await listener.sees(tree / "sentinel")
    assert listener.seen == {str(tree / "sentinel")}


async def test_two_paths_to_one_directory_are_both_told(listener: Listener, tree: Path) -> None:
    (tree / "link").symlink_to("c")
    through = f"{tree}/link/."
    await listener.watcher.watch([str(tree / "c"), through])
    (tree / "c" / "x").write_text("x")
    await until(lambda: listener.seen >= {str(tree / "c" / "x"), f"{through}/x"})
    await listener.watcher.unwatch([through])
    (tree / "c" / "y").write_text("x")
    await listener.sees(tree / "c" / "y")
    assert f"{through}/y" not in listener.seen


async def test_a_name_that_is_not_utf8_stands_for_its_directory(listener: Listener, tree: Path) -> None:
    await listener.watcher.watch(folders(tree))
    (tree / "c" / "caf\udce9").write_text("x")
    await listener.sees(tree / "c")
    (tree / "c" / "plain").write_text("x")
    await listener.sees(tree / "c" / "plain")


async def test_no_more_than_the_limit_is_watched_and_the_rest_is_named(listener: Listener, tree: Path) -> None:
    listener.watcher.limit = 3
    first, second, third, fourth = folders(tree)
    armed = await listener.watcher.watch(folders(tree))
    assert (armed.new, armed.beyond) == ({first, second, third}, {fourth})
    await listener.watcher.unwatch([first])
    assert (await listener.watcher.watch([fourth])).new == {fourth}


async def test_a_limit_of_the_system_is_met_in_the_middle(
    listener: Listener, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, left = inotify.Inotify.add, 3  # the first is the canary's

    def refuse(instance: inotify.Inotify, directory: str, mask: int) -> int:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "No space left on device")
        return add(instance, directory, mask)

    monkeypatch.setattr(inotify.Inotify, "add", refuse)
    armed = await listener.watcher.watch(folders(tree))
    assert (armed.new, armed.beyond) == (set(folders(tree)[:2]), set(folders(tree)[2:]))
    assert listener.watcher.full
    assert listener.watcher.budget == 2
    monkeypatch.undo()
    assert (await listener.watcher.watch(folders(tree))).new == set(folders(tree)[2:])
    assert not listener.watcher.full


@contextlib.contextmanager
def all_instances() -> Iterator[None]:
    """Use up what a user has."""
    held: list[inotify.Inotify] = []
    try:
        with contextlib.suppress(OSError):
            while len(held) < 4096:
                held.append(inotify.Inotify())
        yield
    finally:
        for each in held:
            each.close()


async def test_without_an_instance_nothing_is_watched_and_the_reason_is_told(listener: Listener, tree: Path) -> None:
    with all_instances():
        armed = await listener.watcher.watch(folders(tree))
        assert (armed.new, armed.beyond) == (set(), set(folders(tree)))
        assert "fs.inotify.max_user_instances" in listener.watcher.problem
    assert (await listener.watcher.watch(folders(tree))).new == set(folders(tree))
    assert listener.watcher.problem == ""


async def test_an_overflow_of_the_queue_is_noticed(listener: Listener, tree: Path) -> None:
    await listener.watcher.watch(folders(tree))
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:  # noqa: ASYNC230, PTH123
        most = int(file.read())
    for number in range(most // 3 + 100):  # the loop does not run meanwhile; each makes three events
        os.close(os.open(tree / "c" / f"{number}", os.O_CREAT | os.O_WRONLY))
        os.unlink(tree / "c" / f"{number}")  # noqa: PTH108
    await until(lambda: listener.missed)
    assert listener.watcher.lost == 1


async def test_a_watch_that_sees_nothing_any_more_is_noticed_and_armed_anew(
    listener: Listener, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(watcher_module, "ANSWER_SECONDS", 0.5)
    await listener.watcher.watch(folders(tree))
    assert await listener.watcher.check()
    service = asyncio.create_task(listener.watcher.run())
    assert listener.watcher._inotify is not None
    deaf = inotify.Inotify()
    os.dup2(deaf.fileno(), listener.watcher._inotify.fileno())
    await until(lambda: listener.missed)
    assert listener.watcher.directories == 0
    await listener.watcher.watch(folders(tree))
    (tree / "c" / "heard").write_text("x")
    await listener.sees(tree / "c" / "heard")
    assert await listener.watcher.check()
    service.cancel()
    deaf.close()


async def test_a_descriptor_that_fails_is_replaced(listener: Listener, tree: Path) -> None:
    await listener.watcher.watch(folders(tree))
    assert listener.watcher._inotify is not None
    reading, writing = os.pipe()
    os.dup2(writing, listener.watcher._inotify.fileno())
    listener.watcher._drain()
    assert (listener.missed, listener.watcher.directories) == (1, 0)
    assert (await listener.watcher.watch(folders(tree))).new == set(folders(tree))
    os.close(reading)
    os.close(writing)


async def test_other_callbacks_run_between_the_parts_of_a_burst(
    listener: Listener, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await listener.watcher.watch(folders(tree))
    sizes: list[int] = []
    take = listener.watcher._take

    def counted(events: Sequence[inotify.Event]) -> None:
        sizes.append(len(events))
        take(events)

    monkeypatch.setattr(listener.watcher, "_take", counted)
    for number in range(2000):
        (tree / "c" / f"{number}").touch()
    await listener.sees(tree / "c" / "1999")
    assert len(sizes) > 5
    assert max(sizes) * 16 <= watcher_module.READ_BYTES
