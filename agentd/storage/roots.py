"""The folders that are kept indexed, and how far each is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agentd.domain import Root, RootOrigin
from agentd.errors import RootNotFoundError, StateUnusableError
from agentd.storage.purge import note_removal
from agentd.storage.removal import batches, remove_documents
from agentd.storage.rows import RootProgress

if TYPE_CHECKING:
    import sqlite3

    from agentd.storage.database import Database
    from agentd.storage.purge import Purge
    from agentd.storage.root_ledger import RootLedger

log = structlog.get_logger(__name__)

SELECT_SIZE = 2000
"""Documents looked up at a time while a root is removed."""


class Roots:
    """Roots by id; ids are never reused. Those that somebody added stand in the ledger too, which is written first."""

    def __init__(self, database: Database, ledger: RootLedger, purge: Purge) -> None:
        self._database = database
        self._ledger = ledger
        self._purge = purge
        self._added: frozenset[str] = frozenset()
        """What the ledger holds."""
        self._changing = asyncio.Lock()

    async def restore(self) -> None:
        """Make database and ledger hold the same added roots: all that one of them knows, but for those of which the
        database knows that they are being removed.

        Raises:
            StateNewerError: a newer agentd wrote the ledger.
            StateUnusableError: one of them cannot be read or written.
        """
        noted = await asyncio.to_thread(self._ledger.read)
        self._added = frozenset(noted or ())
        lost = self._added - await self._database.read(_paths)
        for path in sorted(lost):
            log.warning("root_restored", path=path)
            await self._database.write(_add, path, RootOrigin.ADDED)
        await self._note(frozenset(root.path for root in await self.all() if root.origin is RootOrigin.ADDED))

    async def add(self, path: str, origin: RootOrigin) -> Root:
        """Remember the root at ``path`` (absolute, resolved). Known already, it keeps its id and takes ``origin``.

        Raises:
            StateUnusableError: it cannot be kept, and so is not.
        """
        await self.finish_removals()
        async with self._changing:
            before = self._added
            await self._note(before | {path} if origin is RootOrigin.ADDED else before - {path})
            try:
                return await self._database.write(_add, path, origin)
            except StateUnusableError:
                await self._restore_note(before)
                raise

    async def all(self) -> list[Root]:
        """Every root, in the order of their paths."""
        return await self._database.read(_list)

    async def remove(self, root_id: int) -> int:
        """Forget a root with all its text; returns the number of documents that it had.

        Once begun, the removal survives anything: what a crash, a full disk or a cancelled caller leaves is taken up
        again by ``finish_removals``.

        Raises:
            RootNotFoundError: no such root.
            StateUnusableError: it could not be begun; the root is still there.
        """
        documents = await self._begin_removal(root_id)
        try:
            await self.finish_removals()
        except StateUnusableError as error:
            log.warning("removal_unfinished", error=error.message)
        return documents

    async def _begin_removal(self, root_id: int) -> int:
        async with self._changing:
            before = self._added
            path, documents = await self._database.read_bulk(_path_and_size, root_id)
            await self._note(before - {path})
            try:
                await self._database.write(_begin_removal, root_id)
            except StateUnusableError:
                await self._restore_note(before)
                raise
            return documents

    async def _note(self, added: frozenset[str]) -> None:
        """Write the ledger where it says something else."""
        if added != self._added:
            await asyncio.to_thread(self._ledger.write, added)
            self._added = added

    async def _restore_note(self, before: frozenset[str]) -> None:
        """Undo a note that the database could not follow. Where the disk refuses that too, the next start keeps all
        that either of them knows.
        """
        try:
            await self._note(before)
        except StateUnusableError as error:
            log.warning("ledger_ahead", error=error.message)

    async def finish_removals(self) -> int:
        """Finish every removal that was begun, in short transactions; returns the number of documents removed."""
        removed = 0
        while removing := await self._database.read_bulk(_removing):
            for root_id in removing:
                removed += await self._empty(root_id)
                await self._database.write(_forget, root_id)
            await self._database.truncate_log()
            await self._purge.look()
        return removed

    async def progress(self) -> list[RootProgress]:
        """How far each root is, in the order of their paths; reads running totals alone, whatever the index's size."""
        return await self._database.read_bulk(_progress)

    async def _empty(self, root_id: int) -> int:
        removed = 0
        while documents := await self._database.read_bulk(_documents_of, root_id):
            for batch in batches(documents):
                removed += await self._database.write(remove_documents, batch)
        return removed


def _add(connection: sqlite3.Connection, path: str, origin: RootOrigin) -> Root:
    (root_id,) = connection.execute(
        "INSERT INTO root (path, origin) VALUES (?, ?) "
        "ON CONFLICT (path) DO UPDATE SET origin = excluded.origin RETURNING id",
        (path, origin.value),
    ).fetchone()
    return Root(root_id, path, origin)


def _list(connection: sqlite3.Connection) -> list[Root]:
    rows = connection.execute("SELECT id, path, origin FROM root WHERE NOT removing ORDER BY path")
    return [Root(root_id, path, RootOrigin(origin)) for root_id, path, origin in rows]


def _paths(connection: sqlite3.Connection) -> set[str]:
    return {path for (path,) in connection.execute("SELECT path FROM root")}


def require_root(connection: sqlite3.Connection, root_id: int) -> None:
    """Raises RootNotFoundError unless the root is there and not being removed."""
    if connection.execute("SELECT 1 FROM root WHERE id = ? AND NOT removing", (root_id,)).fetchone() is None:
        raise RootNotFoundError(f"No root has the id {root_id}; `agentctl roots` lists those there are.")


def _path_and_size(connection: sqlite3.Connection, root_id: int) -> tuple[str, int]:
    require_root(connection, root_id)
    (path,) = connection.execute("SELECT path FROM root WHERE id = ?", (root_id,)).fetchone()
    (documents,) = connection.execute("SELECT count(*) FROM document WHERE root_id = ?", (root_id,)).fetchone()
    return str(path), int(documents)


def _begin_removal(connection: sqlite3.Connection, root_id: int) -> None:
    require_root(connection, root_id)
    connection.execute("UPDATE root SET removing = 1 WHERE id = ?", (root_id,))
    note_removal(connection)


def _removing(connection: sqlite3.Connection) -> list[int]:
    return [root_id for (root_id,) in connection.execute("SELECT id FROM root WHERE removing")]


def _documents_of(connection: sqlite3.Connection, root_id: int) -> list[tuple[int, int]]:
    sql = "SELECT id, chunks FROM document WHERE root_id = ? LIMIT ?"
    return connection.execute(sql, (root_id, SELECT_SIZE)).fetchall()


def _forget(connection: sqlite3.Connection, root_id: int) -> None:
    # Two removals may run side by side (a request and the maintenance round): the slower one finds nothing left.
    connection.execute("DELETE FROM root WHERE id = ? AND removing", (root_id,))


def _progress(connection: sqlite3.Connection) -> list[RootProgress]:
    tallies: dict[int, list[tuple[str, str, int, int, int]]] = {}
    for root_id, *tally in connection.execute(
        "SELECT root_id, state, skip, documents, chunks, embeddable FROM document_tally WHERE documents > 0"
    ):
        tallies.setdefault(root_id, []).append((tally[0], tally[1], tally[2], tally[3], tally[4]))
    queued: dict[int, dict[str, int]] = {}
    for root_id, space, count in connection.execute(
        "SELECT m.root_id, s.key, coalesce(q.queued, 0) FROM root_space m JOIN space s ON s.id = m.space_id "
        "LEFT JOIN queue_tally q ON q.root_id = m.root_id AND q.space_id = m.space_id WHERE m.open ORDER BY m.position"
    ):
        queued.setdefault(root_id, {})[space] = count
    roots = connection.execute("SELECT id, path, scanned_ns FROM root WHERE NOT removing ORDER BY path")
    return [
        _root_progress(root_id, path, scanned_ns, tallies.get(root_id, []), queued.get(root_id, {}))
        for root_id, path, scanned_ns in roots.fetchall()
    ]


def _root_progress(
    root_id: int,
    path: str,
    scanned_ns: int | None,
    tallies: list[tuple[str, str, int, int, int]],
    queued: dict[str, int],
) -> RootProgress:
    return RootProgress(
        root_id=root_id,
        path=path,
        scanned_ns=scanned_ns,
        documents=sum(documents for _, _, documents, _, _ in tallies),
        pending=sum(documents for state, _, documents, _, _ in tallies if state == "pending"),
        skipped={skip: documents for state, skip, documents, _, _ in tallies if state == "skipped"},
        chunks=sum(chunks for _, _, _, chunks, _ in tallies),
        embeddable=sum(embeddable for _, _, _, _, embeddable in tallies),
        queued=queued,
    )
