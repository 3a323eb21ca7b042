"""The table of ``web.db``: functions of a connection, run on its thread. Times are in seconds since the epoch."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from agentd.storage.layout import Layout, open_layout

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

LAYOUT = Layout(
    version=1,
    schema=resources.files("agentd.storage").joinpath("web_cache.sql").read_text(encoding="utf-8"),
    columns="SELECT id, kind, key, stored, expires, used, value FROM entry",
    without="pages are fetched again",
    cache_kib=1024,
)
TRIM_SIZE = 200
"""Entries deleted in one transaction; a page has some 50 KB."""

USED_STEP_SECONDS = 3600


class Entry(NamedTuple):
    """What was kept, and until when."""

    value: bytes
    expires: float


def open_table(path: Path) -> sqlite3.Connection:
    """Connect; see ``open_layout``."""
    return open_layout(path, LAYOUT)


def get(connection: sqlite3.Connection, kind: str, key: bytes, now: float) -> Entry | None:
    """What was kept, unless its time is over; marked as used. What was stored after ``now`` met another clock."""
    row = connection.execute(
        "SELECT id, value, expires, used FROM entry WHERE kind = ? AND key = ? AND expires > ? AND stored <= ?",
        (kind, key, now, now + USED_STEP_SECONDS),
    ).fetchone()
    if row is None or not isinstance(row[1], bytes) or not isinstance(row[2], float):
        return None
    entry_id, value, expires, used = row
    if used != (hour := _hour(now)):
        connection.execute("UPDATE entry SET used = ? WHERE id = ?", (hour, entry_id))
    return Entry(value, expires)


def put(connection: sqlite3.Connection, kind: str, key: bytes, entry: Entry, now: float) -> None:
    """Keep an entry in the place of one of before."""
    connection.execute(
        "INSERT INTO entry (kind, key, stored, expires, used, value) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (kind, key) DO UPDATE SET stored = excluded.stored, expires = excluded.expires, "
        "used = excluded.used, value = excluded.value",
        (kind, key, now, entry.expires, _hour(now), entry.value),
    )


def forget_expired(connection: sqlite3.Connection, now: float) -> int:
    """Delete some entries whose time is over, or that a clock which was wrong stored ahead; returns how many."""
    found = connection.execute(
        "SELECT id FROM entry WHERE expires <= ? OR stored > ? LIMIT ?", (now, now + USED_STEP_SECONDS, TRIM_SIZE)
    ).fetchall()
    connection.executemany("DELETE FROM entry WHERE id = ?", found)
    return len(found)


def evict(connection: sqlite3.Connection) -> int:
    """Delete some of the entries used longest ago; returns how many."""
    found = connection.execute("SELECT id FROM entry ORDER BY used LIMIT ?", (TRIM_SIZE,)).fetchall()
    connection.executemany("DELETE FROM entry WHERE id = ?", found)
    return len(found)


def _hour(now: float) -> int:
    return int(now // USED_STEP_SECONDS) * USED_STEP_SECONDS
