"""Which chunks still need a vector, by space: a priority queue in the database, newest document first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from agentd.storage.rows import UnembeddedChunk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Collection, Sequence

    from numpy.typing import NDArray

    from agentd.storage.database import Database

FILL_SIZE = 4000
"""Chunks queued in one transaction while a space becomes active."""


HASH_PAGE = 5000
"""Text hashes read at a time."""


class VectorQueue:
    """The work of the embedder. Spaces are named by ``Space.key``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def activate_space(self, space: str) -> None:
        """From now on every chunk gets a vector in ``space``; those already there are queued, in short transactions.

        A space that is active already, as after a restart, costs nothing. An activation cut short goes on here.
        """
        space_id = await self._database.write(_activate, space)
        while await self._database.write(_fill, space_id):
            pass

    async def deactivate_space(self, space: str) -> None:
        """No more vectors in ``space``: its queue goes, chunks stored later do not enter it."""
        await self._database.write(_deactivate, space)
        while await self._database.write(_drain, space):
            pass

    async def active_spaces(self) -> tuple[str, ...]:
        """The spaces in which chunks get vectors."""
        return await self._database.read_bulk(_active_spaces)

    async def next_unembedded(self, space: str, limit: int, skip: Collection[int] = ()) -> list[UnembeddedChunk]:
        """At most ``limit`` chunks without vector, those of the file edited last first; ``skip`` are in flight."""
        return await self._database.read_bulk(_next_unembedded, space, limit, frozenset(skip))

    async def embedded(self, space: str, chunk_ids: Sequence[int]) -> None:
        """Take chunks out of the queue: a view holds their vectors."""
        await self._database.write(_embedded, space, chunk_ids)

    async def enqueue(self, space: str, chunk_ids: Sequence[int]) -> None:
        """Put chunks into the queue again, whose vectors a view has lost; chunks that are gone are left out."""
        await self._database.write(_enqueue, space, chunk_ids)

    async def embeddable_ids(self, space: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
        """Chunk, document and root ids, shape (n,) each and by ascending chunk id, of what should have a vector now.

        These are the chunks of documents that are embedded, less those in the queue.
        """
        rows = await self._database.read_bulk(_embeddable, space)
        return rows[:, 0], rows[:, 1], rows[:, 2]

    async def all_text_hashes(self) -> AsyncIterator[list[bytes]]:
        """The text hashes of every chunk, in pages: what the embedding cache must not evict."""
        after = 0
        while page := await self._database.read_bulk(_text_hashes, after, HASH_PAGE):
            yield [text_hash for _, text_hash in page]
            after = page[-1][0]


QUEUE_CHUNKS = """
INSERT OR IGNORE INTO embedding_queue (chunk_id, space_id, root_id, mtime_ns)
    SELECT c.id, s.id, d.root_id, d.mtime_ns
    FROM chunk c JOIN document d ON d.id = c.document_id JOIN space s
    WHERE s.active AND d.embed
"""


def queue_added(connection: sqlite3.Connection, newest: int) -> None:
    """Queue the chunks with ids over ``newest`` in every active space."""
    connection.execute(f"{QUEUE_CHUNKS} AND c.id > ?", (newest,))


def queue_documents(connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
    """Queue every chunk of the documents in every active space."""
    connection.executemany(f"{QUEUE_CHUNKS} AND c.document_id = ?", [(item,) for item in document_ids])


def unqueue_documents(connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
    """Take the chunks of documents that get no vectors any more out of every queue."""
    sql = "DELETE FROM embedding_queue WHERE chunk_id IN (SELECT id FROM chunk WHERE document_id = ?)"
    connection.executemany(sql, [(item,) for item in document_ids])


def _activate(connection: sqlite3.Connection, space: str) -> int:
    connection.execute(
        "INSERT INTO space (key, active, fill_end) VALUES (?, 1, (SELECT coalesce(max(id), 0) FROM chunk)) "
        "ON CONFLICT (key) DO UPDATE SET active = 1, filled_to = 0, fill_end = excluded.fill_end WHERE NOT active",
        (space,),
    )
    return int(connection.execute("SELECT id FROM space WHERE key = ?", (space,)).fetchone()[0])


def _fill(connection: sqlite3.Connection, space_id: int) -> bool:
    """Queue the next chunks of a space that became active; returns whether more are left."""
    row = connection.execute(
        "SELECT filled_to, fill_end FROM space WHERE id = ? AND active AND filled_to < fill_end", (space_id,)
    ).fetchone()
    if row is None:
        return False
    filled_to = min(row[0] + FILL_SIZE, row[1])
    connection.execute(f"{QUEUE_CHUNKS} AND s.id = ? AND c.id > ? AND c.id <= ?", (space_id, row[0], filled_to))
    connection.execute("UPDATE space SET filled_to = ? WHERE id = ?", (filled_to, space_id))
    return True


def _deactivate(connection: sqlite3.Connection, space: str) -> None:
    connection.execute("UPDATE space SET active = 0, filled_to = 0, fill_end = 0 WHERE key = ?", (space,))


def _drain(connection: sqlite3.Connection, space: str) -> int:
    """Delete some of an inactive space's queue; returns how many."""
    rows = connection.execute(
        "SELECT q.chunk_id, q.space_id FROM space s JOIN embedding_queue q ON q.space_id = s.id "
        "WHERE s.key = ? AND NOT s.active LIMIT ?",
        (space, FILL_SIZE),
    ).fetchall()
    connection.executemany("DELETE FROM embedding_queue WHERE chunk_id = ? AND space_id = ?", rows)
    return len(rows)


def _active_spaces(connection: sqlite3.Connection) -> tuple[str, ...]:
    return tuple(key for (key,) in connection.execute("SELECT key FROM space WHERE active ORDER BY id"))


def _next_unembedded(
    connection: sqlite3.Connection, space: str, limit: int, skip: frozenset[int]
) -> list[UnembeddedChunk]:
    # The ids come from the index alone; only those taken are looked up.
    rows = connection.execute(
        "SELECT q.chunk_id FROM space s JOIN embedding_queue q ON q.space_id = s.id "
        "WHERE s.key = ? ORDER BY q.mtime_ns DESC, q.chunk_id LIMIT ?",
        (space, limit + len(skip)),
    )
    taken = [chunk_id for (chunk_id,) in rows if chunk_id not in skip][:limit]
    found = connection.execute(
        "SELECT c.id, c.document_id, d.root_id, c.text_hash, c.context, c.text, c.names FROM json_each(?) j "
        "CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id ORDER BY j.key",
        (json.dumps(taken),),
    )
    return [UnembeddedChunk._make(row) for row in found]


def _embedded(connection: sqlite3.Connection, space: str, chunk_ids: Sequence[int]) -> None:
    connection.executemany(
        "DELETE FROM embedding_queue WHERE chunk_id = ? AND space_id = (SELECT id FROM space WHERE key = ?)",
        [(chunk_id, space) for chunk_id in chunk_ids],
    )


def _enqueue(connection: sqlite3.Connection, space: str, chunk_ids: Sequence[int]) -> None:
    connection.executemany(f"{QUEUE_CHUNKS} AND s.key = ? AND c.id = ?", [(space, chunk_id) for chunk_id in chunk_ids])


def _embeddable(connection: sqlite3.Connection, space: str) -> NDArray[np.uint64]:
    rows = connection.execute(
        "SELECT c.id, c.document_id, d.root_id FROM document d JOIN chunk c ON c.document_id = d.id "
        "WHERE d.embed AND NOT EXISTS (SELECT 1 FROM embedding_queue q JOIN space s ON s.id = q.space_id "
        "WHERE q.chunk_id = c.id AND s.key = ?) ORDER BY c.id",
        (space,),
    ).fetchall()
    return np.array(rows, dtype=np.uint64).reshape(-1, 3)


def _text_hashes(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, bytes]]:
    return connection.execute(
        "SELECT id, text_hash FROM chunk WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()
