"""What is stored about single files, for whoever compares it with the disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agentd.storage.database import Database


class InspectedRow(NamedTuple):
    """A document; ``path`` is relative to its root. ``modified_ns`` is what the last scan saw, as ``size`` is."""

    id: int
    path: str
    state: str
    skip: str
    size: int
    modified_ns: int


class PassageRow(NamedTuple):
    """One passage of a document. ``embedded`` where the document is to have vectors at all."""

    start_line: int
    end_line: int
    text: str
    embedded: bool


class Inspection:
    """Reads documents as they are stored. On the reader for indexing: a sample goes through all their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sample(self, root_id: int, count: int) -> list[InspectedRow]:
        """At most ``count`` documents of a root, each as likely as any other."""
        return await self._database.read_bulk(_sample, root_id, count)

    async def known(self, root_id: int, paths: Sequence[str]) -> dict[str, InspectedRow]:
        """Those of the paths (relative) that there are documents for."""
        return await self._database.read_bulk(_known, root_id, paths)

    async def passages(self, document_ids: Sequence[int]) -> dict[int, PassageRow]:
        """One passage, by chance, of each of the documents that have any."""
        return await self._database.read_bulk(_passages, document_ids)


_COLUMNS = "SELECT d.id, d.path, d.state, d.skip, d.size, d.mtime_ns FROM document d"


def _sample(connection: sqlite3.Connection, root_id: int, count: int) -> list[InspectedRow]:
    ids = "SELECT id FROM document WHERE root_id = ? ORDER BY random() LIMIT ?"
    rows = connection.execute(f"{_COLUMNS} WHERE d.id IN ({ids})", (root_id, count))
    return [InspectedRow(*row) for row in rows]


def _known(connection: sqlite3.Connection, root_id: int, paths: Sequence[str]) -> dict[str, InspectedRow]:
    sql = f"{_COLUMNS} JOIN json_each(?) j ON d.path = j.value WHERE d.root_id = ?"
    found = [InspectedRow(*row) for row in connection.execute(sql, (json.dumps(list(paths)), root_id))]
    return {row.path: row for row in found}


def _passages(connection: sqlite3.Connection, document_ids: Sequence[int]) -> dict[int, PassageRow]:
    sql = (
        "SELECT d.id, c.start_line, c.end_line, c.text, d.embed FROM json_each(?) j JOIN document d ON d.id = j.value "
        "JOIN chunk c ON c.id = (SELECT id FROM chunk WHERE document_id = d.id ORDER BY random() LIMIT 1)"
    )
    rows = connection.execute(sql, (json.dumps(list(document_ids)),))
    return {row[0]: PassageRow(row[1], row[2], row[3], bool(row[4])) for row in rows}
