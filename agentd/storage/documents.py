"""The queue of files to parse, and what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.domain import SkipReason
from agentd.storage.removal import drop_chunks
from agentd.storage.rows import PendingDocument
from agentd.storage.store import store

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from agentd.kernels.messages import ParsedFile
    from agentd.storage.database import Database

BATCH_SIZE = 2000
"""Documents marked pending in one transaction."""


class Documents:
    """Documents that wait for a worker, newest first, and the way back from it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_pending(self, limit: int, max_bytes: int, skip: Collection[int] = ()) -> list[PendingDocument]:
        """The files edited last that wait to be parsed: at most ``limit``, ``max_bytes`` in all (but always one).

        ``skip`` holds the ids that are in a worker's hands already.
        """
        return await self._database.read_bulk(_next_pending, limit, max_bytes, frozenset(skip))

    async def store(self, results: Sequence[tuple[PendingDocument, ParsedFile]]) -> int:
        """Keep what was parsed, in one transaction; returns the generation after it.

        Chunks whose text is unchanged keep their ids. A document that a scan saw changed again after it was taken stays
        pending; one that was removed meanwhile is left out.
        """
        await self._database.write(store, results)
        return self._database.generation.value

    async def fail(self, document: PendingDocument, reason: SkipReason, *, max_attempts: int = 1) -> bool:
        """Count a parse that gave no result; at the last attempt the document is skipped for ``reason``.

        Returns whether it was given up. A later change of the file puts it into the queue again.
        """
        return await self._database.write(_fail, document, reason, max_attempts)

    async def reindex(self, root_id: int, below: str = "") -> int:
        """Put the document at the path ``below``, or all below it, back into the queue; ``""`` is the whole root.

        Returns how many. What turns out unchanged keeps its chunks. Files that the walk leaves out are not among them.
        """
        documents = await self._database.read_bulk(_parsable, root_id, below)
        for start in range(0, len(documents), BATCH_SIZE):
            await self._database.write(_mark_pending, documents[start : start + BATCH_SIZE])
        return len(documents)


def _next_pending(
    connection: sqlite3.Connection, limit: int, max_bytes: int, skip: frozenset[int]
) -> list[PendingDocument]:
    taken: list[PendingDocument] = []
    bytes_left = max_bytes
    for row in connection.execute(
        "SELECT d.id, d.root_id, r.path, d.path, d.size, d.mtime_ns, d.signature, d.attempts "
        "FROM document d JOIN root r ON r.id = d.root_id "
        "WHERE d.state = 'pending' AND NOT r.removing ORDER BY d.mtime_ns DESC LIMIT ?",
        (limit + len(skip),),
    ):
        document = PendingDocument(*row)
        if document.id in skip:
            continue
        bytes_left -= document.size
        if len(taken) == limit or (taken and bytes_left < 0):
            break
        taken.append(document)
    return taken


def _fail(connection: sqlite3.Connection, document: PendingDocument, reason: SkipReason, max_attempts: int) -> bool:
    row = connection.execute(
        "UPDATE document SET attempts = attempts + 1 "
        "WHERE id = ? AND state = 'pending' AND signature = ? RETURNING attempts",
        (document.id, document.signature),
    ).fetchall()
    if not row or row[0][0] < max_attempts:
        return False
    drop_chunks(connection, [document.id])
    connection.execute(
        "UPDATE document SET state = 'skipped', skip = ? WHERE id = ?", (SkipReason(reason).value, document.id)
    )
    return True


def _parsable(connection: sqlite3.Connection, root_id: int, below: str) -> list[tuple[int]]:
    # "0" follows "/" in ASCII: the range holds exactly the paths that start with "below/".
    return connection.execute(
        "SELECT id FROM document WHERE root_id = ?1 AND walk_skip = '' "
        "AND (?2 = '' OR path = ?2 OR (path > ?2 || '/' AND path < ?2 || '0'))",
        (root_id, below),
    ).fetchall()


def _mark_pending(connection: sqlite3.Connection, documents: Sequence[tuple[int]]) -> None:
    connection.executemany(
        "UPDATE document SET state = 'pending', skip = '', attempts = 0 WHERE id = ? AND walk_skip = ''", documents
    )
