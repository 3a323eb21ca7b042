"""What the doctor says of disks that are really full, and of temporary folders that are."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest
from doctor_harness import QuickPatient, results

from agentd.cli.doctor import limits, state
from agentd.cli.doctor.finding import OK, PROBLEM, WARNING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")]

LITTLE = "[limits]\nfree_disk_megabytes = 4\n"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of 128 MiB and 1,100 files, with a state directory on it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m,nr_inodes=1100", "tmpfs", str(disk)], check=True)
    (disk / "state").mkdir(mode=0o700)
    monkeypatch.setenv("AGENTD_STATE_DIR", str(disk / "state"))
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def free_space(disk: Path) -> str:
    return results(state.check(QuickPatient(disk / "none", LITTLE)))["state.free_space"]


def test_a_full_disk_until_there_is_room_again(disk: Path) -> None:
    assert free_space(disk) == OK
    (disk / "ballast").write_bytes(bytes(126 * 1024 * 1024))
    assert free_space(disk) == PROBLEM
    (disk / "ballast").unlink()
    assert free_space(disk) == OK


def test_a_disk_without_inodes(disk: Path) -> None:
    for number in range(200):
        (disk / str(number)).touch()
    assert free_space(disk) == PROBLEM


def test_a_temporary_folder_that_is_full(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    assert limits.temporary().result == OK
    (disk / "ballast").write_bytes(bytes(100 * 1024 * 1024))
    assert limits.temporary().result == WARNING
