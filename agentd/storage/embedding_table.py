"""The tables of ``embeddings.db``: functions of a connection, run on its thread."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from agentd.errors import StateDamagedError, StateNewerError
from agentd.storage.connection import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VERSION = 1
CACHE_KIB = 2048
LOOKUP_SIZE = 500
"""Hashes in one SELECT."""

EVICT_SIZE = 1000
"""Vectors deleted in one transaction."""

SECONDS_A_DAY = 86_400


class Vector(NamedTuple):
    """A quantised unit vector: ``codes`` are int8, one byte a dimension; codes times ``scale`` is the vector."""

    codes: bytes
    scale: float


def open_table(path: Path) -> sqlite3.Connection:
    """Connect, and make the tables in a new file.

    Raises:
        StateNewerError: a newer agentd wrote it.
        StateDamagedError: its tables are not ours.
        StateUnusableError: the file or its directory cannot be used.
        sqlite3.DatabaseError: damaged.
    """
    connection = connect(path, cache_kib=CACHE_KIB)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (version, tables) == (0, 0):
        schema = resources.files("agentd.storage").joinpath("embedding_cache.sql").read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {VERSION};\nCOMMIT;")
    elif version > VERSION:
        raise StateNewerError(
            f"The state file {path} has version {version}, and this agentd knows versions up to {VERSION}. "
            "Run the newer agentd that wrote it, or delete the file: everything is embedded again then.",
            path=str(path),
        )
    try:
        connection.execute(
            "SELECT s.key, v.id, v.space_id, v.text_hash, v.scale, v.last_used, v.codes FROM space s, vector v LIMIT 0"
        )
    except sqlite3.OperationalError as error:
        raise StateDamagedError(f"The state file {path} has other tables than expected ({error}).") from error


def get(connection: sqlite3.Connection, space: str, hashes: Sequence[bytes]) -> dict[bytes, Vector]:
    """The vectors that are there, by hash; those not used today are marked so."""
    found: dict[bytes, Vector] = {}
    aged: list[tuple[int, int]] = []
    today = _today()
    for start in range(0, len(hashes), LOOKUP_SIZE):
        part = hashes[start : start + LOOKUP_SIZE]
        for vector_id, digest, codes, scale, last_used in connection.execute(
            "SELECT v.id, v.text_hash, v.codes, v.scale, v.last_used FROM space s "
            "JOIN vector v ON v.space_id = s.id "
            f"WHERE s.key = ? AND v.text_hash IN ({', '.join('?' * len(part))})",
            (space, *part),
        ):
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


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the file takes, free pages left out."""
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int((pages - free) * page_size)


def _today() -> int:
    """In days since the epoch."""
    return int(time.time()) // SECONDS_A_DAY
