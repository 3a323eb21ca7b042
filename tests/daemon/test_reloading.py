"""SIGHUP, and what status and health say of a daemon that cannot do all it should."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import termios
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, KEYWORD_ONLY, QUICK, Daemon, running, until, write_files

from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    place = tmp_path_factory.mktemp("reloading")
    write_files(place / "root", 14)
    write_files(place / "other", 3, start=100)
    with running(place, place / "root") as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        yield daemon


def test_a_terminal_that_is_closed_takes_the_daemon_along(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 2)
    terminal, inside = os.openpty()

    def sit_at_it() -> None:
        os.setsid()
        fcntl.ioctl(inside, termios.TIOCSCTTY, 0)

    daemon = Daemon(tmp_path, tmp_path / "root", **KEYWORD_ONLY)
    daemon.before_exec = sit_at_it
    with daemon:
        os.close(inside)
        os.close(terminal)  # the kernel sends SIGHUP to the leader of the session
        assert daemon.exit_code() == 0


def events(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    return [event for line in daemon.log.splitlines() if (event := json.loads(line))["event"] == name]


def reload(daemon: Daemon, config: str, outcome: str = "reloaded") -> dict[str, Any]:
    """Write the file, send SIGHUP and wait for what comes of it."""
    before = len(events(daemon, outcome))
    daemon.config.write_text(config)
    daemon.signal(signal.SIGHUP)
    until(lambda: len(events(daemon, outcome)) > before, outcome)
    return events(daemon, outcome)[-1]


def test_exclusions_take_effect_at_once_and_go_again(daemon: Daemon) -> None:
    root = daemon.place / "root"
    said = reload(daemon, QUICK.replace("[index]", '[index]\nexclude = ["package_1/"]'))
    assert said["changed"] == ["index.exclude"]
    tree = daemon.follows(root, exclude=("package_1/",))
    assert len(tree) == 12
    assert "module_1.py" not in str(daemon.finds("common", limit=100))
    reload(daemon, QUICK)
    assert len(daemon.follows(root)) == 14


def test_roots_of_the_file_come_and_go(daemon: Daemon) -> None:
    other = daemon.place / "other"
    reload(daemon, QUICK + f'[[root]]\npath = "{other}"\n')
    daemon.follows(other)
    assert {root["path"]: root["origin"] for root in daemon.client.roots()}[str(other)] == "file"
    assert daemon.finds("unique100")[0].startswith(str(other))
    reload(daemon, QUICK)
    assert [root["path"] for root in daemon.client.roots()] == [str(daemon.place / "root")]
    assert str(other) not in str(daemon.finds("common", limit=100))


def test_a_bad_file_is_refused_and_the_old_settings_stay(daemon: Daemon) -> None:
    reload(daemon, QUICK.replace("[search]", "[search]\ndefault_limit = 2"))
    assert len(daemon.client.search("common", mode="keyword")["hits"]) == 2
    for bad in ("[search]\nlimt = 3\n", "no toml at all", "[index]\nmax_file_bytes = -1\n"):
        assert str(daemon.config) in reload(daemon, bad, "reload_refused")["error"]
    assert len(daemon.client.search("common", mode="keyword")["hits"]) == 2
    reload(daemon, QUICK)


def test_a_bad_root_in_the_file_is_named_and_the_others_are_kept(daemon: Daemon) -> None:
    (daemon.place / "file").write_text("")
    reload(daemon, QUICK + f'[[root]]\npath = "{daemon.place / "file"}"\n')
    assert any("is a file" in problem for problem in daemon.client.health()["problems"])
    reload(daemon, QUICK)
    assert not any("is a file" in problem for problem in daemon.client.health()["problems"])
    assert len(daemon.client.roots()) == 1


def test_the_log_level_and_the_size_limit_change_live(daemon: Daemon) -> None:
    said = reload(
        daemon, QUICK.replace('"json"', '"json"\nlevel = "debug"').replace("[index]", "[index]\nmax_file_bytes = 1024")
    )
    assert sorted(said["changed"]) == ["index.max_file_bytes", "log.level"]
    until(lambda: daemon.client.status()["skipped"].get("too_large") == 3)
    until(lambda: '"level": "debug"' in daemon.log)
    reload(daemon, QUICK)
    daemon.follows(daemon.place / "root")


def test_what_needs_a_restart_is_named(daemon: Daemon) -> None:
    said = reload(daemon, QUICK + "[compute]\nbulk_workers = 3\n")
    assert said["restart_needed"] == ["compute.bulk_workers"]
    reload(daemon, QUICK)


def test_vectors_that_are_switched_off_are_a_named_problem(daemon: Daemon) -> None:
    assert daemon.client.health() == {
        "status": "degraded",
        "problems": ["search is by keyword alone: vectors are switched off (embedding.enabled)"],
    }
    found = daemon.client.search("common", mode="fusion")
    assert found["hits"]
    assert "switched off" in found["degraded"][0]
    assert daemon.client.status()["space"] is None


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("model.onnx", b"no model", "model.onnx"),
        ("tokenizer.json", b"{}", "tokenizer.json"),
        ("model.onnx", None, "model.onnx"),
    ],
)
def test_a_model_that_cannot_be_used_leaves_keyword_search_and_says_why(
    tmp_path: Path, file: str, content: bytes | None, reason: str
) -> None:
    model = tmp_path / "model"
    shutil.copytree(builtin_model_directory(), model)
    (model / file).unlink()
    if content is not None:
        (model / file).write_bytes(content)
    write_files(tmp_path / "root", 2)
    config = QUICK + f'[embedding]\nmodel = "{model}"\n'
    with Daemon(tmp_path / "place", tmp_path / "root", config=config) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        (problem,) = daemon.client.health()["problems"]
        assert "keyword alone" in problem
        assert reason in problem
        assert daemon.client.search("common")["hits"]


def test_another_model_gets_a_space_of_its_own(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 4)
    with Daemon(tmp_path / "place", tmp_path / "root") as daemon:
        first = daemon.client.wait("vectors", timeout=DEADLINE)["space"]
        daemon.config.write_text(QUICK + "[embedding]\nmax_tokens = 64\n")
        daemon.restart()
        daemon.agrees(tmp_path / "root")
        status = daemon.client.status()
        assert status["space"] != first
        assert status["vectors"] == status["chunks"]
        daemon.config.write_text(QUICK)
        daemon.restart()
        daemon.agrees(tmp_path / "root")
        assert daemon.client.stats()["embedding"]["computed"] == 0
