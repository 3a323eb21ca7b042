"""What keeps answers and pages of the web: checked, made anew, purged and given up like the rest of the state."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, KEYWORD_ONLY, QUICK, Daemon, until, write_files
from search_server import Searxng

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEWER = 5
WORD = "zqanswerzq"
"""Made up, so that it stands nowhere else."""


@pytest.fixture
def searxng() -> Iterator[Searxng]:
    with Searxng() as server:
        yield server


def web(server: Searxng, root: Path, **settings: object) -> str:
    """A configuration that lets ``root`` ask the web."""
    extra = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return QUICK + f'\n[web]\nsearxng = "{server.url}"\n{extra}\n[[root]]\npath = "{root}"\negress = ["web"]\n'


def reload(daemon: Daemon, config: str) -> dict[str, Any]:
    """Put another configuration in force."""
    before = daemon.log.count('"event": "reloaded"')
    daemon.config.write_text(config)
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.log.count('"event": "reloaded"') > before, "it was reloaded")
    lines: list[dict[str, Any]] = list(map(json.loads, daemon.log.splitlines()))
    return [line for line in lines if line["event"] == "reloaded"][-1]


def test_the_web_comes_changes_and_goes_with_the_configuration(tmp_path: Path, searxng: Searxng) -> None:
    root = tmp_path / "root"
    write_files(root, 2)
    with Daemon(tmp_path / "place", root, **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)

        def asked() -> tuple[str, int]:
            return daemon.client.ask("how is a gadget frobnicated?", web=True)["sources"]["web"]["state"], len(
                searxng.asked
            )

        assert asked() == ("off", 0)
        said = reload(daemon, web(searxng, root))
        assert (said["changed"], said["restart_needed"]) == (["web.searxng", "roots"], [])
        assert asked() == ("ok", 1)
        assert asked() == ("ok", 1)  # from the cache
        reload(daemon, web(searxng, root, cache_seconds=0))
        assert asked() == ("ok", 2)
        reload(daemon, QUICK)
        assert asked() == ("off", 2)
        with closing(sqlite3.connect(daemon.state / "web.db")) as kept:
            assert kept.execute("SELECT count(*) FROM entry").fetchone() == (0,)
        daemon.restart()
        assert not (daemon.state / "web.db").exists()


def test_damaged_answers_and_pages_are_found_by_the_check_and_told_while_the_rest_serves(
    tmp_path: Path, searxng: Searxng
) -> None:
    root = tmp_path / "root"
    write_files(root, 2)
    config = web(searxng, root) + "\n[maintenance]\ncheck_seconds = 0.5\n"
    with Daemon(tmp_path / "place", root, config=config, **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        for number in range(20):
            daemon.client.ask(f"what does task_{number % 2} do, and where? ({number})", web=True)
        for name in ("answers.db", "web.db"):
            with closing(sqlite3.connect(daemon.state / name)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with (daemon.state / name).open("r+b") as file:
                file.seek(8192)
                file.write(b"\xa5" * ((daemon.state / name).stat().st_size - 8192))
        until(lambda: len(daemon.client.status()["notices"]) == 2, "both are set aside")
        answers, pages = sorted(daemon.client.status()["notices"])
        assert "begun anew, without the answers" in answers
        assert pages.startswith("web.db was found damaged at ")
        answer = daemon.client.ask("what does task_1 do?", web=True)
        assert daemon.client.answer(answer["id"]) == answer
        assert daemon.client.answers()["total"] == 1


def test_answers_deleted_under_a_running_daemon_cost_those_of_before_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, 2)
    with Daemon(tmp_path / "place", root, **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        daemon.client.ask("what does task_1 do?")
        (daemon.state / "answers.db").unlink()
        answer = daemon.client.ask("what does task_0 do?")
        daemon.kill()
        daemon.start()
        assert [each["id"] for each in daemon.client.answers()["answers"]] == [answer["id"]]


def test_a_removed_root_leaves_no_byte_in_answers_whatever_was_rearranged_and_killed(tmp_path: Path) -> None:
    private, kept = tmp_path / "private", tmp_path / "kept"
    write_files(kept, 3)
    private.mkdir()
    for number in range(30):
        (private / f"notes{number}.md").write_text(f"# {WORD}\n\nThe {WORD} number {number} is common.\n" * 20)
    with Daemon(tmp_path / "place", kept, private, **KEYWORD_ONLY) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        for number in range(12):
            daemon.client.ask(f"what is {WORD} number {number}?")
            daemon.client.ask(f"what does task_{number % 3} do? ({number})", roots=[str(kept)])
        assert holding(daemon.state, WORD)
        daemon.flags = ["--root", str(kept)]
        daemon.kill()
        daemon.start()  # without the root: its purge begins, and is killed
        daemon.kill()
        daemon.start()
        until(lambda: '"event": "purged"' in daemon.log, "the purge is done")
        assert holding(daemon.state, WORD) == []
        assert daemon.client.answers()["total"] == 12
    assert holding(daemon.state, WORD) == []


def holding(state: Path, word: str) -> list[str]:
    """Files whose bytes hold ``word``."""
    return [path.name for path in state.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


@pytest.mark.parametrize("name", ["answers.db", "runs.db", "web.db"])
def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path, searxng: Searxng, name: str) -> None:
    daemon = Daemon(tmp_path / "place", config=web(searxng, tmp_path), **KEYWORD_ONLY)
    with daemon:
        assert daemon.stop() == 0
    with closing(sqlite3.connect(daemon.state / name)) as connection:
        connection.execute("PRAGMA user_version = 99")
    daemon.spawn()
    assert daemon.exit_code() == NEWER
    assert name in json.loads(daemon.log.splitlines()[-1])["error"]
