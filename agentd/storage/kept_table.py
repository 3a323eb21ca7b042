"""The tables of what is kept though nothing can make it again, answers and runs: functions of a connection, run on its
thread.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from agentd.storage.layout import Layout, open_layout

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_SCHEMA = """
CREATE TABLE {name} (
    id       TEXT PRIMARY KEY,
    at       REAL NOT NULL,
    {label}  TEXT NOT NULL,
    {text}   TEXT NOT NULL,
    body     BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX {name}_age ON {name} (at);
-- The roots whose text it was made from, or that were asked for by name.
CREATE TABLE {name}_root (
    root      TEXT NOT NULL,
    {name}_id TEXT NOT NULL REFERENCES {name} (id) ON DELETE CASCADE,
    PRIMARY KEY (root, {name}_id)
) WITHOUT ROWID;
CREATE INDEX {name}_root_{name} ON {name}_root ({name}_id);
"""
_COLUMNS = "SELECT a.id, a.at, a.{label}, a.{text}, a.body, r.root, r.{name}_id FROM {name} a, {name}_root r"
_PUT = """
INSERT INTO {name} (id, at, {label}, {text}, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET at = excluded.at, {label} = excluded.{label}, {text} = excluded.{text},
    body = excluded.body
"""


class Head(NamedTuple):
    """What a list shows of one. ``at`` is in seconds since the epoch; ``label`` and ``text`` are as the table says."""

    id: str
    at: float
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A table and that of its roots. ``name``, ``label`` and ``text`` are ours: they become part of statements."""

    name: str
    label: str
    text: str

    def open(self, path: Path) -> sqlite3.Connection:
        """Connect; see ``open_layout``."""
        without = f"the {self.name}s in it are lost"
        return open_layout(path, Layout(1, self._sql(_SCHEMA), self._sql(_COLUMNS), without, cache_kib=256))

    def put(self, connection: sqlite3.Connection, head: Head, roots: Iterable[str], body: bytes) -> None:
        """Keep one, in the place of what was kept under its id."""
        connection.execute(self._sql(_PUT), (*head, body))
        connection.execute(self._sql("DELETE FROM {name}_root WHERE {name}_id = ?"), (head.id,))
        owned = [(root, head.id) for root in roots]
        connection.executemany(self._sql("INSERT INTO {name}_root (root, {name}_id) VALUES (?, ?)"), owned)

    def get(self, connection: sqlite3.Connection, kept_id: str) -> bytes | None:
        """What was kept."""
        row = connection.execute(self._sql("SELECT body FROM {name} WHERE id = ?"), (kept_id,)).fetchone()
        return row[0] if row and isinstance(row[0], bytes) else None

    def newest(self, connection: sqlite3.Connection, before: str, limit: int) -> list[Head]:
        """The newest whose ids sort before ``before`` (``""``: all)."""
        select = "SELECT id, at, {label}, {text} FROM {name} WHERE ? = '' OR id < ? ORDER BY id DESC LIMIT ?"
        return [Head(*row) for row in connection.execute(self._sql(select), (before, before, limit))]

    def count(self, connection: sqlite3.Connection) -> int:
        """How many there are."""
        (found,) = connection.execute(self._sql("SELECT count(*) FROM {name}")).fetchone()
        return int(found)

    def delete(self, connection: sqlite3.Connection, kept_id: str) -> None:
        """Delete one, if it is there."""
        connection.execute(self._sql("DELETE FROM {name} WHERE id = ?"), (kept_id,))

    def forget_other_roots(self, connection: sqlite3.Connection, known: Sequence[str]) -> int:
        """Delete all that have to do with another root than the ``known``; returns how many."""
        others = "SELECT {name}_id FROM {name}_root WHERE root NOT IN (SELECT value FROM json_each(?))"
        return connection.execute(
            self._sql(f"DELETE FROM {{name}} WHERE id IN ({others})"), (json.dumps(known),)
        ).rowcount

    def purge(self, connection: sqlite3.Connection, since: float, keep: int) -> int:
        """Delete those from before ``since`` and all but the newest ``keep``; returns how many."""
        old = connection.execute(self._sql("DELETE FROM {name} WHERE at < ?"), (since,)).rowcount
        beyond = "SELECT id FROM {name} ORDER BY id DESC LIMIT -1 OFFSET ?"
        return old + connection.execute(self._sql(f"DELETE FROM {{name}} WHERE id IN ({beyond})"), (keep,)).rowcount

    def _sql(self, statement: str) -> str:
        return statement.format(name=self.name, label=self.label, text=self.text)


ANSWERS = KeptTable("answer", label="mode", text="question")
RUNS = KeptTable("run", label="state", text="task")
