"""The index becomes equal to the disk after any change, by events alone: no test here asks for a scan."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from daemon_harness import Daemon, module_text, running, until, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("following")) as daemon:
        yield daemon


@pytest.fixture
def root(daemon: Daemon, tmp_path: Path) -> Iterator[Path]:
    """A root of the shared daemon with a few files, indexed."""
    root = tmp_path / "root"
    write_files(root, 12)
    daemon.client.add_root(str(root))
    daemon.client.wait("keyword", timeout=30)
    yield root
    daemon.client.remove_root(str(root))


def replace(path: Path, text: str) -> None:
    """Save as editors do: beside, then renamed over."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text)
    beside.replace(path)


def test_an_edit_an_append_and_a_rename_save_are_found(daemon: Daemon, root: Path) -> None:
    first, second, third, *_ = sorted(root.rglob("*.py"))
    first.write_text("def edited():\n    return 'common zebra'\n")
    with second.open("a") as file:
        file.write("\n\ndef appended():\n    return 'common giraffe'\n")
    replace(third, "def replaced():\n    return 'common okapi'\n")
    daemon.follows(root)
    assert daemon.finds("zebra", roots=[str(root)]) == [str(first)]
    assert daemon.finds("giraffe", roots=[str(root)]) == [str(second)]
    assert daemon.finds("okapi", roots=[str(root)]) == [str(third)]


def test_deleted_and_renamed_files_leave_nothing_behind(daemon: Daemon, root: Path) -> None:
    first, second, third, *_ = sorted(root.rglob("*.py"))
    first.unlink()
    second.rename(root / "renamed.py")
    third.rename(third.with_name(third.name.upper()))
    tree = daemon.follows(root)
    assert "renamed.py" in tree
    assert str(first) not in daemon.finds("common", limit=1000, roots=[str(root)])


def test_a_moved_directory_is_found_at_its_new_place_and_followed_there(daemon: Daemon, root: Path) -> None:
    (root / "package_1").rename(root / "moved")
    daemon.follows(root)
    (root / "moved" / "module_1.py").write_text("common = 'after the move'\n")
    daemon.follows(root)
    (root / "moved").rename(root / "package_1")
    daemon.follows(root)
    (root / "package_1" / "module_1.py").write_text("common = 'back again'\n")
    daemon.follows(root)


def test_a_directory_moved_in_and_out_of_the_root(daemon: Daemon, root: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "outside", 10, start=500)
    (tmp_path / "outside").rename(root / "inside")
    assert "inside/package_3/module_500.py" in daemon.follows(root)
    (root / "inside").rename(tmp_path / "outside")
    assert "inside/package_3/module_500.py" not in daemon.follows(root)


def test_nothing_is_missed_in_directories_that_are_made_and_filled_at_once(daemon: Daemon, root: Path) -> None:
    for number in range(1000):
        folder = root / "new" / f"a{number % 10}" / f"b{number % 50}" / "c"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file_{number}.txt").write_text(f"common line {number}\n")
    assert len(daemon.follows(root)) == 1012
    shutil.rmtree(root / "new")
    assert len(daemon.follows(root)) == 12


def test_a_branch_switch_of_hundreds_of_files_is_followed(daemon: Daemon, root: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    write_files(root, 300)
    git("add", ".")
    git("commit", "-q", "-m", "main")
    git("checkout", "-q", "-b", "other")
    write_files(root / "sub" / "other", 150, start=300)
    for path in root.glob("package_*/*.py"):
        path.write_text(path.read_text().replace("common", "common other"))
    shutil.rmtree(root / "package_2")
    git("add", ".")
    git("commit", "-q", "-m", "other")
    daemon.follows(root)
    git("checkout", "-q", "main")
    assert len(daemon.follows(root)) == 300
    git("checkout", "-q", "other")
    assert len(daemon.follows(root)) == 450 - 43


def test_ignore_rules_take_effect_when_they_change(daemon: Daemon, root: Path) -> None:
    (root / ".gitignore").write_text("package_1/\nmodule_2.py\n")
    tree = daemon.follows(root)
    assert not [path for path in tree if path.startswith("package_1/") or path.endswith("module_2.py")]
    (root / "package_1" / "late.py").write_text("common = 'written while ignored'\n")
    (root / "package_3" / ".agentdignore").write_text("*.py\n")
    assert not [path for path in daemon.follows(root) if path.startswith("package_3/") and path.endswith(".py")]
    (root / ".gitignore").unlink()
    (root / "package_3" / ".agentdignore").write_text("")
    assert "package_1/late.py" in daemon.follows(root)
    (root / "package_1" / "late.py").write_text("common = 'seen again'\n")
    daemon.follows(root)


def test_a_directory_replaced_by_a_file_and_back(daemon: Daemon, root: Path) -> None:
    shutil.rmtree(root / "package_1")
    (root / "package_1").write_text("common text in place of a folder\n")
    assert "package_1" in daemon.follows(root)
    (root / "package_1").unlink()
    (root / "package_1").mkdir()
    (root / "package_1" / "again.py").write_text("common = 1\n")
    daemon.follows(root)
    (root / "package_1" / "again.py").write_text("common = 2\n")
    daemon.follows(root)


def test_a_root_deleted_and_made_again_is_followed_again(daemon: Daemon, root: Path) -> None:
    shutil.rmtree(root)
    until(lambda: state_of(daemon, root) == "missing", "the root is said to be missing")
    assert str(root) in " ".join(daemon.client.health()["problems"])
    assert daemon.finds("common", roots=[str(root)]) == []
    write_files(root, 3, start=40)
    assert len(daemon.follows(root)) == 3
    (root / "package_5" / "module_40.py").write_text("common = 'watched again'\n")
    daemon.follows(root)
    assert state_of(daemon, root) == "current"


def test_a_root_moved_away_keeps_its_index_until_it_is_back(daemon: Daemon, root: Path, tmp_path: Path) -> None:
    root.rename(tmp_path / "away")
    until(lambda: state_of(daemon, root) == "missing", "the root is said to be missing")
    assert len(daemon.indexed(root)) == 12
    (tmp_path / "away" / "package_1" / "module_1.py").write_text("common = 'changed while away'\n")
    (tmp_path / "away").rename(root)
    daemon.follows(root)
    (root / "package_1" / "module_1.py").write_text("common = 'changed after its return'\n")
    daemon.follows(root)


def test_a_root_replaced_by_another_directory_at_once(daemon: Daemon, root: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "other", 5, start=70)
    root.rename(tmp_path / "away")
    (tmp_path / "other").rename(root)
    assert len(daemon.follows(root)) == 5
    (root / "package_0" / "module_70.py").write_text(module_text(71))
    daemon.follows(root)


def test_a_change_that_keeps_size_and_mtime_is_noticed(daemon: Daemon, root: Path) -> None:
    path = root / "package_1" / "module_1.py"
    before = path.stat()
    path.write_text(path.read_text().replace("common", "zirkon"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    daemon.follows(root)
    assert daemon.finds("zirkon", roots=[str(root)]) == [str(path)]


def state_of(daemon: Daemon, root: Path) -> str:
    return next(each["state"] for each in daemon.client.roots() if each["path"] == str(root))
