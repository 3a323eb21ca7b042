"""What a careless or unkind user does to a running daemon: it goes on, and says what is wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from daemon_harness import DEADLINE, running, until, write_files


def test_a_daemon_without_standard_streams_runs_and_stops_like_any(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 3)
    with running(tmp_path / "daemon", tmp_path / "root", before_exec=lambda: os.closerange(0, 3)) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        assert daemon.finds("common")
        streams = [Path(f"/proc/{daemon.pid}/fd/{number}").readlink() for number in range(3)]
        assert streams == [Path(os.devnull)] * 3


def test_status_answers_after_the_state_directory_was_deleted(tmp_path: Path) -> None:
    with running(tmp_path / "daemon") as daemon:
        shutil.rmtree(daemon.state)
        assert daemon.client.health()
        until(lambda: daemon.client.status()["disk_bytes"]["total"] == 0, "the sizes are counted anew")
        daemon.kill()
