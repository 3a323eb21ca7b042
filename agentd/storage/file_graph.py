"""Which files import which: level by level from some of them, within bounds, with the cycles among what is met."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from agentd.storage.codes import CERTAINTIES, IMPORT
from agentd.storage.cycles import cycles
from agentd.storage.rows import FileGraph, FileRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

MAX_DOCUMENTS = 20_000
MAX_SECONDS = 0.25

# An import of a package whose files share a key, as in Go, means all of them: unless the linker knows the file of what
# is imported, or the two are a header and its source.
C_FAMILY = 3
IMPORTED = f"""
SELECT e.document_id, d.id, e.line, coalesce(e.found, {IMPORT}) FROM json_each(?) j
    CROSS JOIN edge e INDEXED BY edge_import ON e.document_id = j.value AND e.kind = 0
    JOIN document t ON t.id = e.target_document_id
    JOIN document d ON d.id = t.id OR (e.target_symbol_id IS NULL AND t.family <> {C_FAMILY}
        AND d.root_id = t.root_id AND d.module = t.module AND d.module <> '')
    WHERE d.id <> e.document_id
"""

IMPORTING = f"""
SELECT e.document_id, d.id, e.line, coalesce(e.found, {IMPORT}) FROM json_each(?) j
    CROSS JOIN document d ON d.id = j.value
    JOIN document t ON t.id = d.id OR (t.family <> {C_FAMILY}
        AND t.root_id = d.root_id AND t.module = d.module AND t.module <> '')
    JOIN edge e ON e.target_document_id = t.id AND e.kind = 0
    WHERE (t.id = d.id OR e.target_symbol_id IS NULL) AND e.document_id <> d.id
"""

FILES = """
SELECT d.id, d.root_id, r.path, d.path, d.stored_signature, d.language, d.lines FROM json_each(?) j
    CROSS JOIN document d ON d.id = j.value JOIN root r ON r.id = d.root_id AND NOT r.removing
"""


class _Import(NamedTuple):
    importing: int
    imported: int
    line: int
    certainty: int


def follow_imports(
    connection: sqlite3.Connection, document_ids: Sequence[int], depth: int, limit: int, *, forward: bool
) -> FileGraph:
    """What the documents import (or, not ``forward``, what imports them), at most ``depth`` imports away."""
    until = time.monotonic() + MAX_SECONDS
    met: dict[int, tuple[int, _Import | None]] = dict.fromkeys(document_ids, (0, None))
    frontier = list(met)
    edges: list[_Import] = []
    bounded = ""
    for level in range(1, depth + 1):
        imports = _imports(connection, frontier, forward=forward)
        edges += imports
        before = len(met)
        for found in imports:
            met.setdefault(found.imported if forward else found.importing, (level, found))
        frontier = list(met)[before:]
        bounded = _bound(len(met), until)
        if not frontier or bounded:
            break
    edges += _imports(connection, frontier, forward=forward) if frontier else []
    return _file_graph(connection, met, edges, limit, bounded)


def _imports(connection: sqlite3.Connection, document_ids: Sequence[int], *, forward: bool) -> list[_Import]:
    rows = connection.execute(IMPORTED if forward else IMPORTING, (json.dumps(list(document_ids)),))
    return [_Import._make(row) for row in rows]


def _bound(documents: int, until: float) -> str:
    if documents > MAX_DOCUMENTS:
        return f"the search was ended after {documents} files"
    if time.monotonic() > until:
        return f"the search was ended after {MAX_SECONDS} seconds, at {documents} files"
    return ""


def _file_graph(
    connection: sqlite3.Connection,
    met: dict[int, tuple[int, _Import | None]],
    edges: Sequence[_Import],
    limit: int,
    bounded: str,
) -> FileGraph:
    pairs = sorted({edge[:2] for edge in edges if edge.importing in met and edge.imported in met})
    groups = cycles(pairs)
    found = [(document_id, level, by) for document_id, (level, by) in met.items() if by is not None]
    ids = {document_id for document_id, *_ in found[:limit]}.union(*groups)
    files = {row[0]: row for row in connection.execute(FILES, (json.dumps(sorted(ids)),))}
    rows = {
        document_id: _file_row(files[document_id], level, by.line, by.certainty)
        for document_id, level, by in found
        if document_id in files
    }
    shown = [rows[document_id] for document_id, *_ in found[:limit] if document_id in rows]
    kept = {row.document_id for row in shown} | {document_id for document_id, (level, _) in met.items() if not level}
    return FileGraph(
        shown,
        [pair for pair in pairs if kept.issuperset(pair)],
        [[_member(rows, files[one]) for one in group if one in files] for group in groups],
        len(found) - len(shown),
        bounded,
    )


def _member(rows: dict[int, FileRow], file: tuple[Any, ...]) -> FileRow:
    """A file of a cycle; those that were asked about are at depth 0."""
    return rows.get(file[0]) or _file_row(file, 0, 1, IMPORT)


def _file_row(file: tuple[Any, ...], depth: int, line: int, certainty: int) -> FileRow:
    fields = [*file, depth, line, CERTAINTIES[certainty]]
    return FileRow(*fields)
