"""What models of servers once made of the probe text, so that one is known again after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3

    from agentd.storage.database import Database

OF_A_KEY = 8
"""Revisions remembered of one model; a server that shows more forgets its oldest."""
IN_ALL = 256


class ProbeRow(NamedTuple):
    """A quantised vector (d bytes and a float32), and the revision that it stands for."""

    codes: bytes
    scale: bytes
    revision: str


class Probes:
    """Bounded, by the key of a model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> list[ProbeRow]:
        """Those put under ``key``, the newest first."""
        return await self._database.read(_get, key)

    async def put(self, key: str, probe: ProbeRow) -> None:
        """Keep one more, and forget the oldest of too many."""
        await self._database.write(_put, key, probe)


def _get(connection: sqlite3.Connection, key: str) -> list[ProbeRow]:
    rows = connection.execute("SELECT codes, scale, revision FROM probe WHERE key = ? ORDER BY id DESC", (key,))
    return [ProbeRow._make(row) for row in rows]


def _put(connection: sqlite3.Connection, key: str, probe: ProbeRow) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO probe (key, revision, codes, scale) VALUES (?, ?, ?, ?)",
        (key, probe.revision, probe.codes, probe.scale),
    )
    for where, most in (("key = ?1", OF_A_KEY), ("?1 = ?1", IN_ALL)):
        newest = f"SELECT id FROM probe WHERE {where} ORDER BY id DESC LIMIT ?2"
        connection.execute(f"DELETE FROM probe WHERE {where} AND id NOT IN ({newest})", (key, most))
