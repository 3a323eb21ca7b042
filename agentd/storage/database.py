"""``index.db``: one writer, one reader for queries and one for indexing beside it."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from agentd.errors import StateUnusableError
from agentd.storage.clock import Clock
from agentd.storage.connection import Connection, connect, transact, unusable
from agentd.storage.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

WRITER_CACHE_KIB = 8192
READER_CACHE_KIB = 4096

FREE_PAGES_KEPT = 1024
"""Free pages (8 MiB) kept for what is written next; more than that goes back to the disk bit by bit."""


class Database:
    """The connections, and the two clocks that every commit may move.

    ``generation`` is that of the newest change in the feed; ``commits`` counts commits since the start, for those who
    wait for anything else to be written. Queries have a reader of their own, so that they never wait behind a scan.
    """

    def __init__(self, path: Path, writer: Connection, epoch: str, generation: int) -> None:
        self.path = path
        self.epoch = epoch
        self.generation = Clock(generation)
        self.commits = Clock()
        self._writer = writer
        self._queries = writer
        self._indexing = writer
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open the database at ``path``, made or migrated where needed.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: no database, another program's, damaged, or not readable and writable.
        """
        writer = await Connection.open("agentd-writer", partial(_open_writer, path))
        try:
            epoch, generation = await writer.run(_identity, path)
            database = cls(path, writer, epoch, generation)
            await database._open_readers()
        except BaseException:
            await writer.close()
            raise
        return database

    async def _open_readers(self) -> None:
        self._queries = await Connection.open("agentd-queries", partial(_open_reader, self.path))
        try:
            self._indexing = await Connection.open("agentd-indexing", partial(_open_reader, self.path))
        except BaseException:
            await self._queries.close()
            raise

    async def close(self) -> None:
        """Finish what was asked for and close; the last connection folds the write-ahead log into the file."""
        for connection in (self._queries, self._indexing, self._writer):
            await connection.close()

    async def write(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``function(connection, ...)`` in a transaction on the writer; when this returns, it is kept.

        Writes run one after the other, in the order asked for. Cancelled, the transaction happens whole or not at all.

        Raises:
            StateUnusableError: disk full, read-only or damaged; nothing of the transaction was kept.
        """
        return await self._writer.run(self._transact, function, *args, **kwargs)

    async def read(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``function(connection, ...)`` on the reader for queries: short reads that somebody waits for."""
        return await self._queries.run(_guarded, self.path, function, *args, **kwargs)

    async def read_bulk(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``function(connection, ...)`` on the reader for indexing, views and totals."""
        return await self._indexing.run(_guarded, self.path, function, *args, **kwargs)

    async def maintain(self) -> None:
        """Give some free pages back to the disk. Cheap, made for every round of maintenance."""
        await self._writer.run(_guarded, self.path, _shrink)

    async def truncate_log(self) -> None:
        """Fold the write-ahead log into the file and empty it, so that deleted text does not linger there."""
        await self._writer.run(_guarded, self.path, _truncate_log)

    async def check(self) -> None:
        """Read the whole file and verify its structure: seconds on a large index.

        Raises:
            StateUnusableError: it is damaged.
        """
        found = await self.read_bulk(_quick_check)
        if found != "ok":
            message = f"The state file {self.path} is damaged ({found}); stop the daemon and delete it."
            raise StateUnusableError(message, path=str(self.path))

    def _transact(
        self,
        connection: sqlite3.Connection,
        function: Callable[Concatenate[sqlite3.Connection, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Runs on the writer's thread; the clocks move on the loop before the caller goes on."""

        def body(within: sqlite3.Connection) -> tuple[R, int]:
            return function(within, *args, **kwargs), current_generation(within)

        result, generation = _guarded(connection, self.path, lambda within: transact(within, body))
        self._loop.call_soon_threadsafe(self._committed, generation)
        return result

    def _committed(self, generation: int) -> None:
        self.generation.advance(generation)
        self.commits.advance(self.commits.value + 1)


def _guarded(
    connection: sqlite3.Connection,
    path: Path,
    function: Callable[Concatenate[sqlite3.Connection, P], R],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    try:
        return function(connection, *args, **kwargs)
    except sqlite3.Error as error:
        translated = unusable(path, error)
        if translated is None:
            raise
        raise translated from error


def current_generation(connection: sqlite3.Connection) -> int:
    """The generation of the newest change, also where its row has been trimmed."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'feed'").fetchone()
    return int(row[0]) if row else 0


def _open_writer(path: Path) -> sqlite3.Connection:
    try:
        connection = connect(path, cache_kib=WRITER_CACHE_KIB)
        try:
            migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise unusable(path, error) or error from error
    return connection


def _open_reader(path: Path) -> sqlite3.Connection:
    connection = connect(path, cache_kib=READER_CACHE_KIB)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _identity(connection: sqlite3.Connection, path: Path) -> tuple[str, int]:
    return _guarded(connection, path, _epoch), current_generation(connection)


def _epoch(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])


def _shrink(connection: sqlite3.Connection) -> None:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free > FREE_PAGES_KEPT:
        # 512 pages are 4 MiB, some 10 ms of the writer.
        connection.execute("PRAGMA incremental_vacuum(512)").fetchall()


def _truncate_log(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _quick_check(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
