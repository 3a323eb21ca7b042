"""Bringing the list of documents in line with a walk over the disk.

Pages of a walk are compared with what is known as they come: what is new or changed becomes pending at once, so
parsing starts while the walk still runs. Only the end of the walk shows what is gone. A walk over an unchanged tree
writes nothing.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from agentd.storage.removal import batches, drop_chunks, remove_documents
from agentd.storage.roots import require_root
from agentd.storage.rows import ScanResult

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from agentd.kernels.messages import FileEntry, WalkPage
    from agentd.storage.database import Database


class Scan(Struct, eq=False):
    """A walk in progress over ``prefixes`` of a root. ``seen`` has one byte for each document id known at its begin;
    ``room`` counts the documents that the root may still take in, from the first new one on.
    """

    root_id: int
    prefixes: set[str]
    seen: bytearray
    max_documents: int
    room: int | None = None
    root_missing: bool = False
    total: int = 0
    new: int = 0
    changed: int = 0
    left_out: int = 0

    def unseen(self, document_id: int) -> bool:
        """Whether the document was known when the walk began and has not been met since."""
        return document_id < len(self.seen) and not self.seen[document_id]

    def see(self, document_ids: Iterable[int]) -> None:
        """Note documents that are on disk; later ids need no note, for ``unseen`` never names them."""
        for document_id in document_ids:
            if document_id < len(self.seen):
                self.seen[document_id] = 1


class Scans:
    """Scans of any number of roots, side by side.

    Scans of one root may overlap: what one of them meets is never removed by another that was begun before.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: list[Scan] = []

    async def begin(self, root_id: int, prefixes: Sequence[str] = ("",), max_documents: int = sys.maxsize) -> Scan:
        """Begin a walk over ``prefixes`` (files or directories relative to the root; ``""`` is all of it).

        New files are left out, and counted, once the root has ``max_documents``.

        Raises:
            RootNotFoundError: no such root.
        """
        newest = await self._database.read_bulk(_newest_document, root_id)
        scan = Scan(root_id, set(prefixes), bytearray(newest + 1), max_documents)
        self._open.append(scan)
        return scan

    async def page(self, scan: Scan, page: WalkPage) -> None:
        """Take in a page: new and changed files become pending, or skipped where the walk says so.

        Raises:
            RootNotFoundError: the root was removed meanwhile.
        """
        scan.root_missing |= page.root_missing
        scan.prefixes.update(page.missing)
        scan.total += len(page.entries)
        known = await self._database.read_bulk(_lookup, scan.root_id, [entry.path for entry in page.entries])
        seen = [document_id for document_id, _, _ in known.values()]
        for other in self._open:
            if other.root_id == scan.root_id:
                other.see(seen)
        fresh = await self._within_bound(scan, [entry for entry in page.entries if entry.path not in known])
        changed = [entry for entry in page.entries if entry.path in known and _differs(entry, known[entry.path])]
        if fresh or changed:
            await self._database.write(_take_in, scan.root_id, fresh + changed)
        scan.new += len(fresh)
        scan.changed += len(changed)

    async def _within_bound(self, scan: Scan, fresh: list[FileEntry]) -> list[FileEntry]:
        """As many new entries as the root has room for; what is removed makes room for the next scan."""
        if not fresh:
            return fresh
        if scan.room is None:
            scan.room = max(0, scan.max_documents - await self._database.read_bulk(_count_documents, scan.root_id))
        taken = fresh[: scan.room]
        scan.room -= len(taken)
        scan.left_out += len(fresh) - len(taken)
        return taken

    async def finish(self, scan: Scan) -> ScanResult:
        """Remove the documents below the scan's prefixes that the walk did not meet.

        Where the walk found no root at all, nothing is removed: an unmounted disk is no reason to forget a folder.
        """
        try:
            removed = 0 if scan.root_missing else await self._remove_unseen(scan)
            if "" in scan.prefixes and not scan.root_missing:
                await self._database.write(_scanned, scan.root_id, time.time_ns())
        finally:
            self.abort(scan)
        return ScanResult(scan.new, scan.changed, removed, scan.total, scan.left_out)

    def abort(self, scan: Scan) -> None:
        """End a walk early: nothing is removed; what it met stays noted, for it is on disk."""
        if scan in self._open:
            self._open.remove(scan)

    async def _remove_unseen(self, scan: Scan) -> int:
        removed = 0
        candidates = await self._database.read_bulk(_unseen, scan)
        for batch in batches(candidates):
            # Another scan may have met some of them since.
            ids = [document_id for document_id in batch if scan.unseen(document_id)]
            removed += await self._database.write(remove_documents, ids)
        return removed


def _differs(entry: FileEntry, known: tuple[int, str, str]) -> bool:
    return (entry.signature, entry.skip or "") != known[1:]


def _newest_document(connection: sqlite3.Connection, root_id: int) -> int:
    require_root(connection, root_id)
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM document").fetchone()[0])


def _count_documents(connection: sqlite3.Connection, root_id: int) -> int:
    return int(connection.execute("SELECT count(*) FROM document WHERE root_id = ?", (root_id,)).fetchone()[0])


def _lookup(connection: sqlite3.Connection, root_id: int, paths: Sequence[str]) -> dict[str, tuple[int, str, str]]:
    """Path -> (id, signature, the walk's reason to skip it) of those that are known."""
    rows = connection.execute(
        "SELECT d.path, d.id, d.signature, d.walk_skip "
        "FROM json_each(?) j CROSS JOIN document d ON d.root_id = ? AND d.path = j.value",
        (json.dumps(paths), root_id),
    )
    return {path: (document_id, signature, walk_skip) for path, document_id, signature, walk_skip in rows}


def _take_in(connection: sqlite3.Connection, root_id: int, entries: Sequence[FileEntry]) -> None:
    require_root(connection, root_id)
    connection.executemany(
        "INSERT INTO document (root_id, path, size, mtime_ns, signature, walk_skip, skip, state) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, iif(?6 = '', 'pending', 'skipped')) "
        # A parse that was stored since the page was compared may have made the entry old news.
        "ON CONFLICT (root_id, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, "
        "signature = excluded.signature, walk_skip = excluded.walk_skip, skip = excluded.skip, "
        "state = excluded.state, attempts = 0 "
        "WHERE (signature, walk_skip) <> (excluded.signature, excluded.walk_skip)",
        [(root_id, e.path, e.size, e.mtime_ns, e.signature, e.skip.value if e.skip else "") for e in entries],
    )
    skipped = _lookup(connection, root_id, [entry.path for entry in entries if entry.skip])
    drop_chunks(connection, [document_id for document_id, _, _ in skipped.values()])


def _unseen(connection: sqlite3.Connection, scan: Scan) -> list[tuple[int, int]]:
    """(id, number of chunks) of the documents below the prefixes that were not met, each once."""
    found: dict[int, int] = {}
    for prefix in scan.prefixes:
        below = _below(connection, scan.root_id, prefix)
        found.update((document_id, chunks) for document_id, chunks in below if scan.unseen(document_id))
    return list(found.items())


def _below(connection: sqlite3.Connection, root_id: int, prefix: str) -> Iterable[tuple[int, int]]:
    if not prefix:
        yield from connection.execute("SELECT id, chunks FROM document WHERE root_id = ?", (root_id,))
        return
    yield from connection.execute("SELECT id, chunks FROM document WHERE root_id = ? AND path = ?", (root_id, prefix))
    # "0" follows "/" in ASCII: the range holds exactly the paths that start with "prefix/". That itself is the entry of
    # a folder that could not be listed.
    yield from connection.execute(
        "SELECT id, chunks FROM document WHERE root_id = ? AND path >= ? AND path < ?",
        (root_id, f"{prefix}/", f"{prefix}0"),
    )


def _scanned(connection: sqlite3.Connection, root_id: int, now_ns: int) -> None:
    connection.execute("UPDATE root SET scanned_ns = ? WHERE id = ?", (now_ns, root_id))
