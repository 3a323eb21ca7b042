"""A database beside ``index.db`` that may be lost: where it proves damaged it is set aside and a new one begun, at the
start and while it is used, and whoever asked gets an answer from the new one.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from agentd.errors import StateDamagedError
from agentd.storage.connection import Connection, guarded, is_damaged, open_or_replace, transact, unusable
from agentd.storage.database_check import check_tables, checking
from agentd.storage.free_space import forget_pages, return_pages, truncate_log
from agentd.storage.rewriting import write_anew
from agentd.storage.set_aside import SQLITE_COMPANIONS, set_aside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")


class RenewableDatabase:
    """Made by ``RenewableDatabase.open``; everything in it runs on one thread."""

    def __init__(self, path: Path, thread: str, opener: Callable[[Path], sqlite3.Connection]) -> None:
        self._path = path
        self._thread = thread
        self._opener = opener
        self._connection: Connection
        self._renewing = asyncio.Lock()
        self._closed = False
        """The connection was given up; another one is made when it is needed next."""
        self._damage = ""
        """Why the file is to be set aside before that."""
        self._inode: tuple[int, int] | None = None
        """The file that is open."""

    @classmethod
    async def open(cls, path: Path, thread: str, opener: Callable[[Path], sqlite3.Connection]) -> RenewableDatabase:
        """Open the file at ``path`` by ``opener``, which makes it where it is missing.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read and written.
        """
        database = cls(path, thread, opener)
        database._connection = await Connection.open(thread, database._connect)
        return database

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._connection.close()

    async def run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """``function(connection, ...)`` in a transaction; where the file proves damaged, once more on the new one.

        Raises:
            StateUnusableError: it cannot be read or written now.
        """
        connection = await self._sound()
        try:
            return await connection.run(transact, function, *args, **kwargs)
        except sqlite3.Error as error:
            if not is_damaged(error):
                raise unusable(self._path, error) or error from error
            await self._give_up(connection, str(error))
        return await (await self._sound()).run(transact, function, *args, **kwargs)

    async def check(self) -> None:
        """Read the whole file, beside everybody else, and replace it where it is damaged.

        Raises:
            StateUnusableError: it cannot be read.
        """
        connection = await self._sound()
        try:
            async with checking(self._path) as checker:
                await check_tables(checker, self._path)
        except StateDamagedError as error:
            await self._give_up(connection, error.message)

    async def stay_in_place(self) -> None:
        """Go on with what lies at the path now, where that is not the file that is open: SQLite would write on into one
        that was deleted, and all of that would be lost at the end.
        """
        connection = await self._sound()
        if await asyncio.to_thread(_inode, self._path) != self._inode:
            await self._give_up(connection, "")

    async def give_back(self) -> None:
        """Give free pages and the write-ahead log back to the disk, in steps between which others write. The log holds
        what was deleted since it was begun.
        """
        connection = await self._sound()
        while await connection.run(guarded, self._path, return_pages, 0):
            pass
        await connection.run(guarded, self._path, truncate_log)

    async def write_anew(self) -> None:
        """Rid the unused space of the file of what was deleted, and empty its log.

        Raises:
            StateUnusableError: the disk has no room for a second copy, say; the file is as it was.
        """
        connection = await self._sound()
        await connection.run(guarded, self._path, lambda _connection: write_anew(self._path))
        await connection.run(guarded, self._path, truncate_log)

    async def shrink_memory(self) -> None:
        """Let go of the pages cached in memory."""
        connection = await self._sound()
        await connection.run(guarded, self._path, forget_pages)

    async def _sound(self) -> Connection:
        """The connection, to a new file where the old one proved damaged; tried anew where the disk was full."""
        async with self._renewing:
            if self._closed:
                self._connection = await Connection.open(self._thread, self._connect)
                self._closed = False
            return self._connection

    async def _give_up(self, connection: Connection, damage: str) -> None:
        # Several calls may have met the damage; the first one counts.
        async with self._renewing:
            if self._connection is connection and not self._closed:
                self._closed, self._damage = True, damage
                await connection.close()

    def _connect(self) -> sqlite3.Connection:
        """Runs on the thread of the connection."""
        if self._damage:
            set_aside(self._path, self._damage, SQLITE_COMPANIONS)
            self._damage = ""
        connection, _ = open_or_replace(self._path, self._opener)
        self._inode = _inode(self._path)
        return connection


def delete_database(path: Path) -> None:
    """Delete a database that nobody has open, with what lies beside it; what is missing needs no deleting, and what
    resists is left to the next time.
    """
    for end in (*SQLITE_COMPANIONS, ""):
        with suppress(OSError):
            path.with_name(path.name + end).unlink()


def _inode(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        found = os.stat(path)  # noqa: PTH116  # no object for two numbers
        return found.st_dev, found.st_ino
    return None
