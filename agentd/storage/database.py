"""``index.db``: one writer, one reader for queries and one for indexing beside it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Concatenate, NamedTuple, ParamSpec, TypeVar

from agentd.errors import StateDamagedError
from agentd.storage.clock import Clock
from agentd.storage.connection import Connection, connect, guarded, open_or_replace, transact
from agentd.storage.database_check import check_tables, check_texts, checking
from agentd.storage.free_space import forget_pages, return_pages, truncate_log
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

    def __init__(self, path: Path, writer: Connection, identity: _Identity, renewed: str) -> None:
        self.path = path
        self.epoch = identity.epoch
        self.renewed = renewed
        """What was wrong with the file that this one took the place of; ``""`` for an ordinary one."""
        self.upgraded_from = identity.upgraded_from
        """The version that is being upgraded from, until ``finish_upgrade``; 0 for none."""
        self.newest_chunk = identity.newest_chunk
        """The greatest chunk id given so far, at the time of opening."""
        self.damage: asyncio.Future[StateDamagedError] = asyncio.get_running_loop().create_future()
        """Done once damage was met: what is open is of no use any more."""
        self.suspect = asyncio.Event()
        """Set when a statement fails that cannot fail on a sound file."""
        self.generation = Clock(identity.generation)
        self.commits = Clock()
        self._changes_seen = 0
        self._changes_folded = 0
        """Rows that had been changed at the last round of maintenance, and when one last emptied the log. Only for the
        writer's thread.
        """
        self._writer = writer
        self._queries = writer
        self._indexing = writer
        self._loop = asyncio.get_running_loop()
        self._files: list[tuple[int, int]] = []
        """Of the database and its log, as they were opened."""

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open the database at ``path``, made or migrated where needed, set aside and made anew where damaged.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateDamagedError: damaged where opening does not look first.
            StateUnusableError: another program's, or not readable and writable.
        """
        opener = _WriterOpener(path)
        writer = await Connection.open("agentd-writer", opener)
        try:
            database = cls(path, writer, await writer.run(guarded, path, _identity), opener.renewed)
            await database._open_readers()
            database._files = await asyncio.to_thread(_inodes, path)
        except BaseException:
            await writer.close()
            raise
        return database

    async def _open_readers(self) -> None:
        self._queries = await Connection.open("agentd-queries", partial(_open_reader, self.path))
        self._queries.interruptible = True
        try:
            self._indexing = await Connection.open("agentd-indexing", partial(_open_reader, self.path))
            self._indexing.interruptible = True
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
        return await self._noting(self._writer.run(self._transact, function, *args, **kwargs))

    async def read(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``function(connection, ...)`` on the reader for queries: short reads that somebody waits for."""
        return await self._noting(self._queries.run(guarded, self.path, function, *args, **kwargs))

    async def read_bulk(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``function(connection, ...)`` on the reader for indexing, views and totals."""
        return await self._noting(self._indexing.run(guarded, self.path, function, *args, **kwargs))

    async def _noting(self, result: asyncio.Future[R]) -> R:
        """The result; where it is damage, those who wait for ``damage`` learn of it."""
        try:
            return await result
        except StateDamagedError as error:
            self.note_damage(error)
            raise
        except sqlite3.Error:
            self.suspect.set()
            raise

    def note_damage(self, error: StateDamagedError) -> None:
        """Say that the file is damaged; only the first to say so is heard."""
        if not self.damage.done():
            self.damage.set_result(error)

    def check_in_place(self) -> None:
        """See that what is open is still what lies at ``path``: SQLite goes on with a file or a log that was deleted or
        replaced, and all that is written there is lost at the end. For any thread.

        Raises:
            StateDamagedError: it is not.
        """
        if _inodes(self.path) != self._files:
            raise StateDamagedError(f"The state file {self.path} or its log was deleted or replaced while in use.")

    async def answers(self) -> None:
        """Wait for the writer's turn, with nothing to do there: returns as long as its thread moves, full disk or not.

        Raises:
            ShuttingDownError: it is closed.
        """
        await self._writer.run(lambda _connection: None)

    async def maintain(self) -> None:
        """Give some free pages back to the disk, and once nothing has been written since the last round empty the
        write-ahead log, which holds what was deleted since it was begun. Cheap, made for every round of maintenance.
        """
        await self._writer.run(guarded, self.path, return_pages, FREE_PAGES_KEPT)
        await self._writer.run(guarded, self.path, self._fold_when_quiet)

    def _fold_when_quiet(self, connection: sqlite3.Connection) -> None:
        before, self._changes_seen = self._changes_seen, connection.total_changes
        if before == self._changes_seen != self._changes_folded:
            truncate_log(connection)
            self._changes_folded = self._changes_seen

    async def give_back(self) -> None:
        """Give every free page and the write-ahead log back to the disk, in steps between which others write."""
        while await self._writer.run(guarded, self.path, return_pages, 0):
            pass
        await self.truncate_log()

    async def shrink_memory(self) -> None:
        """Let go of the pages cached in memory."""
        for connection in (self._writer, self._queries, self._indexing):
            await connection.run(guarded, self.path, forget_pages)

    async def truncate_log(self) -> None:
        """Fold the write-ahead log into the file and empty it, so that deleted text does not linger there."""
        await self._writer.run(guarded, self.path, truncate_log)

    async def write_anew(self, rewrite: Callable[[Path], None]) -> None:
        """Run ``rewrite`` while nothing else is written: in the writer's turn, on a connection that it opens itself.

        Raises:
            StateUnusableError: disk full, or in use by another process; the file is as it was.
        """
        await self._noting(self._writer.run(guarded, self.path, lambda _connection: rewrite(self.path)))

    async def check(self) -> None:
        """Read the whole file, beside readers and writers, and compare what must be equal.

        Raises:
            StateDamagedError: it is damaged; ``damage`` is done.
        """
        try:
            async with checking(self.path) as checker:
                await check_tables(checker, self.path)
                if not self.upgraded_from:  # an older agentd may have hashed other texts
                    await check_texts(checker, self.path)
        except StateDamagedError as error:
            self.note_damage(error)
            raise

    async def finish_upgrade(self) -> None:
        """Note that everything that a migration queued has been done."""
        if self.upgraded_from:
            await self.write(_finish_upgrade)
            self.upgraded_from = 0

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

        result, generation = guarded(connection, self.path, lambda within: transact(within, body))
        self._loop.call_soon_threadsafe(self._committed, generation)
        return result

    def _committed(self, generation: int) -> None:
        self.generation.advance(generation)
        self.commits.advance(self.commits.value + 1)


def _inodes(path: Path) -> list[tuple[int, int]]:
    """Which files lie where the database and its log should; fewer where one is missing."""
    found = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(FileNotFoundError):
            status = file.stat()
            found.append((status.st_dev, status.st_ino))
    return found


def current_generation(connection: sqlite3.Connection) -> int:
    """The generation of the newest change, also where its row has been trimmed."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'feed'").fetchone()
    return int(row[0]) if row else 0


class _WriterOpener:
    """Opens the writer on its thread. ``renewed`` says what was wrong where a new file had to be made."""

    def __init__(self, path: Path) -> None:
        self.renewed = ""
        self._path = path

    def __call__(self) -> sqlite3.Connection:
        connection, self.renewed = open_or_replace(self._path, _open_writer)
        return connection


def _open_writer(path: Path) -> sqlite3.Connection:
    connection = connect(path, cache_kib=WRITER_CACHE_KIB)
    try:
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _open_reader(path: Path) -> sqlite3.Connection:
    connection = connect(path, cache_kib=READER_CACHE_KIB)
    connection.execute("PRAGMA query_only = ON")
    return connection


class _Identity(NamedTuple):
    """What a database says of itself when it is opened."""

    epoch: str
    generation: int
    newest_chunk: int
    upgraded_from: int


def _identity(connection: sqlite3.Connection) -> _Identity:
    (epoch,) = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    upgraded = connection.execute("SELECT value FROM meta WHERE key = 'upgraded_from'").fetchone() or (0,)
    newest = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunk'").fetchone() or (0,)
    return _Identity(str(epoch), current_generation(connection), int(newest[0]), int(upgraded[0]))


def _finish_upgrade(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM meta WHERE key = 'upgraded_from'")
