"""The audit itself: each kind of harm is seen, and a sound state is found sound."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from daemon_harness import DEADLINE, Daemon, write_files
from state_audit import audit

from agentd.storage.keyword_view import KeywordView
from agentd.storage.vector_snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALL = "from package_1.module_1 import task_1\n\n\ndef caller():\n    return task_1()\n"


@pytest.fixture(scope="module")
def sound_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("audited")
    write_files(place / "root", 12)
    (place / "root" / "caller.py").write_text(CALL)
    with Daemon(place, place / "root") as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
    return place / "state"


@pytest.fixture
def state(sound_state: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound_state, tmp_path / "state")
    return tmp_path / "state"


def test_a_state_that_was_closed_well_is_sound(state: Path) -> None:
    assert audit(state, vectors=True) == []


def keyword_row_lost(state: Path) -> None:
    change_keyword_view(state, [1])


def generation_behind(state: Path) -> None:
    change_keyword_view(state, [])


def change_keyword_view(state: Path, documents: list[int]) -> None:
    with closing(sqlite3.connect(state / "index.db")) as connection:
        (epoch,) = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    view = KeywordView.open(state / "keyword", epoch)
    view.apply(documents, [])
    view.commit(view.generation if documents else view.generation - 1)
    view.close()


def vector_of_another_text(state: Path) -> None:
    (folder,) = (state / "vectors").iterdir()
    rows = folder / read_snapshot(folder / "snapshot")[0].rows
    data = bytearray(rows.read_bytes())
    data[0] ^= 1
    rows.write_bytes(data)


def vector_lost(state: Path) -> None:
    write(
        state,
        "INSERT INTO chunk SELECT max(id) + 1, document_id, 99, 1, 1, 0, 1, '', '', x'00', 'x', '', '', '' FROM chunk",
    )


def edge_astray(state: Path) -> None:
    write(
        state, "UPDATE edge SET target_symbol_id = target_symbol_id + 1 WHERE way > 0 AND target_symbol_id IS NOT NULL"
    )


def tally_off(state: Path) -> None:
    write(state, "UPDATE document_tally SET documents = documents + 1")


def feed_place_lost(state: Path) -> None:
    write(state, "DELETE FROM feed WHERE document_id = 1")


def chunk_of_nobody(state: Path) -> None:
    write(state, "DELETE FROM document WHERE id = 1")  # without foreign keys, as sqlite3 is by default


def temporary_left(state: Path) -> None:
    (state / "keyword" / ".tmpX1y2Z3").touch()


def write(state: Path, sql: str) -> None:
    with closing(sqlite3.connect(state / "index.db")) as connection, connection:
        assert connection.execute(sql).rowcount > 0


@pytest.mark.parametrize(
    ("harm", "seen"),
    [
        (keyword_row_lost, "keyword: document_id 1 has 0 too many"),
        (generation_behind, "keyword: generations"),
        (vector_of_another_text, "differs from the cache"),
        (vector_lost, "vectors: 0 too many [], 1 missing"),
        (edge_astray, "edges lead elsewhere"),
        (tally_off, "document_tally says"),
        (feed_place_lost, "without a place in the feed"),
        (chunk_of_nobody, "index.db: foreign key"),
        (temporary_left, "keyword/.tmpX1y2Z3: a stray file"),
    ],
)
def test_harm_is_seen(state: Path, harm: Callable[[Path], None], seen: str) -> None:
    harm(state)
    assert any(seen in line for line in audit(state, vectors=True)), audit(state, vectors=True)
