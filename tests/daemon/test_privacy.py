"""What was removed leaves no text behind in any file of the state, and logs never hold any."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from daemon_harness import DEADLINE, QUICK, Daemon, running, until, write_files

if TYPE_CHECKING:
    from pathlib import Path

BODY, SYMBOL, DOC, FILE, FOLDER = "zqbodyzq", "zqsymbolzq", "zqdocstringzq", "zqfilezq", "zqfolderzq"
WORDS = (BODY, SYMBOL, DOC, FILE, FOLDER)
"""Made up, so that they stand nowhere else; stemmers and splitters leave them whole."""
SECRET = "ghp_" + "Zq7dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xZq"


def write_private(root: Path, count: int = 30) -> None:
    for number in range(count):
        path = root / FOLDER / f"{FILE}{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'def {SYMBOL}():\n    """A common {DOC}."""\n    return "{BODY} {number}"\n')
    (root / "notes.md").write_text(f"# {SYMBOL}\n\nThe {BODY} is common.\n")


def left_behind(state: Path, words: tuple[str, ...] = WORDS) -> dict[str, list[str]]:
    """Words in the bytes of each file, forwards or, as the automata of term dictionaries are written, backwards."""
    found: dict[str, list[str]] = {}
    for path in state.rglob("*"):
        try:
            data = path.read_bytes().lower() if path.is_file() else b""
        except FileNotFoundError:
            continue
        if here := [word for word in words if word.encode() in data or word[::-1].encode() in data]:
            found[str(path.relative_to(state))] = here
    return found


def test_a_removed_root_leaves_no_text_in_any_byte_of_the_state(tmp_path: Path) -> None:
    kept, private = tmp_path / "kept", tmp_path / "private"
    write_files(kept, 60)
    write_private(private)
    with Daemon(tmp_path / "place", kept) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        daemon.client.add_root(str(private))
        write_files(kept, 20, start=500)  # mixed with the rest in the segments of the views
        daemon.client.wait("vectors", timeout=DEADLINE)
        assert daemon.finds(BODY)
        assert left_behind(daemon.state)
        (daemon.state / "index.db.damaged-20990101T000000Z").write_text(BODY)
        daemon.client.remove_root(str(private))
        until(lambda: '"purged"' in daemon.log, "the purge is done")
        assert left_behind(daemon.state) == {}
        daemon.agrees(kept)
        assert not daemon.finds(BODY)
    assert left_behind(daemon.state) == {}
    assert daemon.scalar("PRAGMA integrity_check") == "ok"


def test_a_purge_that_a_kill_cut_short_is_made_up_for_at_the_next_start(tmp_path: Path) -> None:
    kept, private = tmp_path / "kept", tmp_path / "private"
    write_files(kept, 60)
    write_private(private)
    daemon = Daemon(tmp_path / "place", kept, AGENTD_EMBEDDING_ENABLED="false")
    with daemon:
        daemon.client.add_root(str(private))
        daemon.client.wait("keyword", timeout=DEADLINE)
        daemon.client.remove_root(str(private))
        daemon.signal(signal.SIGKILL)
        daemon.exit_code()
        with daemon:
            until(lambda: '"purged"' in daemon.log, "the purge is done")
            assert left_behind(daemon.state) == {}
            daemon.agrees(kept)


def test_the_text_of_a_deleted_file_leaves_the_log_of_the_database_with_the_next_maintenance(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_private(root, count=1)
    config = QUICK + "\n[maintenance]\ninterval_seconds = 0.2\n"
    with running(tmp_path / "place", root, config=config) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        (root / "notes.md").unlink()
        (root / FOLDER / f"{FILE}0.py").unlink()
        daemon.follows(root)
        until(lambda: BODY not in str(left_behind(daemon.state).get("index.db-wal")), "the log is empty")


def test_logs_hold_no_text_of_queries_or_documents_and_no_secrets_even_at_debug(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_private(root)
    write_files(root, 40)
    (root / "client.py").write_text(f'TOKEN = "{SECRET}"\n\n\ndef connect():\n    return "common"\n')
    (root / "broken.ipynb").write_text(f'{{"cells": "{BODY} {SECRET}"')
    config = QUICK.replace("[log]\n", '[log]\nlevel = "debug"\n')
    with Daemon(tmp_path / "place", root, config=config) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        for query in (f"{BODY} {SECRET}", f"where is {SYMBOL}?", f"{SECRET}:12"):
            for mode in ("keyword", "vector", "full"):
                daemon.client.search(query, mode=mode)
        assert str(root / "client.py") not in daemon.finds(SECRET.removeprefix("ghp_"))
        (root / "client.py").write_text(f'# {BODY}\nTOKEN = "{SECRET}"\n')
        daemon.follows(root)
    log = daemon.log.lower()
    assert "search" in log or "ready" in log
    for word in (BODY, SYMBOL, DOC, SECRET.lower()):
        assert word not in log
    assert left_behind(daemon.state, (SECRET.lower(), SECRET.removeprefix("ghp_").lower())) == {}
