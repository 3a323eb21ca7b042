"""Reading documents and chunks: what a query shows, and which documents a filter lets through."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache

from agentd.domain import Filter, Kind, SkipReason
from agentd.storage.filters import DocumentFilter
from agentd.storage.rows import CandidateRow, Candidates, DocumentRow, HitRow
from agentd.storage.symbols import import_links

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agentd.storage.database import Database

FILTERS_REMEMBERED = 8
"""Answers to filters kept until the next generation: a dialogue tends to repeat its filter."""

MOST_AT_PATH = 50

KINDS = {kind.value: kind for kind in Kind}


class Passages:
    """Chunks by id, documents by filter."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._filtered: LRUCache[tuple[Filter, int], NDArray[np.uint64]] = LRUCache(FILTERS_REMEMBERED)

    async def hits(self, chunk_ids: Sequence[int]) -> dict[int, HitRow]:
        """The chunks that are there, by id; one that a view still names may be gone."""
        return await self._database.read(_hits, chunk_ids)

    async def candidates(self, chunk_ids: Sequence[int], texts: int) -> Candidates:
        """What ranking looks at; the first ``texts`` chunks come with theirs."""
        return await self._database.read(_candidates, chunk_ids, texts)

    async def at_path(self, path: str, restriction: Filter) -> dict[int, float]:
        """The first chunks of at most ``MOST_AT_PATH`` documents whose path ends with ``path`` or goes through it, with
        1 for the file itself, less for one below such a folder or with another extension.
        """
        return await self._database.read(_at_path, path, DocumentFilter(restriction, skipped=False))

    async def document_ids(self, restriction: Filter) -> NDArray[np.uint64] | None:
        """The ids, ascending, of the documents with text that pass; None where the filter restricts nothing."""
        if restriction == Filter():
            return None
        key = (restriction, self._database.generation.value)
        found = self._filtered.get(key)
        if found is None:
            found = await self._database.read(_searchable_ids, DocumentFilter(restriction, skipped=False))
            self._filtered[key] = found
        return found

    async def existing(self, chunk_ids: Sequence[int]) -> set[int]:
        """Those of the chunks that are still there."""
        return await self._database.read_bulk(_existing, chunk_ids)

    async def document(self, root_id: int, path: str) -> DocumentRow | None:
        """The document at ``path`` below a root, or None where the index knows no such file."""
        return await self._database.read(_document, root_id, path)

    async def documents_page(
        self, restriction: Filter, after: str, limit: int, *, skipped: bool = False
    ) -> list[DocumentRow]:
        """At most ``limit`` documents that pass, root by root and path by path, after the absolute path ``after``.

        ``""`` starts at the beginning; the last document's ``root_path/path`` goes into ``after`` for the next page.
        ``skipped`` asks for those that are not searchable in place of those that are.
        """
        documents = DocumentFilter(restriction, skipped=skipped)
        return await self._database.read(_documents_page, documents, after, limit)

    async def texts(self, root_id: int, path: str) -> list[tuple[int, int, str]]:
        """(first line, last line, text) of each passage of a file, in its order."""
        return await self._database.read(_texts, root_id, path)

    async def count(self, restriction: Filter, *, skipped: bool = False) -> int:
        """How many documents pass, over all pages."""
        return await self._database.read(_count, DocumentFilter(restriction, skipped=skipped))


def _texts(connection: sqlite3.Connection, root_id: int, path: str) -> list[tuple[int, int, str]]:
    return connection.execute(
        "SELECT c.start_line, c.end_line, c.text FROM document d JOIN chunk c ON c.document_id = d.id "
        "WHERE d.root_id = ? AND d.path = ? ORDER BY c.ordinal",
        (root_id, path),
    ).fetchall()


def _hits(connection: sqlite3.Connection, chunk_ids: Sequence[int]) -> dict[int, HitRow]:
    rows = connection.execute(
        "SELECT c.id, d.id, r.id, r.path, d.path, d.stored_signature, d.language, d.kind, c.symbol, c.context, "
        "c.start_line, c.end_line, c.start_byte, c.end_byte, c.text, c.names, c.doc FROM json_each(?) j "
        "CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id JOIN root r ON r.id = d.root_id "
        "WHERE NOT r.removing",
        (json.dumps([int(chunk_id) for chunk_id in chunk_ids]),),
    )
    return {row[0]: _hit_row(row) for row in rows}


def _candidates(connection: sqlite3.Connection, chunk_ids: Sequence[int], texts: int) -> Candidates:
    found = connection.execute(
        "SELECT c.id, d.id, d.path, d.language, d.kind, c.start_line, "
        "CASE c.names WHEN '' THEN c.symbol ELSE c.names END, c.context, c.doc, "
        "CASE WHEN j.key < ? THEN c.text ELSE '' END FROM json_each(?) j "
        "CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id",
        (texts, json.dumps([int(chunk_id) for chunk_id in chunk_ids])),
    )
    rows = {row[0]: CandidateRow._make((*row[:4], KINDS[row[4]], *row[5:])) for row in found}
    links = import_links(connection, list({row.document_id for row in rows.values()}))
    return Candidates(rows, Counter(target for _, target in links))


def _at_path(connection: sqlite3.Connection, path: str, documents: DocumentFilter) -> dict[int, float]:
    wanted = path.replace("\\", "/").removeprefix("./").strip("/")
    sql = (
        "SELECT d.path, (SELECT min(c.id) FROM chunk c WHERE c.document_id = d.id) FROM document d "
        "WHERE d.chunks > 0 AND instr('/' || d.path, '/' || ?) > 0"
    )
    found: dict[int, float] = {}
    if not wanted:
        return found
    for known, chunk_id in documents.select(connection, sql, (wanted,), order="length(d.path)"):
        if documents.matches(known) and (strength := path_strength(wanted, known)) and chunk_id is not None:
            found[chunk_id] = strength
        if len(found) == MOST_AT_PATH:
            break
    return found


def path_strength(wanted: str, known: str) -> float:
    """How much of a path the query names: all of its end, the folder, or the name but for the extension.

    >>> [path_strength(path, "src/http/server.py") for path in ("http/server.py", "src/http", "http/server", "serv")]
    [1.0, 0.5, 0.8, 0.0]
    """
    known = f"/{known}"
    if known.endswith(f"/{wanted}"):
        return 1.0
    if f"/{wanted}/" in known:
        return 0.5
    return 0.8 if known.rpartition(".")[0].endswith(f"/{wanted}") else 0.0


def _hit_row(row: tuple[Any, ...]) -> HitRow:
    fields = list(row)
    fields[7] = Kind(row[7])
    return HitRow(*fields)


def _existing(connection: sqlite3.Connection, chunk_ids: Sequence[int]) -> set[int]:
    rows = connection.execute(
        "SELECT c.id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value",
        (json.dumps([int(chunk_id) for chunk_id in chunk_ids]),),
    )
    return {chunk_id for (chunk_id,) in rows}


DOCUMENT_COLUMNS = "SELECT d.id, d.root_id, r.path, d.path, d.size, d.language, d.kind, d.chunks, d.skip"
KNOWN_DOCUMENTS = "FROM document d JOIN root r ON r.id = d.root_id WHERE NOT r.removing"


def _document(connection: sqlite3.Connection, root_id: int, path: str) -> DocumentRow | None:
    sql = f"{DOCUMENT_COLUMNS} {KNOWN_DOCUMENTS} AND d.root_id = ? AND d.path = ?"
    row = connection.execute(sql, (root_id, path)).fetchone()
    return _document_row(row) if row else None


def _searchable_ids(connection: sqlite3.Connection, documents: DocumentFilter) -> NDArray[np.uint64]:
    rows = documents.select(connection, "SELECT d.id, d.path FROM document d WHERE d.chunks > 0")
    return np.array([document_id for document_id, path in rows if documents.matches(path)], dtype=np.uint64)


def _count(connection: sqlite3.Connection, documents: DocumentFilter) -> int:
    if documents.exact:
        return int(documents.select(connection, f"SELECT count(*) {KNOWN_DOCUMENTS}").fetchone()[0])
    paths = documents.select(connection, f"SELECT d.path {KNOWN_DOCUMENTS}")
    return sum(documents.matches(path) for (path,) in paths)


def _documents_page(
    connection: sqlite3.Connection, documents: DocumentFilter, after: str, limit: int
) -> list[DocumentRow]:
    page: list[DocumentRow] = []
    narrowed = f"{DOCUMENT_COLUMNS} {KNOWN_DOCUMENTS} AND d.root_id = ? AND d.path > ?"
    for root_id, after_path in _roots_after(connection, after):
        for row in documents.select(connection, narrowed, (root_id, after_path), order="d.path"):
            if len(page) == limit:
                return page
            if documents.matches(row[3]):
                page.append(_document_row(row))
    return page


def _document_row(row: tuple[Any, ...]) -> DocumentRow:
    fields = list(row)
    fields[-1] = SkipReason(row[-1]) if row[-1] else None
    return DocumentRow(*fields)


def _roots_after(connection: sqlite3.Connection, after: str) -> list[tuple[int, str]]:
    """(id, path within it to go on after) of the roots from the one that holds ``after``."""
    roots = connection.execute("SELECT id, path FROM root WHERE NOT removing ORDER BY path").fetchall()
    for position, (root_id, path) in enumerate(roots):
        below = f"{path.rstrip('/')}/"
        if after.startswith(below):
            return [(root_id, after.removeprefix(below)), *((other, "") for other, _ in roots[position + 1 :])]
    return [(root_id, "") for root_id, path in roots if path > after]
