"""The tables of ``embeddings.db``: functions of a connection, run on its thread."""

from __future__ import annotations

import json
import math
import time
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from agentd.storage.layout import Layout, open_layout

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

LAYOUT = Layout(
    version=1,
    schema=resources.files("agentd.storage").joinpath("embedding_cache.sql").read_text(encoding="utf-8"),
    columns="SELECT s.key, v.id, v.space_id, v.text_hash, v.scale, v.last_used, v.codes FROM space s, vector v",
    without="everything is embedded again",
    cache_kib=2048,
)
LOOKUP_SIZE = 500
"""Hashes in one SELECT."""

EVICT_SIZE = 1000
"""Vectors deleted in one transaction."""

SECONDS_A_DAY = 86_400

_LOOKUP = (
    "SELECT v.id, v.text_hash, v.codes, v.scale, v.last_used FROM space s JOIN vector v ON v.space_id = s.id "
    f"WHERE s.key = ? AND v.text_hash IN ({', '.join('?' * LOOKUP_SIZE)})"
)
"""One statement whatever the number: the connection keeps each that it has prepared, and a list of 500 takes 60 KB."""


class Vector(NamedTuple):
    """A quantised unit vector: ``codes`` are int8, one byte a dimension; codes times ``scale`` is the vector."""

    codes: bytes
    scale: float


def open_table(path: Path) -> sqlite3.Connection:
    """Connect; see ``open_layout``."""
    return open_layout(path, LAYOUT)


def get(connection: sqlite3.Connection, space: str, hashes: Sequence[bytes]) -> dict[bytes, Vector]:
    """The vectors that are there, by hash; those not used today are marked so."""
    found: dict[bytes, Vector] = {}
    aged: list[tuple[int, int]] = []
    today = _today()
    for start in range(0, len(hashes), LOOKUP_SIZE):
        part = hashes[start : start + LOOKUP_SIZE]
        padding = [b""] * (LOOKUP_SIZE - len(part))
        for vector_id, digest, codes, scale, last_used in connection.execute(_LOOKUP, (space, *part, *padding)):
            if isinstance(codes, bytes) and isinstance(scale, float) and math.isfinite(scale):  # else it is damaged
                found[digest] = Vector(codes, scale)
            if last_used != today:
                aged.append((today, vector_id))
    connection.executemany("UPDATE vector SET last_used = ? WHERE id = ?", aged)
    return found


def put(connection: sqlite3.Connection, space: str, vectors: Sequence[tuple[bytes, bytes, float]]) -> None:
    """Keep (hash, codes, scale); a vector that is there already is replaced."""
    connection.execute("INSERT OR IGNORE INTO space (key) VALUES (?)", (space,))
    (space_id,) = connection.execute("SELECT id FROM space WHERE key = ?", (space,)).fetchone()
    today = _today()
    connection.executemany(
        "INSERT INTO vector (space_id, text_hash, codes, scale, last_used) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (space_id, text_hash) DO UPDATE "
        "SET codes = excluded.codes, scale = excluded.scale, last_used = excluded.last_used",
        [(space_id, digest, codes, scale, today) for digest, codes, scale in vectors],
    )


def begin_census(connection: sqlite3.Connection) -> None:
    """Begin to note which texts are in use."""
    end_census(connection)
    connection.execute("CREATE TEMP TABLE in_use (text_hash BLOB PRIMARY KEY) WITHOUT ROWID")


def note_in_use(connection: sqlite3.Connection, hashes: Sequence[bytes]) -> None:
    """Note texts that a chunk has."""
    connection.executemany("INSERT OR IGNORE INTO temp.in_use VALUES (?)", [(digest,) for digest in hashes])


def evict(connection: sqlite3.Connection, active: Sequence[str]) -> int:
    """Delete some of the vectors that no chunk uses, those used longest ago first; returns how many."""
    rows = connection.execute(
        "SELECT v.id FROM vector v JOIN space s ON s.id = v.space_id "
        "WHERE s.key NOT IN (SELECT value FROM json_each(?)) "
        "OR NOT EXISTS (SELECT 1 FROM temp.in_use u WHERE u.text_hash = v.text_hash) "
        "ORDER BY v.last_used LIMIT ?",
        (json.dumps(active), EVICT_SIZE),
    ).fetchall()
    connection.executemany("DELETE FROM vector WHERE id = ?", rows)
    return len(rows)


def end_census(connection: sqlite3.Connection) -> None:
    """Forget what was noted."""
    connection.execute("DROP TABLE IF EXISTS temp.in_use")


def _today() -> int:
    """In days since the epoch."""
    return int(time.time()) // SECONDS_A_DAY
