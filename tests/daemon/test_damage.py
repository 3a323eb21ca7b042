"""Files of the state that are damaged, gone or in the way: set aside, said, and built again while the rest serves."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, KEYWORD_ONLY, QUICK, Daemon, obey_permissions, until, write_files
from state_audit import audit

from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHECKED = QUICK + "[maintenance]\ncheck_seconds = 0.5\n"
"""All files are compared with their checksums all the time."""

FILES = 25


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    """A daemon that was stopped after it had indexed, with vectors, a root that was added."""
    place = tmp_path_factory.mktemp("made")
    write_files(place / "root", FILES)
    with Daemon(place) as daemon:
        daemon.client.add_root(str(place / "root"))
        daemon.agrees(place / "root")
        assert daemon.stop() == 0
    return daemon


@pytest.fixture
def daemon(made: Daemon, tmp_path: Path) -> Iterator[Daemon]:
    """One over a copy of that state, with vectors, not started."""
    daemon = Daemon(tmp_path / "place", config=CHECKED)
    shutil.copytree(made.state, daemon.state)
    yield daemon
    daemon.kill()


def root(made: Daemon) -> Path:
    return made.place / "root"


def largest(directory: Path, pattern: str) -> Path:
    return max(directory.rglob(pattern), key=size_of)


def size_of(path: Path) -> int:
    return path.stat().st_size


def overwrite(path: Path, offset: int, data: bytes) -> None:
    """In place: others have the file open, or mapped."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def aside(daemon: Daemon) -> list[str]:
    """Names of what was set aside, without the time."""
    return sorted(path.name.partition(".damaged-")[0] for path in daemon.state.rglob("*.damaged-*"))


def is_whole(daemon: Daemon, *roots: Path) -> None:
    """In the end everything is found, nothing is degraded, and a check of all files has nothing to say. Until then
    damage may be met at any moment.
    """
    failures: list[Exception] = []

    def settled() -> bool:
        checks = daemon.log.count('"checked"')
        try:
            for root in roots:
                daemon.agrees(root)
            return daemon.client.health()["status"] == "ok" and daemon.log.count('"checked"') > checks
        except (AssertionError, AgentdClientError, sqlite3.Error) as error:
            failures.append(error)
            daemon._disconnect()
            return False

    try:
        until(settled, "all is whole")
    except AssertionError as error:
        raise AssertionError(f"{daemon.log[-3000:]}") from (failures[-1] if failures else error)


def garbage(path: Path) -> None:
    path.write_bytes(b"no such thing " * 1000)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def a_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def zeroed(path: Path) -> None:
    size = path.stat().st_size
    overwrite(path, size // 2, bytes(min(8192, size - size // 2)))


def unreadable(path: Path) -> None:
    path.chmod(0)


HARMS = [garbage, truncated, emptied, a_folder, zeroed, unreadable]


def victims(state: Path) -> list[Path]:
    """A file of each kind, but for the one that alone knows what the lost index knew too."""
    return [
        state / "index.db",
        state / "embeddings.db",
        largest(state / "keyword", "*.store"),
        state / "keyword" / "meta.json",
        largest(state / "vectors", "rows-*"),
        largest(state / "vectors", "snapshot"),
    ]


@pytest.mark.parametrize("first", [0, 2, 4])
def test_whatever_was_done_to_the_files_the_daemon_opens_and_ends_whole(
    daemon: Daemon, made: Daemon, first: int
) -> None:
    """Each file is harmed in another way."""
    daemon.before_exec = obey_permissions
    for number, path in enumerate(victims(daemon.state), first):
        HARMS[number % len(HARMS)](path)
    with daemon:
        assert [each["path"] for each in daemon.client.roots()] == [str(root(made))]
        is_whole(daemon, root(made))
        assert daemon.stop() == 0
    for path in daemon.state.rglob("*.damaged-*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert audit(daemon.state, vectors=True) == []


@pytest.mark.parametrize("seed", range(2))
def test_random_bytes_anywhere_end_in_what_a_new_index_would_hold(daemon: Daemon, made: Daemon, seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 repeatable, not secret
    for path in sorted(path for path in daemon.state.rglob("*") if path.is_file() and size_of(path)):
        if path.name == "roots.json":  # what only it and a damaged index know can be lost with both
            continue
        for _ in range(3):
            overwrite(path, generator.randrange(size_of(path)), generator.randbytes(generator.choice([1, 16, 600])))
    with daemon:
        is_whole(daemon, root(made))


def test_a_keyword_view_damaged_under_a_running_daemon_is_filled_again(daemon: Daemon, made: Daemon) -> None:
    daemon.start()
    daemon.agrees(root(made))
    path = largest(daemon.state / "keyword", "*.idx")
    overwrite(path, path.stat().st_size // 3, b"\xff" * 8)
    until(lambda: aside(daemon) == ["keyword"], "the view is set aside")
    assert daemon.client.search("common task", mode="vector")["hits"]
    is_whole(daemon, root(made))
    (notice,) = daemon.client.status()["notices"]
    assert notice.startswith("keyword was found damaged at ")
    assert daemon.client.stats()["embedding"]["computed"] == 0


def test_vectors_damaged_under_a_running_daemon_come_back_from_the_cache(daemon: Daemon, made: Daemon) -> None:
    daemon.start()
    daemon.agrees(root(made))
    path = largest(daemon.state / "vectors", "rows-*")
    overwrite(path, 1000, b"\x55" * 8)
    until(lambda: aside(daemon), "the view is set aside")
    assert daemon.finds("unique3")
    is_whole(daemon, root(made))
    assert daemon.client.stats()["embedding"]["computed"] == 0


def test_an_index_damaged_under_a_running_daemon_is_opened_anew_behind_the_same_socket(
    daemon: Daemon, made: Daemon
) -> None:
    daemon.start()
    daemon.agrees(root(made))
    pid = daemon.pid
    with closing(sqlite3.connect(daemon.state / "index.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = daemon.state / "index.db"
    overwrite(path, 8192, b"\xa5" * (path.stat().st_size - 8192))
    until(lambda: aside(daemon) == ["index.db"], "the index is set aside")
    daemon._disconnect()
    assert [each["path"] for each in daemon.client.roots()] == [str(root(made))]
    is_whole(daemon, root(made))
    assert daemon.client.hello()["pid"] == pid
    assert daemon.client.stats()["embedding"]["computed"] == 0


@pytest.mark.parametrize("name", ["index.db", "index.db-wal"])
def test_an_index_deleted_under_a_running_daemon_is_noticed_before_anything_is_acknowledged(
    daemon: Daemon, made: Daemon, name: str
) -> None:
    daemon.start()
    daemon.agrees(root(made))
    (daemon.state / name).unlink()
    with pytest.raises(AgentdClientError, match="deleted or replaced while in use"):
        daemon.client.wait("keyword", timeout=DEADLINE)
    daemon._disconnect()
    is_whole(daemon, root(made))
    assert [each["path"] for each in daemon.client.roots()] == [str(root(made))]


def test_one_wrong_letter_of_a_stored_text_is_noticed(daemon: Daemon, made: Daemon) -> None:
    with closing(sqlite3.connect(daemon.state / "index.db")) as connection:
        connection.execute("UPDATE chunk SET text = replace(text, 'unique3', 'unique4') WHERE text LIKE '%unique3.%'")
        connection.commit()
    with daemon:
        until(lambda: aside(daemon) == ["index.db"], "the index is set aside")
        daemon._disconnect()
        is_whole(daemon, root(made))


@pytest.mark.parametrize("lost", ["index.db", "roots.json"])
def test_an_added_root_outlives_the_loss_of_either_file(daemon: Daemon, made: Daemon, lost: str) -> None:
    (daemon.state / lost).unlink()
    with daemon:
        is_whole(daemon, root(made))
        assert {each["path"]: each["origin"] for each in daemon.client.roots()} == {str(root(made)): "added"}


def test_a_root_that_was_removed_stays_so_when_the_index_is_lost(daemon: Daemon, made: Daemon) -> None:
    daemon.start()
    daemon.client.remove_root(str(root(made)))
    daemon.kill()
    (daemon.state / "index.db").write_bytes(b"lost" * 1000)
    with daemon:
        assert daemon.client.roots() == []


def thrown_back(state: Path, to: Path) -> None:
    """What power loss does to ``index.db``: the last commits had not reached the disk."""
    for path in to.glob("index.db*"):
        shutil.copy(path, state / path.name)


def test_views_ahead_of_an_index_that_was_thrown_back_are_made_anew(
    daemon: Daemon, made: Daemon, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write_files(other, 5, start=500)
    with daemon:
        daemon.client.add_root(str(other))
        daemon.agrees(other)
        assert daemon.stop() == 0
    thrown_back(daemon.state, made.state)
    shutil.rmtree(other / "package_3")
    with daemon:
        # Chunks and generations get the numbers that others had before.
        is_whole(daemon, root(made), other)
        assert daemon.stop() == 0
    assert audit(daemon.state, vectors=True) == []


def forget_umask() -> None:
    os.umask(0)


def test_files_are_for_their_owner_alone_whatever_their_modes_were(daemon: Daemon, made: Daemon) -> None:
    for path in daemon.state.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o666)
    garbage(daemon.state / "index.db")
    daemon.before_exec = forget_umask
    with daemon:
        is_whole(daemon, root(made))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in daemon.state.rglob("*") if path.is_file()}
        folders = {stat.S_IMODE(path.stat().st_mode) for path in daemon.state.rglob("*") if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


def test_acknowledged_in_a_deleted_state_directory_is_nothing(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 3)
    with Daemon(tmp_path / "place", tmp_path / "root", **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        shutil.rmtree(daemon.state)
        (tmp_path / "late").mkdir()
        calls: list[Callable[[], object]] = [
            lambda: daemon.client.add_root(str(tmp_path / "late")),
            lambda: daemon.client.wait("keyword", timeout=5),
        ]
        for call in calls:
            with pytest.raises(Exception, match=r"deleted while in use|cannot write"):
                call()
        assert daemon.finds("unique1")
