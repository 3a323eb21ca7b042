"""A state that cannot be written: refused in a sentence at the start, named while running, and mended by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from daemon_harness import KEYWORD_ONLY, QUICK, Daemon, obey_permissions, until, write_files

from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from pathlib import Path

UNUSABLE = 4
"""The exit code."""


def set_modes(state: Path, mode: int) -> None:
    for folder in [state, *(path for path in state.rglob("*") if path.is_dir())]:
        folder.chmod(mode)


def test_a_directory_that_turns_read_only_is_named_and_searches_go_on_until_it_is_mended(tmp_path: Path) -> None:
    root, late = tmp_path / "root", tmp_path / "late"
    write_files(root, 10)
    late.mkdir()
    daemon = Daemon(tmp_path / "place", root, config=QUICK, **KEYWORD_ONLY)
    daemon.before_exec = obey_permissions
    with daemon:
        daemon.agrees(root)
        set_modes(daemon.state, 0o500)
        write_files(root, 40, start=100)
        until(lambda: "keyword view failed" in " ".join(daemon.client.health()["problems"]), "it is named")
        assert daemon.finds("unique1")[0] == str(root / "package_1" / "module_1.py")
        with pytest.raises(AgentdClientError, match=r"cannot write .*roots\.json: Permission denied") as refused:
            daemon.client.add_root(str(late))
        assert refused.value.kind == "state_unusable"
        set_modes(daemon.state, 0o700)
        daemon.agrees(root)
        daemon.client.add_root(str(late))
        until(lambda: len(daemon.client.health()["problems"]) == 1, "all but the missing vectors is struck off", 15)


def test_a_directory_that_is_read_only_at_the_start_is_refused_in_a_sentence(tmp_path: Path) -> None:
    write_files(tmp_path / "root", 3)
    daemon = Daemon(tmp_path / "place", tmp_path / "root", **KEYWORD_ONLY)
    daemon.before_exec = obey_permissions
    with daemon:
        daemon.agrees(tmp_path / "root")
        assert daemon.stop() == 0
        daemon.state.chmod(0o500)
        daemon.spawn()
        assert daemon.exit_code() == UNUSABLE
        line = json.loads(daemon.log.splitlines()[-1])
        assert "make its directory writable" in line["error"] or "writable for this user" in line["error"]
        daemon.state.chmod(0o700)
        daemon.start()
        daemon.agrees(tmp_path / "root")
        assert not list(daemon.state.glob("*.damaged-*"))
