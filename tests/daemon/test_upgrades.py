"""A state that an older agentd left is searched at once and ends as a new one would be; a newer one is refused."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, Daemon, until
from state_audit import audit

from agentd.storage import migrations
from agentd.storage.root_ledger import checksum

if TYPE_CHECKING:
    from collections.abc import Callable

STATES = Path(__file__).parent.parent / "storage" / "states"
OLDER = sorted(path.name.removesuffix(".tar.xz") for path in STATES.glob("*.tar.xz"))
NEWER = 5
"""The exit code."""

CONTENT = {
    "chunks": "SELECT d.path, c.ordinal, c.start_line, c.end_line, c.symbol, c.context, c.text, c.parts, c.names, "
    "c.doc, hex(c.text_hash) FROM chunk c JOIN document d ON d.id = c.document_id",
    "symbols": "SELECT d.path, s.ordinal, s.parent, s.kind, s.qualified, s.signature, s.doc, s.start_line, s.end_line "
    "FROM symbol s JOIN document d ON d.id = s.document_id",
    "edges": "SELECT d.path, e.ordinal, e.kind, e.name, e.line, t.path, e.found FROM edge e "
    "JOIN document d ON d.id = e.document_id LEFT JOIN document t ON t.id = e.target_document_id",
}


def content(daemon: Daemon) -> dict[str, list[Any]]:
    """What the index holds, whatever the ids."""
    with closing(daemon.database()) as connection:
        return {what: sorted(map(repr, connection.execute(sql))) for what, sql in CONTENT.items()}


def unpacked(tmp_path: Path, name: str) -> Daemon:
    """A daemon, not started, over the state that an older one left; its root lies elsewhere now."""
    with tarfile.open(STATES / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path / "place", filter="data")
    daemon = Daemon(tmp_path / "place")
    with closing(sqlite3.connect(daemon.state / "index.db")) as connection:
        connection.execute("UPDATE root SET path = ?", (str(daemon.place / "root"),))
        connection.commit()
    return daemon


@pytest.mark.parametrize("name", OLDER)
def test_an_older_state_answers_at_once_and_ends_as_a_new_one_would_be(tmp_path: Path, name: str) -> None:
    daemon = unpacked(tmp_path, name)
    with daemon:
        found = daemon.client.search("grease the machine before it turns", mode="vector", min_score=0)
        assert found["hits"], found
        assert daemon.client.wait("vectors", timeout=DEADLINE)["documents"] == 13
        daemon.agrees(daemon.place / "root")
        until(lambda: daemon.client.health()["status"] == "ok", "the upgrade is over")
        upgraded = content(daemon)
        version = daemon.scalar("PRAGMA user_version")
        assert daemon.stop() == 0
    assert version == len(migrations.scripts())
    assert audit(daemon.state, vectors=True) == []
    with Daemon(tmp_path / "new", daemon.place / "root") as new:
        new.client.wait("vectors", timeout=DEADLINE)
        assert content(new) == upgraded


def test_an_upgrade_is_said_until_every_file_was_read_again(tmp_path: Path) -> None:
    daemon = unpacked(tmp_path, "version-1")
    with daemon:
        until(lambda: '"event": "upgraded"' in daemon.log, "the upgrade is over")
        assert daemon.client.status()["pending"] == 0
        daemon.restart()
        assert not any("(version 1)" in problem for problem in daemon.client.health()["problems"])
    told = [line["event"] for line in map(json.loads, daemon.log.splitlines()) if "version_before" in line]
    assert told == ["upgrading", "upgraded"]


def newer_database(name: str) -> Callable[[Path], None]:
    def make(state: Path) -> None:
        with closing(sqlite3.connect(state / name)) as connection:
            connection.execute("PRAGMA user_version = 99")

    return make


def newer_ledger(state: Path) -> None:
    content = {"format": 99, "folders": {}}
    (state / "roots.json").write_text(json.dumps(content | {"crc": checksum(content)}))


@pytest.mark.parametrize("make", [newer_database("index.db"), newer_database("embeddings.db"), newer_ledger])
def test_a_newer_state_is_refused_in_a_sentence_and_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "added").mkdir()
    daemon = Daemon(tmp_path / "place", AGENTD_EMBEDDING_ENABLED="false")
    with daemon:
        daemon.client.add_root(str(tmp_path / "added"))
        assert daemon.stop() == 0
    make(daemon.state)
    before = kept(daemon.state)
    daemon.spawn()
    assert daemon.exit_code() == NEWER
    line = json.loads(daemon.log.splitlines()[-1])
    assert line["kind"] == "state_newer"
    assert " 99" in line["error"]
    assert kept(daemon.state) == before


def kept(state: Path) -> list[object]:
    """What the files say; SQLite counts in its header how often it was opened for writing."""
    found: list[object] = [(state / "roots.json").read_bytes()]
    for name in ("index.db", "embeddings.db"):
        with closing(sqlite3.connect(state / name)) as connection:
            found += [*connection.iterdump(), connection.execute("PRAGMA user_version").fetchone()]
    return found
