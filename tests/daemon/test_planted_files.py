"""What daemon and clients leave on disk is closed to others, and nothing that others planted is written through."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, Daemon, write_files

from agentd.daemon.locks import BoundSocket, FileLock, private_directory
from agentd.errors import StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OTHER = 65534


def test_all_that_a_daemon_makes_is_for_its_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 30)
    daemon = Daemon(tmp_path / "place", root)
    daemon.before_exec = forget_the_umask
    with daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        daemon.restart()  # what is written at the end and at the next start, too
        daemon.client.wait("vectors", timeout=DEADLINE)
        made = [daemon.state, daemon.socket.parent, *daemon.state.rglob("*"), *daemon.socket.parent.iterdir()]
        modes = {str(path): stat.S_IMODE(path.lstat().st_mode) for path in made}
        open_to_others = {path: oct(mode) for path, mode in modes.items() if mode & 0o077}
        assert open_to_others == {}


def forget_the_umask() -> None:
    os.umask(0)


def victim_of(place: Path) -> Path:
    victim = place / "victim"
    victim.write_text("precious")
    victim.chmod(0o644)
    return victim


def test_a_link_at_the_place_of_the_lock_is_not_written_through(tmp_path: Path) -> None:
    victim = victim_of(tmp_path)
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(StateUnusableError, match="cannot lock"), FileLock(tmp_path / "lock", "the state"):
        pass
    assert victim.read_text() == "precious"


def test_a_link_at_the_place_of_the_socket_is_neither_followed_nor_deleted(tmp_path: Path) -> None:
    victim = victim_of(tmp_path)
    (tmp_path / "s").symlink_to(victim)
    with pytest.raises(StateUnusableError, match="is there and no socket"), BoundSocket(tmp_path / "s", 8):
        pass
    assert (tmp_path / "s").is_symlink()
    assert victim.read_text() == "precious"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(
    "plant",
    [
        lambda path: path.write_text("x"),
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.mkdir(),
        os.mkfifo,
    ],
    ids=["file", "link", "folder", "fifo"],
)
def test_an_open_directory_in_which_another_user_put_something_is_refused(
    tmp_path: Path, plant: Callable[[Path], object]
) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o777)
    state.chmod(0o777)
    plant(state / "index.db")
    os.lchown(state / "index.db", OTHER, OTHER)
    with pytest.raises(StateUnusableError, match=f"index.db belongs to user {OTHER}; remove it"):
        private_directory(state)


def test_an_open_directory_of_our_own_files_is_closed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o777)
    (state / "index.db").write_text("ours")
    private_directory(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
