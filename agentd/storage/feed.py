"""The feed of changes: which documents changed, by generation. Views follow it, at their own pace.

The feed holds one row a document, with the generation of its last change, so it never grows beyond the number of
documents. A view at generation ``g`` reads ``changes(g)``, replaces what it holds of each document by
``view_rows``, and then is at the generation of the last change read. A view that holds nothing starts at 0 and so
sees everything; one whose epoch differs must be emptied first. Removals are trimmed once every view has passed
them; one that was left out of that count meanwhile, as vectors are while they are switched off, compares itself with
the catalogue when it is used again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agentd.storage.rows import ViewRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from agentd.storage.clock import Clock
    from agentd.storage.database import Database

BATCH_SIZE = 1000
"""Feed rows trimmed in one transaction."""


class Feed:
    """What followers see of the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def epoch(self) -> str:
        """Random id of the database; a view made from another database carries another one."""
        return self._database.epoch

    @property
    def changed(self) -> Clock:
        """The newest generation, 0 before the first change: ``changed.value`` is it, and ``await changed.wait(g)``
        returns once it is over ``g``.
        """
        return self._database.generation

    async def changes(self, after: int, limit: int, max_chunks: int | None = None) -> list[tuple[int, int]]:
        """(generation, document id) of the oldest changes after ``after``, at most ``limit``, each document once.

        Their documents have ``max_chunks`` chunks at most in all (but always one is given), which bounds ``view_rows``.
        """
        return await self._database.read_bulk(_changes, after, limit, max_chunks)

    async def view_rows(self, document_ids: Sequence[int]) -> list[ViewRow]:
        """Every chunk of the documents, in document and text order; documents that are gone give none."""
        return await self._database.read_bulk(_view_rows, document_ids)

    async def chunk_ids(self, document_ids: Sequence[int]) -> list[tuple[int, int]]:
        """(document id, chunk id) of every chunk that should have a vector: ``view_rows`` for vector views."""
        return await self._database.read_bulk(_chunk_ids, document_ids)

    async def trim(self, up_to: int) -> int:
        """Forget removals at or before ``up_to``, which every view has passed; returns how many."""
        trimmed = 0
        while count := await self._database.write(_trim, up_to):
            trimmed += count
        return trimmed


def feed_live(connection: sqlite3.Connection, document_ids: Iterable[int]) -> None:
    """Record that what views hold of these documents is out of date."""
    # The unique document id makes REPLACE drop the older row; AUTOINCREMENT gives the new one the next generation.
    connection.executemany(
        "INSERT OR REPLACE INTO feed (document_id, gone) VALUES (?, 0)", [(item,) for item in document_ids]
    )


def feed_gone(connection: sqlite3.Connection, document_ids: Iterable[int]) -> None:
    """Record that these documents are removed."""
    connection.executemany(
        "INSERT OR REPLACE INTO feed (document_id, gone) VALUES (?, 1)", [(item,) for item in document_ids]
    )


def _changes(connection: sqlite3.Connection, after: int, limit: int, max_chunks: int | None) -> list[tuple[int, int]]:
    taken: list[tuple[int, int]] = []
    total = 0
    for generation, document_id, chunks in connection.execute(
        "SELECT f.generation, f.document_id, coalesce(d.chunks, 0) FROM feed f "
        "LEFT JOIN document d ON d.id = f.document_id WHERE f.generation > ? ORDER BY f.generation LIMIT ?",
        (after, limit),
    ):
        total += chunks
        if taken and max_chunks is not None and total > max_chunks:
            break
        taken.append((generation, document_id))
    return taken


def _view_rows(connection: sqlite3.Connection, document_ids: Sequence[int]) -> list[ViewRow]:
    rows = connection.execute(
        "SELECT d.id, d.root_id, d.path, d.language, d.kind, c.id, c.symbol, c.context, c.text, c.parts, c.names "
        "FROM json_each(?) j CROSS JOIN document d ON d.id = j.value JOIN chunk c ON c.document_id = d.id "
        "ORDER BY d.id, c.ordinal",
        (json.dumps(sorted(set(document_ids))),),
    )
    return [ViewRow._make(row) for row in rows]


def _chunk_ids(connection: sqlite3.Connection, document_ids: Sequence[int]) -> list[tuple[int, int]]:
    return connection.execute(
        "SELECT d.id, c.id FROM json_each(?) j CROSS JOIN document d ON d.id = j.value "
        "JOIN chunk c ON c.document_id = d.id WHERE d.embed",
        (json.dumps(sorted(set(document_ids))),),
    ).fetchall()


def _trim(connection: sqlite3.Connection, up_to: int) -> int:
    rows = connection.execute(
        "SELECT generation FROM feed WHERE gone AND generation <= ? ORDER BY generation LIMIT ?", (up_to, BATCH_SIZE)
    ).fetchall()
    if rows:
        connection.executemany("DELETE FROM feed WHERE generation = ?", rows)
    return len(rows)
