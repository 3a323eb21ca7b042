"""Keeping parsed files: one transaction that turns a batch of results into rows, feed and work for the embedder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct, field

from agentd.domain import SkipReason
from agentd.storage.chunk_diff import Place, StoredChunk, diff_chunks
from agentd.storage.feed import feed_live
from agentd.storage.removal import drop_chunks, remove_documents
from agentd.storage.structure import Structures
from agentd.storage.vector_queue import queue_added, queue_documents, unqueue_documents

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agentd.kernels.messages import ParsedFile
    from agentd.storage.rows import PendingDocument


class _Row(NamedTuple):
    """A document as it is now, which may be newer than when it was taken."""

    id: int
    size: int
    mtime_ns: int
    signature: str
    walk_skip: str
    language: str
    kind: str
    embed: int


class _Plan(Struct):
    """What the batch does to the database, gathered so that each statement runs once over all of it."""

    vanished: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    documents: list[tuple[Any, ...]] = field(default_factory=list)
    added: list[tuple[Any, ...]] = field(default_factory=list)
    moved: list[tuple[Any, ...]] = field(default_factory=list)
    removed: list[tuple[int]] = field(default_factory=list)
    fed: list[int] = field(default_factory=list)
    embed_on: list[int] = field(default_factory=list)
    embed_off: list[int] = field(default_factory=list)


def store(connection: sqlite3.Connection, results: Sequence[tuple[PendingDocument, ParsedFile]]) -> None:
    """Keep a batch of parsed files; see ``Documents.store``."""
    # Where a document comes twice, the later result counts: both would be compared with the same stored chunks.
    latest = {taken.id: (taken, parsed) for taken, parsed in results}
    ids = json.dumps(list(latest))
    rows = _rows(connection, ids)
    chunks = _chunks(connection, ids)
    structures = Structures(connection, list(rows))
    plan = _Plan()
    for document_id, row in rows.items():
        taken, parsed = latest[document_id]
        if _plan(plan, row, taken, parsed, chunks.get(document_id, [])):
            structures.plan(document_id, parsed)
    _apply(connection, plan)
    structures.apply()


def _plan(plan: _Plan, row: _Row, taken: PendingDocument, parsed: ParsedFile, stored: Sequence[StoredChunk]) -> bool:
    """Plan one file; returns whether its text counts."""
    if row.walk_skip:  # a later scan found it too large, say: what an earlier parse made of it no longer counts
        return False
    overtaken = row.signature not in {taken.signature, parsed.signature}
    if parsed.vanished:
        # Seen again by a later scan, it is no longer gone: the next parse decides.
        if row.signature == taken.signature:
            plan.vanished.append(row.id)
        return False
    if parsed.skip:
        plan.skipped.append(row.id)
    else:
        _plan_chunks(plan, row, parsed, stored)
    plan.documents.append(_document(row, parsed, overtaken=overtaken))
    return not parsed.skip


def _plan_chunks(plan: _Plan, row: _Row, parsed: ParsedFile, stored: Sequence[StoredChunk]) -> None:
    diff = diff_chunks(stored, parsed.chunks)
    plan.moved.extend((*place, chunk_id) for chunk_id, place in diff.moved)
    plan.added.extend(
        (row.id, *place, chunk.context, chunk.text_hash, chunk.text, chunk.parts) for place, chunk in diff.added
    )
    plan.removed.extend((chunk_id,) for chunk_id in diff.removed)
    if parsed.embed and not row.embed:
        plan.embed_on.append(row.id)
    elif row.embed and not parsed.embed:
        plan.embed_off.append(row.id)
    described = (row.language, row.kind, bool(row.embed)) == (parsed.language, parsed.kind, parsed.embed)
    if diff.searchable or (stored and not described):
        plan.fed.append(row.id)


def _document(row: _Row, parsed: ParsedFile, *, overtaken: bool) -> tuple[Any, ...]:
    """The parameters of UPDATE_DOCUMENT."""
    size, mtime_ns, signature = parsed.size, parsed.mtime_ns, parsed.signature
    if overtaken:
        size, mtime_ns, signature = row.size, row.mtime_ns, row.signature
    elif parsed.skip is SkipReason.UNSTABLE:
        signature = ""  # equal to no file's, so that the next scan tries again
    state = "skipped" if parsed.skip else "indexed"
    return (
        size,
        mtime_ns,
        signature,
        "pending" if overtaken else state,
        parsed.skip.value if parsed.skip and not overtaken else "",
        "" if parsed.skip else parsed.signature,
        parsed.content_hash,
        parsed.language,
        parsed.kind.value,
        parsed.embed,
        parsed.lines,
        json.dumps(parsed.notes),
        len(parsed.chunks),
        row.id,
    )


UPDATE_DOCUMENT = """
UPDATE document SET size = ?, mtime_ns = ?, signature = ?, state = ?, skip = ?, attempts = 0, stored_signature = ?,
    content_hash = ?, language = ?, kind = ?, embed = ?, lines = ?, notes = ?, chunks = ? WHERE id = ?
"""

MOVE_CHUNK = """
UPDATE chunk SET ordinal = ?, start_line = ?, end_line = ?, start_byte = ?, end_byte = ?, symbol = ?, names = ?, doc = ?
    WHERE id = ?
"""

ADD_CHUNK = """
INSERT INTO chunk
    (document_id, ordinal, start_line, end_line, start_byte, end_byte, symbol, names, doc, context, text_hash, text,
    parts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _apply(connection: sqlite3.Connection, plan: _Plan) -> None:
    newest = _newest_chunk(connection)
    remove_documents(connection, plan.vanished)
    drop_chunks(connection, plan.skipped)
    connection.executemany("DELETE FROM chunk WHERE id = ?", plan.removed)
    connection.executemany(MOVE_CHUNK, plan.moved)
    connection.executemany(ADD_CHUNK, plan.added)
    connection.executemany(UPDATE_DOCUMENT, plan.documents)
    unqueue_documents(connection, plan.embed_off)
    queue_added(connection, newest)
    queue_documents(connection, plan.embed_on)
    feed_live(connection, plan.fed)


def _rows(connection: sqlite3.Connection, ids: str) -> dict[int, _Row]:
    sql = (
        "SELECT d.id, d.size, d.mtime_ns, d.signature, d.walk_skip, d.language, d.kind, d.embed "
        "FROM json_each(?) j CROSS JOIN document d ON d.id = j.value"
    )
    return {row[0]: _Row._make(row) for row in connection.execute(sql, (ids,))}


def _chunks(connection: sqlite3.Connection, ids: str) -> dict[int, list[StoredChunk]]:
    found: dict[int, list[StoredChunk]] = {}
    for document_id, chunk_id, context, text_hash, *place in connection.execute(
        "SELECT c.document_id, c.id, c.context, c.text_hash, "
        "c.ordinal, c.start_line, c.end_line, c.start_byte, c.end_byte, c.symbol, c.names, c.doc "
        "FROM json_each(?) j CROSS JOIN chunk c ON c.document_id = j.value ORDER BY c.document_id, c.ordinal",
        (ids,),
    ):
        found.setdefault(document_id, []).append(StoredChunk(chunk_id, Place._make(place), context, text_hash))
    return found


def _newest_chunk(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunk'").fetchone()
    return int(row[0]) if row else 0
