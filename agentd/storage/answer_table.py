"""The tables of ``answers.db``: functions of a connection, run on its thread."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from agentd.storage.layout import Layout, open_layout

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_SCHEMA = """
CREATE TABLE answer (
    id       TEXT PRIMARY KEY,
    at       REAL NOT NULL,
    mode     TEXT NOT NULL,
    question TEXT NOT NULL,
    body     BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX answer_age ON answer (at);
-- The roots whose text an answer was made from, or that were asked for by name.
CREATE TABLE answer_root (
    root      TEXT NOT NULL,
    answer_id TEXT NOT NULL REFERENCES answer (id) ON DELETE CASCADE,
    PRIMARY KEY (root, answer_id)
) WITHOUT ROWID;
CREATE INDEX answer_root_answer ON answer_root (answer_id);
"""

LAYOUT = Layout(
    version=1,
    schema=_SCHEMA,
    columns="SELECT a.id, a.at, a.mode, a.question, a.body, r.root, r.answer_id FROM answer a, answer_root r",
    without="the answers in it are lost",
    cache_kib=256,
)


class AnswerHead(NamedTuple):
    """What a list of answers shows. ``at`` is in seconds since the epoch."""

    id: str
    at: float
    mode: str
    question: str


def open_table(path: Path) -> sqlite3.Connection:
    """Connect; see ``open_layout``."""
    return open_layout(path, LAYOUT)


def put(connection: sqlite3.Connection, head: AnswerHead, roots: Iterable[str], body: bytes) -> None:
    """Keep an answer."""
    connection.execute("INSERT INTO answer (id, at, mode, question, body) VALUES (?, ?, ?, ?, ?)", (*head, body))
    connection.executemany("INSERT INTO answer_root VALUES (?, ?)", [(root, head.id) for root in roots])


def get(connection: sqlite3.Connection, answer_id: str) -> bytes | None:
    """An answer."""
    row = connection.execute("SELECT body FROM answer WHERE id = ?", (answer_id,)).fetchone()
    return row[0] if row and isinstance(row[0], bytes) else None


def newest(connection: sqlite3.Connection, before: str, limit: int) -> list[AnswerHead]:
    """The newest answers whose ids sort before ``before`` (``""``: all)."""
    rows = connection.execute(
        "SELECT id, at, mode, question FROM answer WHERE ? = '' OR id < ? ORDER BY id DESC LIMIT ?",
        (before, before, limit),
    )
    return [AnswerHead(*row) for row in rows]


def count(connection: sqlite3.Connection) -> int:
    """How many answers there are."""
    (found,) = connection.execute("SELECT count(*) FROM answer").fetchone()
    return int(found)


def forget_other_roots(connection: sqlite3.Connection, known: Sequence[str]) -> int:
    """Delete all answers that have to do with another root than the ``known``; returns how many."""
    done = connection.execute(
        "DELETE FROM answer WHERE id IN "
        "(SELECT answer_id FROM answer_root WHERE root NOT IN (SELECT value FROM json_each(?)))",
        (json.dumps(known),),
    )
    return done.rowcount


def purge(connection: sqlite3.Connection, since: float, keep: int) -> int:
    """Delete answers from before ``since`` and all but the newest ``keep``; returns how many."""
    old = connection.execute("DELETE FROM answer WHERE at < ?", (since,)).rowcount
    spare = connection.execute(
        "DELETE FROM answer WHERE id IN (SELECT id FROM answer ORDER BY id DESC LIMIT -1 OFFSET ?)", (keep,)
    ).rowcount
    return old + spare
