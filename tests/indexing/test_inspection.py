"""What ``index.inspect`` says of single files of a real daemon."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon, running, write_files

from agentd.client import AgentdClientError
from agentd.indexing.inspection import shares

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    write_files(root, 20)
    (root / ".gitignore").write_text("*.log\n")
    (root / "noise.log").write_text("noise\n")
    (root / "image.py").write_bytes(b"\0\1\2" * 99)
    return root


@pytest.fixture
def daemon(tmp_path: Path, root: Path) -> Iterator[Daemon]:
    with running(tmp_path / "daemon", root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        yield daemon


def inspect(daemon: Daemon, **params: Any) -> list[dict[str, Any]]:
    return daemon.client.request("index.inspect", **params)["files"]  # type: ignore[no-any-return]


def test_files_are_as_the_disk_has_them_and_others_as_the_rules_have_them(daemon: Daemon, root: Path) -> None:
    module, image = root / "package_0" / "module_0.py", root / "image.py"
    paths = [str(path) for path in (module, image, root / "noise.log", root / "none.py")]
    found = {file["path"]: file for file in inspect(daemon, paths=paths)}
    assert [found[path]["state"] for path in paths] == ["indexed", "skipped", "ignored", "ignored"]
    assert found[str(image)]["skip"] == "binary"
    stat = module.stat()
    assert (found[str(module)]["size"], found[str(module)]["modified_ns"]) == (stat.st_size, stat.st_mtime_ns)


def test_a_file_that_the_index_lost_is_missing(daemon: Daemon, root: Path) -> None:
    lost = root / "package_0" / "module_0.py"
    with closing(sqlite3.connect(daemon.state / "index.db")) as writer, writer:
        writer.execute("DELETE FROM document WHERE path = 'package_0/module_0.py'")
    assert [file["state"] for file in inspect(daemon, paths=[str(lost)])] == ["missing"]


def test_a_sample_holds_each_file_once_with_a_passage_of_it(daemon: Daemon, root: Path) -> None:
    found = inspect(daemon, sample=1000, passages=True)
    assert len({file["path"] for file in found}) == len(found) == 22
    for file in found:
        if file["passage"]:
            lines = (root / file["path"]).read_text().splitlines()
            shown = "\n".join(lines[file["passage"]["start_line"] - 1 : file["passage"]["end_line"]])
            assert file["passage"]["text"].strip() == shown.strip()
    assert sum(file["passage"] is not None for file in found) >= 20
    assert len(inspect(daemon, sample=5)) == 5


def test_roots_that_are_none_are_refused(daemon: Daemon) -> None:
    with pytest.raises(AgentdClientError, match="/nowhere"):
        inspect(daemon, roots=["/nowhere"], sample=1)
    with pytest.raises(AgentdClientError, match="in no root"):
        inspect(daemon, paths=["/nowhere/a"])


def test_each_root_has_its_share() -> None:
    assert sum(shares(200, [1, 1000, 30_000])) <= 202
    assert all(shares(1, [3, 7, 9]))
