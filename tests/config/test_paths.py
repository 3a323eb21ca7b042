from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agentd.config.paths import check_private, config_file, git_excludes, socket_path, state_directory, with_short_path

OWN = f"/tmp/agentd-{os.getuid()}/agentd.sock"  # noqa: S108  # the path that check_private guards


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"AGENTD_SOCKET": "/s", "RUNTIME_DIRECTORY": "/run/a", "XDG_RUNTIME_DIR": "/run/user/1"}, "/s"),
        ({"RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/run/user/1"}, "/run/a/agentd.sock"),
        ({"XDG_RUNTIME_DIR": "/run/user/1"}, "/run/user/1/agentd/agentd.sock"),
        ({"XDG_RUNTIME_DIR": "relative"}, OWN),
        ({"AGENTD_SOCKET": ""}, OWN),
    ],
)
def test_the_socket_is_the_first_that_is_named(environ: dict[str, str], expected: str) -> None:
    assert socket_path(environ) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"AGENTD_STATE_DIR": "/a", "STATE_DIRECTORY": "/b"}, "/a"),
        ({"STATE_DIRECTORY": "/b", "XDG_STATE_HOME": "/c"}, "/b"),
        ({"XDG_STATE_HOME": "/c", "HOME": "/h"}, "/c/agentd"),
        ({"HOME": "/h"}, "/h/.local/state/agentd"),
    ],
)
def test_the_state_directory_is_the_first_that_is_named(environ: dict[str, str], expected: str) -> None:
    assert state_directory(environ) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/git/ignore"),
        ({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/git/ignore"),
        ({"HOME": "/h"}, "/h/.config/git/ignore"),
    ],
)
def test_the_excludes_of_git_are_at_its_default_place(environ: dict[str, str], expected: str) -> None:
    assert git_excludes(environ) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"AGENTD_CONFIG": "/a.toml", "CONFIGURATION_DIRECTORY": "/b"}, ("/a.toml", True)),
        ({"CONFIGURATION_DIRECTORY": "/b", "XDG_CONFIG_HOME": "/c"}, ("/b/agentd.toml", False)),
        ({"XDG_CONFIG_HOME": "/c"}, ("/c/agentd/agentd.toml", False)),
        ({"HOME": "/h"}, ("/h/.config/agentd/agentd.toml", False)),
    ],
)
def test_the_configuration_says_whether_it_was_named(environ: dict[str, str], expected: tuple[str, bool]) -> None:
    assert config_file(environ) == expected


def test_a_private_directory_passes(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    check_private(str(tmp_path))


def test_a_directory_open_to_others_a_link_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o750)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    (tmp_path / "file").touch()
    with pytest.raises(PermissionError, match="chmod 700"):
        check_private(str(tmp_path / "open"))
    for name in ("link", "file"):
        with pytest.raises(PermissionError, match="must be a directory"):
            check_private(str(tmp_path / name))


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be two users")
def test_a_directory_of_another_user_is_refused() -> None:
    code = "import os; from agentd.config.paths import *; os.setuid(65534); check_private('/root')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "belongs to user 0, expected 65534" in done.stderr


def test_a_long_path_is_bound_and_connected_to(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 120)
    directory.mkdir()
    path = str(directory / "agentd.sock")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        with_short_path(path, listener.bind)
        listener.listen()
        with_short_path(path, client.connect)
        listener.accept()[0].close()
    assert (directory / "agentd.sock").is_socket()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_kernels_limit_is_met_exactly(tmp_path: Path) -> None:
    for length in (107, 108):
        path = str(tmp_path / "x").ljust(length, "x")
        assert with_short_path(path, str).startswith("/proc/self/fd/") is (length > 107)
