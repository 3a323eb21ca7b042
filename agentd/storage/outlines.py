"""The definitions that stand in given lines of files, for answers that show signatures in place of text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agentd.storage.database import Database

Lines = tuple[int, int, int]
"""(document, first line, last line), both included."""

MOST = 200
"""Definitions of one span: a passage has a few dozen lines, a generated one may define something in each."""


class OutlineRow(NamedTuple):
    """A definition, as far as an outline shows it. ``signature`` is its head in one line, and may be empty."""

    qualified: str
    signature: str
    start_line: int
    end_line: int


class Outlines:
    """Definitions by the lines that they stand in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def overlapping(self, spans: Sequence[Lines]) -> list[list[OutlineRow]]:
        """For each span the definitions that share a line with it, outer ones first, at most ``MOST``."""
        return await self._database.read(_overlapping, spans)


def _overlapping(connection: sqlite3.Connection, spans: Sequence[Lines]) -> list[list[OutlineRow]]:
    sql = (
        "SELECT j.key, s.qualified, s.signature, s.start_line, s.end_line FROM json_each(?) j CROSS JOIN symbol s "
        "ON s.document_id = j.value ->> 0 AND s.start_line <= j.value ->> 2 AND s.end_line >= j.value ->> 1 "
        "ORDER BY j.key, s.ordinal"
    )
    found: list[list[OutlineRow]] = [[] for _ in spans]
    for place, *row in connection.execute(sql, (json.dumps(spans),)):
        if len(found[place]) < MOST:
            found[place].append(OutlineRow(*row))
    return found
