"""What one run leaves, the next one finds; what was deleted or damaged in between is built again."""

from __future__ import annotations

import shutil
import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from daemon_harness import Daemon, running, until, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with vectors over one root of 30 files; each test may restart it, and leaves it running."""
    place = tmp_path_factory.mktemp("restarts")
    write_files(place / "root", 30)
    with Daemon(place, place / "root") as daemon:
        daemon.agrees(place / "root")
        yield daemon


def computed(daemon: Daemon) -> int:
    return int(daemon.client.stats()["embedding"]["computed"])


def test_a_restart_embeds_nothing_and_finds_everything(daemon: Daemon) -> None:
    assert computed(daemon) > 30
    daemon.restart()
    daemon.agrees(daemon.place / "root")
    assert computed(daemon) == 0
    assert daemon.client.stats()["cache"]["misses"] == 0


def test_vectors_survive_a_kill_before_they_were_saved(daemon: Daemon) -> None:
    write_files(daemon.place / "root", 10, start=100)
    daemon.agrees(daemon.place / "root")
    daemon.kill()
    daemon.start()
    daemon.agrees(daemon.place / "root")
    assert computed(daemon) == 0


@pytest.mark.parametrize("lost", ["keyword", "vectors", "index.db", "keyword vectors index.db"])
def test_what_was_deleted_is_built_again_without_embedding(daemon: Daemon, lost: str) -> None:
    assert daemon.stop() == 0
    for name in lost.split():
        for path in daemon.state.glob(f"{name}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    daemon.start()
    daemon.agrees(daemon.place / "root")
    assert computed(daemon) == 0


def test_a_damaged_embedding_cache_is_set_aside_and_filled_again(daemon: Daemon) -> None:
    assert daemon.stop() == 0
    cache = daemon.state / "embeddings.db"
    cache.write_bytes(b"no database" * 1000)
    for path in daemon.state.glob("vectors/*"):
        shutil.rmtree(path)
    daemon.start()
    daemon.agrees(daemon.place / "root")
    assert computed(daemon) > 0
    assert "state_damaged" in daemon.log
    assert [path for path in daemon.state.iterdir() if "damaged" in path.name]


def test_another_model_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 3)
    with Daemon(tmp_path / "place", tmp_path / "root") as daemon:
        daemon.agrees(tmp_path / "root")
        (before,) = (daemon.state / "vectors").iterdir()
        daemon.environment["AGENTD_EMBEDDING_MAX_TOKENS"] = "64"  # part of the revision
        daemon.restart()
        daemon.agrees(tmp_path / "root")
        (now,) = (daemon.state / "vectors").iterdir()
        assert now != before
        assert daemon.scalar("SELECT count(DISTINCT space_id) FROM root_space") == 1


def test_files_that_changed_between_two_runs_are_found_at_the_start(daemon: Daemon) -> None:
    root = daemon.place / "root"
    assert daemon.stop() == 0
    write_files(root, 5, start=200)
    (root / "package_1" / "module_1.py").write_text("common = 'changed while nobody looked'\n")
    (root / "package_2").rename(root / "moved")
    daemon.start()
    daemon.follows(root)
    daemon.agrees(root)
    assert computed(daemon) < 15  # the moved files are embedded already


def test_added_roots_are_remembered_and_flags_that_are_gone_are_not(tmp_path: Path) -> None:
    for name in ("first", "second", "added"):
        write_files(tmp_path / name, 2)
    with running(tmp_path / "place", tmp_path / "first") as daemon:
        daemon.client.add_root(str(tmp_path / "added"))
        daemon.client.wait("keyword", timeout=30)
        daemon.flags = ["--root", str(tmp_path / "second")]
        daemon.restart()
        daemon.client.wait("keyword", timeout=30)
        roots = {root["path"]: root["origin"] for root in daemon.client.roots()}
        assert roots == {str(tmp_path / "second"): "flag", str(tmp_path / "added"): "added"}
        with closing(daemon.database()) as connection:
            assert connection.execute("SELECT count(*) FROM document").fetchone() == (4,)


def test_a_client_that_comes_while_the_daemon_starts_sees_every_root(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 20)
    with running(tmp_path / "place", tmp_path / "root") as daemon:
        # The first request of `start` waited in the backlog; its connection is the first that is served.
        assert [root["path"] for root in daemon.client.roots()] == [str(tmp_path / "root")]
        assert daemon.client.wait("keyword", timeout=30)["documents"] == 20


def test_signals_while_it_starts_do_no_harm(tmp_path: Path) -> None:
    with running(tmp_path / "place") as daemon:
        assert daemon.stop() == 0
        daemon.spawn()
        until(daemon.socket.exists)
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGTERM)
        assert daemon.exit_code() == 0
        daemon.start()
