"""What is measured of the machine is what the machine says."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

import psutil
import pytest

from agentd.compute.stats import resident_bytes
from agentd.daemon.descriptors import FEWEST_CONNECTIONS, OWN, DescriptorPlan, plan
from agentd.daemon.usage import disk_use, free_bytes, open_descriptors, proportional

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024


def test_memory_that_two_processes_share_counts_once() -> None:
    shared = mmap.mmap(-1, 64 * MEBIBYTE)
    shared.write(b"x" * len(shared))
    ready, release = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        assert shared[:: mmap.PAGESIZE]  # so that it holds the pages too
        os.write(ready[1], b"x")
        os.read(release[0], 1)
        os._exit(0)
    try:
        os.read(ready[0], 1)
        both = [os.getpid(), child]
        assert sum(map(resident_bytes, both)) - proportional(both) > 60 * MEBIBYTE
        known = sum(psutil.Process(pid).memory_full_info().pss for pid in both)
        assert proportional(both) == pytest.approx(known, rel=0.1)
    finally:
        os.write(release[1], b"x")
        os.waitpid(child, 0)
        for descriptor in (*ready, *release):
            os.close(descriptor)
        shared.close()
    assert proportional([child]) == 0  # it is gone


def test_free_space_is_that_of_the_file_system_also_where_the_directory_has_gone(tmp_path: Path) -> None:
    known = psutil.disk_usage(str(tmp_path)).free
    assert free_bytes(tmp_path) == pytest.approx(known, rel=0.05)
    assert free_bytes(tmp_path / "gone" / "too") == pytest.approx(known, rel=0.05)


def test_disk_use_counts_what_is_on_disk_and_not_the_holes(tmp_path: Path) -> None:
    (tmp_path / "keyword").mkdir()
    (tmp_path / "keyword" / "segment").write_bytes(b"x" * 100_000)
    with (tmp_path / "index.db").open("wb") as file:
        file.truncate(10**9)
    assert 100_000 <= disk_use(tmp_path)["total"] < 200_000
    assert disk_use(tmp_path / "gone") == {"total": 0}


def test_open_descriptors_are_counted(tmp_path: Path) -> None:
    before = open_descriptors()
    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"):
        assert open_descriptors() == before + 2


@pytest.mark.parametrize(
    ("asked", "hard", "expected"),
    [
        (0, 100_000, DescriptorPlan(1024 + OWN, 1024)),
        (0, 500, DescriptorPlan(500, 500 - OWN)),
        (400, 100_000, DescriptorPlan(400, 400 - OWN)),
        (5000, 100_000, DescriptorPlan(5000, 1024)),
        (0, 64, DescriptorPlan(64, FEWEST_CONNECTIONS)),
    ],
)
def test_descriptors_go_to_connections_after_what_the_daemon_needs(
    asked: int, hard: int, expected: DescriptorPlan
) -> None:
    assert plan(asked, 1024, hard) == expected
