"""Which chunks still need a vector, by space: a priority queue in the database, newest document first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from agentd.storage.root_spaces import BELONGS
from agentd.storage.rows import UnembeddedChunk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Collection, Sequence

    from numpy.typing import NDArray

    from agentd.storage.database import Database

HASH_PAGE = 5000
"""Text hashes read at a time."""


class VectorQueue:
    """The work of the embedder. Spaces are named by ``Space.key``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_unembedded(self, space: str, limit: int, skip: Collection[int] = ()) -> list[UnembeddedChunk]:
        """At most ``limit`` chunks without vector, those of the file edited last first; ``skip`` are in flight."""
        return await self._database.read_bulk(_next_unembedded, space, limit, frozenset(skip))

    async def embedded(self, space: str, chunk_ids: Sequence[int]) -> None:
        """Take chunks out of the queue, because a view holds their vectors; later stages no longer want them either."""
        await self._database.write(_embedded, space, chunk_ids)

    async def enqueue(self, space: str, chunk_ids: Sequence[int]) -> None:
        """Queue chunks again whose vectors a view has lost, in later open stages too; those gone are left out."""
        await self._database.write(_enqueue, space, chunk_ids)

    async def embeddable_ids(self, space: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """The chunks that must have a vector in ``space`` now, and those that may, each sorted.

        Those that may belong there; those that must are of stages that are open, and not in the queue.
        """
        rows = await self._database.read_bulk(_embeddable, space)
        return rows[rows[:, 1] > 0, 0], rows[:, 0]

    async def belonging(self, space: str, chunk_ids: Sequence[int]) -> set[int]:
        """Those of the chunks that may have a vector in ``space``."""
        return await self._database.read_bulk(_belonging, space, chunk_ids)

    async def all_text_hashes(self) -> AsyncIterator[list[bytes]]:
        """The text hashes of every chunk, in pages: what the embedding cache must not evict."""
        after = 0
        while page := await self._database.read_bulk(_text_hashes, after, HASH_PAGE):
            yield [text_hash for _, text_hash in page]
            after = page[-1][0]


QUEUE_CHUNKS = """
INSERT OR IGNORE INTO embedding_queue (chunk_id, space_id, root_id, mtime_ns)
    SELECT c.id, m.space_id, d.root_id, d.mtime_ns
    FROM chunk c JOIN document d ON d.id = c.document_id JOIN root_space m ON m.root_id = d.root_id
    WHERE m.open AND d.embed
"""


def queue_added(connection: sqlite3.Connection, newest: int) -> None:
    """Queue the chunks with ids over ``newest`` in every open stage of their root."""
    connection.execute(f"{QUEUE_CHUNKS} AND c.id > ?", (newest,))


def queue_documents(connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
    """Queue every chunk of the documents in every open stage of their root."""
    connection.executemany(f"{QUEUE_CHUNKS} AND c.document_id = ?", [(item,) for item in document_ids])


def unqueue_documents(connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
    """Take the chunks of documents that get no vectors any more out of every queue."""
    sql = "DELETE FROM embedding_queue WHERE chunk_id IN (SELECT id FROM chunk WHERE document_id = ?)"
    connection.executemany(sql, [(item,) for item in document_ids])


def _next_unembedded(
    connection: sqlite3.Connection, space: str, limit: int, skip: frozenset[int]
) -> list[UnembeddedChunk]:
    # The ids come from the index alone; only those taken are looked up.
    rows = connection.execute(
        "SELECT q.chunk_id FROM space s JOIN embedding_queue q ON q.space_id = s.id "
        "WHERE s.key = ? AND EXISTS (SELECT 1 FROM root_space m WHERE m.root_id = q.root_id AND m.space_id = s.id "
        "AND m.open) ORDER BY q.mtime_ns DESC, q.chunk_id LIMIT ?",
        (space, limit + len(skip)),
    )
    taken = [chunk_id for (chunk_id,) in rows if chunk_id not in skip][:limit]
    found = connection.execute(
        "SELECT c.id, c.document_id, d.root_id, r.path, c.text_hash, c.context, c.text, c.names FROM json_each(?) j "
        "CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id "
        "JOIN root r ON r.id = d.root_id ORDER BY j.key",
        (json.dumps(taken),),
    )
    return [UnembeddedChunk._make(row) for row in found]


def _space_id(connection: sqlite3.Connection, space: str) -> int:
    """Its id; 0 where nobody has used it, or nobody does any more."""
    row = connection.execute("SELECT id FROM space WHERE key = ?", (space,)).fetchone()
    return int(row[0]) if row else 0


def _embedded(connection: sqlite3.Connection, space: str, chunk_ids: Sequence[int]) -> None:
    space_id = _space_id(connection, space)
    connection.executemany(
        "DELETE FROM embedding_queue AS q WHERE q.chunk_id = ?1 AND (q.space_id = ?2 OR EXISTS ("
        "SELECT 1 FROM root_space own JOIN root_space m ON m.root_id = own.root_id AND m.position > own.position "
        "WHERE own.root_id = q.root_id AND own.space_id = ?2 AND m.space_id = q.space_id))",
        [(chunk_id, space_id) for chunk_id in chunk_ids],
    )


def _enqueue(connection: sqlite3.Connection, space: str, chunk_ids: Sequence[int]) -> None:
    space_id = _space_id(connection, space)
    connection.executemany(
        f"{QUEUE_CHUNKS} AND c.id = ? AND m.position >= "
        "(SELECT own.position FROM root_space own WHERE own.root_id = d.root_id AND own.space_id = ?)",
        [(chunk_id, space_id) for chunk_id in chunk_ids],
    )


def _embeddable(connection: sqlite3.Connection, space: str) -> NDArray[np.uint64]:
    """(chunk id, whether it must have its vector) of all that may have one."""
    rows = connection.execute(
        "SELECT c.id, m.open AND NOT EXISTS "
        "(SELECT 1 FROM embedding_queue w WHERE w.chunk_id = c.id AND w.space_id = m.space_id) "
        "FROM root_space m JOIN document d ON d.root_id = m.root_id JOIN chunk c ON c.document_id = d.id "
        f"WHERE m.space_id = ? AND d.embed AND {BELONGS} ORDER BY c.id",
        (_space_id(connection, space),),
    ).fetchall()
    return np.array(rows, dtype=np.uint64).reshape(-1, 2)


def _belonging(connection: sqlite3.Connection, space: str, chunk_ids: Sequence[int]) -> set[int]:
    rows = connection.execute(
        "SELECT c.id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id "
        f"JOIN root_space m ON m.root_id = d.root_id WHERE m.space_id = ? AND d.embed AND {BELONGS}",
        (json.dumps([int(chunk_id) for chunk_id in chunk_ids]), _space_id(connection, space)),
    )
    return {chunk_id for (chunk_id,) in rows}


def _text_hashes(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, bytes]]:
    return connection.execute(
        "SELECT id, text_hash FROM chunk WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()
