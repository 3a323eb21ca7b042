from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agentd.daemon.locks import BoundSocket, FileLock, private_directory
from agentd.errors import StateLockedError, StateUnusableError


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / "lock", "the state"),
        pytest.raises(StateLockedError, match=f"pid {os.getpid()}"),
        FileLock(tmp_path / "lock", "the state"),
    ):
        pass
    with FileLock(tmp_path / "lock", "the state"):
        pass


def test_a_directory_of_the_socket_that_will_not_do_is_named_with_the_reason_and_the_way_out() -> None:
    shared = Path(tempfile.mkdtemp(dir="/tmp"))
    shared.chmod(0o755)
    try:
        with (
            pytest.raises(StateUnusableError, match=f"open to others .* chmod 700 {shared}"),
            BoundSocket(shared / "s", 8),
        ):
            pass
    finally:
        shared.rmdir()
    with (
        pytest.raises(StateUnusableError, match=r"^cannot use /proc/agentd for the socket: No such file or directory$"),
        BoundSocket(Path("/proc/agentd/s"), 8),
    ):
        pass


def test_a_directory_that_others_may_pass_serves_a_shared_socket_again() -> None:
    passable = Path(tempfile.mkdtemp(dir="/tmp"))
    for _ in range(2):
        with BoundSocket(passable / "s", 8, shared=True):
            assert passable.stat().st_mode & 0o777 == 0o711
    shutil.rmtree(passable)


def test_the_lock_goes_with_a_killed_owner(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from agentd.daemon.locks import FileLock\n"
        "with FileLock(Path(sys.argv[1]), 'x'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        owner.kill()
    with FileLock(tmp_path / "lock", "x"):
        pass


def test_a_live_socket_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "agentd.sock"
    with BoundSocket(path, 8):
        with pytest.raises(StateLockedError), BoundSocket(path, 8):
            pass
        assert connects(path)


def test_a_stale_socket_is_replaced_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "agentd.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert not connects(path)
    with BoundSocket(path, 8):
        assert connects(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_a_socket_put_in_our_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agentd.sock"
    with BoundSocket(path, 8):
        path.unlink()
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's"


def test_a_path_too_long_for_the_kernel_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with BoundSocket(deep / "agentd.sock", 8) as listening:
        assert (deep / "agentd.sock").is_socket()
        assert listening.getblocking() is False


def test_a_file_in_the_way_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "agentd.sock"
    path.write_text("precious")
    with pytest.raises(StateUnusableError, match="no socket"), BoundSocket(path, 8):
        pass
    assert path.read_text() == "precious"
    assert [each.name for each in tmp_path.iterdir()] == ["agentd.sock"]


def test_a_lock_whose_file_was_deleted_or_replaced_is_no_lock_any_more(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", "the state") as lock:
        lock.check()
        (tmp_path / "lock").unlink()
        with pytest.raises(StateUnusableError, match="deleted while in use"):
            lock.check()
        (tmp_path / "lock").write_text("another")
        with pytest.raises(StateUnusableError, match="deleted while in use"):
            lock.check()


def test_a_private_directory_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.mkdir(mode=0o755)
    private_directory(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusableError, match="private directory"):
        private_directory(tmp_path / "file" / "state")
