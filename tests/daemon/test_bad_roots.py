"""Folders that cannot be roots, and states that cannot be used."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, KEYWORD_ONLY, NOBODY, Daemon, obey_permissions, running, until, write_files

from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    place = tmp_path_factory.mktemp("bad-roots")
    write_files(place / "tree" / "inner", 2)
    with running(place / "daemon", place / "tree" / "inner", before_exec=obey_permissions) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        yield daemon


def refused(daemon: Daemon, path: Path) -> str:
    with pytest.raises(AgentdClientError) as error:
        daemon.client.add_root(str(path))
    assert error.value.kind == "root_invalid"
    return str(error.value)


def test_a_folder_inside_a_root_is_searched_by_its_path(daemon: Daemon) -> None:
    root = str(daemon.place.parent / "tree" / "inner")
    with pytest.raises(AgentdClientError, match=re.escape(f"lies in {root}: ask there for paths like 'package_0/**'")):
        daemon.client.search("common", roots=[f"{root}/package_0"])
    inside = daemon.client.search("common", roots=[root], paths=["package_0/**"])["hits"]
    assert {hit["path"] for hit in inside} == {f"{root}/package_0/module_0.py"}
    with pytest.raises(AgentdClientError, match="agentctl add /elsewhere"):
        daemon.client.search("common", roots=["/elsewhere"])


def test_what_cannot_be_a_root_is_refused_with_the_reason(daemon: Daemon) -> None:
    tree = daemon.place.parent / "tree"
    closed = daemon.place.parent / "closed"
    closed.mkdir(mode=0)
    assert "does not exist" in refused(daemon, tree / "missing")
    assert "is a file" in refused(daemon, tree / "inner" / "package_0" / "module_0.py")
    assert "cannot be a root" in refused(daemon, Path("/"))
    assert "indexes it already" in refused(daemon, tree / "inner" / "package_0")
    assert "holds the root" in refused(daemon, tree)
    assert "cannot be read" in refused(daemon, closed)
    assert "keeps its own files" in refused(daemon, daemon.state)
    assert "keeps its own files" in refused(daemon, daemon.state / "keyword")
    assert [root["path"] for root in daemon.client.roots()] == [str(tree / "inner")]


def test_a_path_of_no_root_is_named_in_the_error(daemon: Daemon) -> None:
    asked = (daemon.client.remove_root, daemon.client.read_span, lambda path: daemon.client.search("x", roots=[path]))
    for ask in asked:
        with pytest.raises(AgentdClientError) as error:
            ask("/elsewhere")
        assert error.value.data["path"] == "/elsewhere"


def test_a_root_given_twice_or_by_a_link_is_one_root(daemon: Daemon) -> None:
    tree = daemon.place.parent / "tree"
    write_files(tree / "beside", 1)
    (tree / "link").symlink_to("beside")
    added = daemon.client.add_root(str(tree / "link"))
    assert added["path"] == str(tree / "beside")
    assert daemon.client.add_root(str(tree / "beside"))["path"] == added["path"]
    assert len(daemon.client.roots()) == 2
    assert daemon.client.remove_root(str(tree / "link"))["documents"] >= 0
    assert len(daemon.client.roots()) == 1


def test_a_fixed_root_cannot_be_removed_and_an_unknown_one_neither(daemon: Daemon) -> None:
    inner = daemon.place.parent / "tree" / "inner"
    for path, kind in ((inner, "root_fixed"), (inner.parent, "root_not_found")):
        with pytest.raises(AgentdClientError) as error:
            daemon.client.remove_root(str(path))
        assert error.value.kind == kind


def test_bad_roots_named_at_the_start_are_told_and_the_rest_is_served(tmp_path: Path) -> None:
    write_files(tmp_path / "good", 3)
    (tmp_path / "file").write_text("")
    roots = [tmp_path / "good", tmp_path / "file", tmp_path / "good" / "package_0", tmp_path / "later"]
    with running(tmp_path / "place", *roots) as daemon:
        assert daemon.finds("unique1") or daemon.client.wait("keyword", timeout=DEADLINE)
        problems = "\n".join(daemon.client.health()["problems"])
        assert f"{tmp_path / 'file'} is a file" in problems
        assert f"{tmp_path / 'good' / 'package_0'} lies in the root" in problems
        assert f"{tmp_path / 'later'} is missing" in problems
        write_files(tmp_path / "later", 2, start=50)
        daemon.follows(tmp_path / "later")
        assert f"{tmp_path / 'later'} is missing" not in "\n".join(daemon.client.health()["problems"])


@pytest.mark.parametrize("name", ["state", "st[a]te *"])
def test_a_state_directory_inside_a_root_does_not_feed_itself(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    write_files(root, 5)
    daemon = Daemon(root / "place", root, **KEYWORD_ONLY)
    daemon.state = root / name
    (root / ".gitignore").write_text("/place/log\n")  # the harness's own file, which grows with each event
    daemon.socket = root / "agentd.sock"
    with daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        before = daemon.client.status()["generation"]
        shown = {os.path.relpath(each["path"], root) for each in daemon.client.list_files()["files"]}
        assert not [path for path in shown if path.startswith((name, "agentd.sock"))]
        assert daemon.client.list_files(skipped=True)["files"] == []
        # Each wait writes nothing, and the sentinel bounds in events, not in time, how long there was to churn.
        for number in range(5):
            (root / "sentinel.txt").write_text(f"common sentinel {number}\n")
            daemon.follows(root, exclude=(f"/{name.replace('[', chr(92) + '[')}", "/agentd.sock*"))
        assert daemon.client.status()["generation"] <= before + 6


def start_fails(daemon: Daemon) -> tuple[int, str]:
    """Exit code of a start that ends by itself, and the path in its error."""
    code = daemon.spawn().wait(DEADLINE)
    error = str(json.loads(daemon.log.splitlines()[-1])["error"])
    path = re.search(rf"{re.escape(str(daemon.state))}[^ :]*", error)
    return code, path[0].removesuffix("/lock") if path else error


def test_a_state_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "place", **KEYWORD_ONLY)
    daemon.before_exec = obey_permissions
    daemon.state.mkdir(mode=0o500)
    assert start_fails(daemon) == (4, str(daemon.state))
    daemon.state.chmod(0o755)
    with daemon:
        assert stat.S_IMODE(daemon.state.stat().st_mode) == 0o700
    (daemon.state / "index.db").chmod(0)
    with daemon:  # a file of one's own is made one's own again
        assert stat.S_IMODE((daemon.state / "index.db").stat().st_mode) == 0o600
    shutil.rmtree(daemon.state)
    daemon.state.write_text("a file")
    assert start_fails(daemon) == (4, str(daemon.state))


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")
def test_a_state_directory_of_another_user_is_not_taken_over(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "place", **KEYWORD_ONLY)
    daemon.state.mkdir(mode=0o777)
    os.chown(daemon.state, NOBODY, NOBODY)
    assert start_fails(daemon) == (4, str(daemon.state))


def test_a_full_disk_is_told_and_recovered_from(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: writes fail with EFBIG."""
    root = tmp_path / "root"
    write_files(root, 5)
    daemon = Daemon(tmp_path / "place", root, **KEYWORD_ONLY)
    daemon.before_exec = limit_files
    with daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        for number in range(40):
            lines = "".join(f"common line {number} {line} of a text that needs its place\n" for line in range(2000))
            (root / f"large_{number}.txt").write_text(lines)
        until(lambda: daemon.client.health()["problems"][1:], "the trouble is named")
        assert any("index" in problem for problem in daemon.client.health()["problems"])
        assert daemon.finds("unique1")
        assert daemon.log.count("service_failed") < 50
        for path in root.glob("large_*"):
            path.unlink()
    daemon.before_exec = None
    with daemon:
        daemon.agrees(root)


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
