"""The index against the disk: faults are put into the database of a real daemon behind its back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, Daemon, obey_permissions, running, until, write_files
from doctor_harness import QuickPatient, one, results

from agentd.cli.doctor import index, roots, tree
from agentd.cli.doctor.finding import OK, PROBLEM, SKIPPED, WARNING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentd.cli.doctor.finding import Finding


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    write_files(root, 30)
    (root / ".gitignore").write_text("noise/\n")
    write_files(root / "noise", 5)
    return root


@pytest.fixture
def daemon(tmp_path: Path, root: Path) -> Iterator[Daemon]:
    with running(tmp_path / "daemon", root, before_exec=obey_permissions) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        yield daemon


def harm(daemon: Daemon, sql: str) -> None:
    with closing(sqlite3.connect(daemon.state / "index.db", timeout=5)) as writer, writer:
        assert writer.execute(sql).rowcount > 0


def look(daemon: Daemon, *, deep: bool = False) -> list[Finding]:
    return list(index.check(QuickPatient(daemon.socket, deep=deep)))


def reindexed(daemon: Daemon) -> None:
    daemon.client.reindex()
    daemon.client.wait("keyword", timeout=DEADLINE)


def test_an_index_that_is_true_is_found_so_and_ignored_files_are_no_loss(daemon: Daemon) -> None:
    found = look(daemon, deep=True)
    assert results(found) == {
        "index.files": OK,
        "index.complete": OK,
        "index.keyword": OK,
        "index.vectors": SKIPPED,
        "index.text": OK,
    }
    assert "5 of them are ignored" in one(found, "index.complete").found


def test_a_file_that_differs_from_what_the_index_has(daemon: Daemon, root: Path) -> None:
    harm(daemon, "UPDATE document SET size = size + 1, signature = 'x' WHERE path = 'package_1/module_1.py'")
    found = one(look(daemon), "index.files")
    assert found.result == PROBLEM
    assert f"{root}/package_1/module_1.py" in found.found
    assert found.mend.startswith("agentctl reindex")
    reindexed(daemon)
    assert one(look(daemon), "index.files").result == OK


def test_a_file_that_the_index_has_lost(daemon: Daemon, root: Path) -> None:
    harm(daemon, "DELETE FROM document WHERE path = 'package_1/module_1.py'")
    found = one(look(daemon), "index.complete")
    assert found.result == PROBLEM
    assert f"{root}/package_1/module_1.py" in found.found
    reindexed(daemon)
    assert one(look(daemon), "index.complete").result == OK


def test_a_passage_that_the_view_and_the_disk_do_not_have(daemon: Daemon) -> None:
    harm(daemon, "UPDATE chunk SET text = 'zebra quagga okapi ' || text WHERE text LIKE '%unique3%'")
    harm(daemon, "UPDATE chunk SET text = 'zebra quagga okapi' WHERE text LIKE '%unique4%'")
    found = results(look(daemon, deep=True))
    assert found["index.text"] == PROBLEM
    assert found["index.keyword"] == PROBLEM


def test_without_a_sample_or_a_daemon_nothing_is_compared(daemon: Daemon, tmp_path: Path) -> None:
    assert results(index.check(QuickPatient(daemon.socket, sample=0))) == {"index.files": SKIPPED}
    assert results(index.check(QuickPatient(tmp_path / "none"))) == {"index.files": SKIPPED}


def test_vectors_find_passages_by_their_meaning(tmp_path: Path) -> None:
    write_files(tmp_path / "few", 3)
    with Daemon(tmp_path / "with-vectors", tmp_path / "few") as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        assert one(look(daemon, deep=True), "index.vectors").result == OK


def test_files_by_chance_are_regular_files_each_once(root: Path) -> None:
    (root / "link").symlink_to("/etc")
    found = tree.random_files([str(root)], 1000)
    assert len(found) == len(set(found)) > 20
    assert not [path for path in found if "/link/" in path]
    assert len(tree.random_files([str(root)], 5)) == 5
    assert tree.random_files([], 5) == tree.random_files([f"{root}/none"], 5) == []


def of_roots(daemon: Daemon, wanted: Path | None = None) -> dict[str, str]:
    return results(roots.check(QuickPatient(daemon.socket, root=str(wanted) if wanted else None)))


def test_roots_that_are_well_missing_or_none_at_all(daemon: Daemon, root: Path, tmp_path: Path) -> None:
    assert set(of_roots(daemon).values()) == {OK}
    assert of_roots(daemon, wanted=tmp_path) == {"roots.known": PROBLEM}
    root.rename(tmp_path / "away")
    until(lambda: of_roots(daemon)["roots.state"] == PROBLEM)
    assert of_roots(daemon)["roots.folder"] == PROBLEM
    (tmp_path / "away").rename(root)
    until(lambda: set(of_roots(daemon).values()) == {OK})
    with running(tmp_path / "rootless") as rootless:
        assert of_roots(rootless) == {"roots.known": WARNING}


def test_files_that_cannot_be_read_and_files_that_are_too_large(daemon: Daemon, root: Path) -> None:
    closed = root / "package_1" / "module_1.py"
    closed.chmod(0)
    (root / "large.py").write_text("x = 1\n" * 500_000)
    reindexed(daemon)
    until(lambda: of_roots(daemon)["roots.skipped"] == WARNING)
    until(lambda: of_roots(daemon)["roots.too_large"] == WARNING)
    closed.chmod(0o644)
    (root / "large.py").unlink()
    until(lambda: set(of_roots(daemon).values()) == {OK})


def test_a_root_that_is_not_watched_in_full(tmp_path: Path, root: Path) -> None:
    with running(tmp_path / "few-watches", root, AGENTD_LIMITS_WATCHES="2") as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        assert of_roots(daemon)["roots.watched"] == WARNING
