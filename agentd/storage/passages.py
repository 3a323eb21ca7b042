"""Reading documents and chunks: what a query shows, and which documents a filter lets through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache

from agentd.domain import Filter, Kind, SkipReason
from agentd.storage.filters import DocumentFilter
from agentd.storage.rows import DocumentRow, HitRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agentd.storage.database import Database

FILTERS_REMEMBERED = 8
"""Answers to filters kept until the next generation: a dialogue tends to repeat its filter."""


class Passages:
    """Chunks by id, documents by filter."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._filtered: LRUCache[tuple[Filter, int], NDArray[np.uint64]] = LRUCache(FILTERS_REMEMBERED)

    async def hits(self, chunk_ids: Sequence[int]) -> dict[int, HitRow]:
        """The chunks that are there, by id; one that a view still names may be gone."""
        return await self._database.read(_hits, chunk_ids)

    async def document_ids(self, restriction: Filter) -> NDArray[np.uint64] | None:
        """The ids, ascending, of the documents with text that pass; None where the filter restricts nothing."""
        if restriction == Filter():
            return None
        key = (restriction, self._database.generation.value)
        found = self._filtered.get(key)
        if found is None:
            found = await self._database.read(_searchable_ids, DocumentFilter(restriction))
            self._filtered[key] = found
        return found

    async def documents_page(self, restriction: Filter, after: str, limit: int) -> list[DocumentRow]:
        """At most ``limit`` documents that pass, root by root and path by path, after the absolute path ``after``.

        ``""`` starts at the beginning; the last document's ``root_path/path`` goes into ``after`` for the next page.
        """
        return await self._database.read(_documents_page, DocumentFilter(restriction), after, limit)

    async def count(self, restriction: Filter) -> int:
        """How many documents pass, searchable or not."""
        return await self._database.read(_count, DocumentFilter(restriction))


def _hits(connection: sqlite3.Connection, chunk_ids: Sequence[int]) -> dict[int, HitRow]:
    rows = connection.execute(
        "SELECT c.id, d.id, r.id, r.path, d.path, d.stored_signature, d.language, d.kind, c.symbol, c.context, "
        "c.start_line, c.end_line, c.start_byte, c.end_byte, c.text FROM json_each(?) j "
        "CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id JOIN root r ON r.id = d.root_id "
        "WHERE NOT r.removing",
        (json.dumps([int(chunk_id) for chunk_id in chunk_ids]),),
    )
    return {row[0]: _hit_row(row) for row in rows}


def _hit_row(row: tuple[Any, ...]) -> HitRow:
    fields = list(row)
    fields[7] = Kind(row[7])
    return HitRow(*fields)


def _searchable_ids(connection: sqlite3.Connection, documents: DocumentFilter) -> NDArray[np.uint64]:
    rows = documents.select(connection, "SELECT d.id, d.path FROM document d WHERE d.chunks > 0")
    return np.array([document_id for document_id, path in rows if documents.matches(path)], dtype=np.uint64)


def _count(connection: sqlite3.Connection, documents: DocumentFilter) -> int:
    known = "FROM document d JOIN root r ON r.id = d.root_id WHERE NOT r.removing"
    if documents.exact:
        return int(documents.select(connection, f"SELECT count(*) {known}").fetchone()[0])
    return sum(documents.matches(path) for (path,) in documents.select(connection, f"SELECT d.path {known}"))


def _documents_page(
    connection: sqlite3.Connection, documents: DocumentFilter, after: str, limit: int
) -> list[DocumentRow]:
    page: list[DocumentRow] = []
    for root_id, root_path, after_path in _roots_after(connection, after):
        for row in documents.select(
            connection,
            "SELECT d.id, d.path, d.size, d.language, d.kind, d.chunks, d.skip FROM document d "
            "WHERE d.root_id = ? AND d.path > ?",
            (root_id, after_path),
            order="d.path",
        ):
            if len(page) == limit:
                return page
            if documents.matches(row[1]):
                page.append(_document_row(root_id, root_path, row))
    return page


def _document_row(root_id: int, root_path: str, row: tuple[Any, ...]) -> DocumentRow:
    document_id, path, size, language, kind, chunks, skip = row
    reason = SkipReason(skip) if skip else None
    return DocumentRow(document_id, root_id, root_path, path, size, language, kind, chunks, reason)


def _roots_after(connection: sqlite3.Connection, after: str) -> list[tuple[int, str, str]]:
    """(id, path, path within it to go on after) of the roots from the one that holds ``after``."""
    roots = connection.execute("SELECT id, path FROM root WHERE NOT removing ORDER BY path").fetchall()
    for position, (root_id, path) in enumerate(roots):
        below = f"{path.rstrip('/')}/"
        if after.startswith(below):
            later = [(other_id, other, "") for other_id, other in roots[position + 1 :]]
            return [(root_id, path, after.removeprefix(below)), *later]
    return [(root_id, path, "") for root_id, path in roots if path > after]
