"""What a library inside a worker would send or leave behind, nobody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
from daemon_harness import DEADLINE, Daemon, write_files

if TYPE_CHECKING:
    from pathlib import Path


def test_the_model_calls_nobody_and_leaves_nothing_in_the_home_directory(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    temporary.mkdir()
    write_files(tmp_path / "root", 5)
    with Daemon(home, tmp_path / "root", TMPDIR=str(temporary)) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        assert daemon.client.search("a common task", mode="vector")["hits"]
        for pid in (daemon.pid, *daemon.workers()):
            assert not psutil.Process(pid).net_connections("inet")
        assert {path.name for path in home.iterdir()} == {"agentd.toml", "log", "run", "state"}
        assert not list(temporary.iterdir())
