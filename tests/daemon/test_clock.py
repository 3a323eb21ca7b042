"""A wall clock that jumps by years, in both directions, at rest and at work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, until, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_A_YEAR = 31_556_952
JUMPS = [10, -20, 0]
"""Years ahead of the true time."""
BRISK = QUICK + "[maintenance]\ninterval_seconds = 0.2\n[embedding]\ncache_disk_megabytes = 16\n"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with vectors over 15 files, running, whose clock is set by ``set_clock``."""
    write_files(tmp_path / "root", 15)
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    clock = {"PYTHONPATH": str(Path(__file__).parent / "clock"), "CLOCK_AHEAD_FILE": str(ahead)}
    with Daemon(tmp_path / "place", tmp_path / "root", config=BRISK, **clock) as daemon:
        daemon.agrees(tmp_path / "root")
        yield daemon


def set_clock(tmp_path: Path, years: int) -> None:
    (tmp_path / "new").write_text(str(years * SECONDS_A_YEAR))
    (tmp_path / "new").rename(tmp_path / "ahead")


def maintenance_goes_on(daemon: Daemon) -> None:
    runs = daemon.client.stats()["maintenance"]["runs"]
    until(lambda: daemon.client.stats()["maintenance"]["runs"] > runs + 2, "maintenance goes on", 10)


def test_a_jump_under_a_running_daemon_stops_and_evicts_nothing(daemon: Daemon, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for number, years in enumerate(JUMPS):
        set_clock(tmp_path, years)
        maintenance_goes_on(daemon)
        computed = daemon.client.stats()["embedding"]["computed"]
        write_files(root, 3, start=100 + 10 * number)
        daemon.follows(root)
        daemon.agrees(root)
        assert 0 < daemon.client.stats()["embedding"]["computed"] - computed < 8
        assert daemon.client.health()["status"] == "ok"
        assert 0 < daemon.client.stats()["process"]["uptime_seconds"] < DEADLINE * 10


def test_a_restart_years_later_or_earlier_embeds_nothing_again(daemon: Daemon, tmp_path: Path) -> None:
    for years in JUMPS:
        set_clock(tmp_path, years)
        daemon.restart()
        daemon.agrees(tmp_path / "root")
        assert daemon.client.stats()["embedding"]["computed"] == 0
        assert daemon.client.health()["status"] == "ok"


def test_the_clock_of_the_test_is_the_daemons(daemon: Daemon, tmp_path: Path) -> None:
    before = scanned_at(daemon)
    set_clock(tmp_path, 10)
    daemon.client.wait("keyword", timeout=DEADLINE)
    assert scanned_at(daemon) > before + 9 * SECONDS_A_YEAR


def scanned_at(daemon: Daemon) -> float:
    return daemon.client.status()["roots"][0]["scanned_at"] or 0.0
