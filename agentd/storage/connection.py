"""One SQLite connection on one thread, and what its failures mean to the person who runs the daemon."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import aiosqlite

from agentd.errors import ShuttingDownError, StateDamagedError, StateUnusableError
from agentd.storage.set_aside import SQLITE_COMPANIONS, set_aside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

BUSY_TIMEOUT_MS = 5000

STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine, a millisecond or so, between two looks at whether anybody still waits for the answer."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CUT_SHORT = sqlite3.SQLITE_IOERR_SHORT_READ
"""The file or its log ends before what stands in it: no trouble of the disk that would pass."""

_NO_TEXT = "Could not decode to UTF-8"
"""Said by the sqlite3 module, without a code. All that is stored was text."""

_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space, nothing that was acknowledged is lost",
    sqlite3.SQLITE_IOERR: "the disk refused to read or write: check its space, quota and health",
    sqlite3.SQLITE_READONLY: "it is read-only: make the file and its directory writable for this user",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: its directory must exist and be writable for this user",
    sqlite3.SQLITE_PERM: "access is denied: make the file and its directory writable for this user",
    sqlite3.SQLITE_BUSY: "another process holds it: stop whatever else has it open",
    sqlite3.SQLITE_CORRUPT: "it is damaged: it is set aside and built again",
}


class Connection(aiosqlite.Connection):
    """An aiosqlite connection that runs whole functions on its thread.

    A transaction is one function, so that it costs one trip to the thread instead of one a statement, and so that a
    task cancelled in the middle cannot leave it half done.
    """

    def __init__(self, name: str, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.name = name
        # A loop that died without closing its connections must not keep the process alive.
        self._thread.daemon = True
        self._stopped: asyncio.Future[object] | None = None
        self.interruptible = False
        """Whether what runs ends where its caller has gone away. For reads alone: a write that was begun is ended."""

    def stop(self) -> asyncio.Future[object] | None:
        """End the thread; the future is done when it has."""
        self._stopped = super().stop()
        return self._stopped

    @classmethod
    async def open(cls, name: str, connector: Callable[[], sqlite3.Connection]) -> Connection:
        """Start the thread and connect; raises what ``connector`` raises."""
        connection = cls(name, connector)
        try:
            await connection
        except BaseException:
            # The thread still has to report its end to this loop, which must not be gone by then.
            if connection._stopped is not None:
                await connection._stopped
            raise
        return connection

    def run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[R]:
        """Run ``function(connection, ...)`` after what was asked for before; cancelled before its turn, it is skipped.

        Raises:
            ShuttingDownError: the connection is closed.
        """
        if not self._running or self._connection is None:
            raise ShuttingDownError("The index is closed because the daemon is stopping.")
        connection = self._connection
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()

        def call() -> R | None:
            if future.cancelled():
                return None
            if self.interruptible:
                connection.set_progress_handler(future.cancelled, STEPS_BETWEEN_LOOKS)
            return function(connection, *args, **kwargs)

        self._tx.put_nowait((future, call))
        return future


def connect(path: Path, *, cache_kib: int) -> sqlite3.Connection:
    """Connect to the file at ``path``, made with mode 0600 where missing. Transactions are begun by hand.

    Raises:
        StateDamagedError: something else lies in its place.
        StateUnusableError: the file or its directory cannot be used.
        sqlite3.Error: it is no database, or damaged.
    """
    for suffix in ("", *SQLITE_COMPANIONS):
        file = path.with_name(path.name + suffix)
        if file.exists() and not file.is_file():
            raise StateDamagedError(f"{file} is no file; expected a database", path=str(file))
    try:
        _make_writable(path)
    except OSError as error:
        message = f"The state file {path} cannot be opened for writing: {error.strerror}. Make its directory writable."
        raise StateUnusableError(message, path=str(path)) from error
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        _configure(connection, cache_kib)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_writable(path: Path) -> None:
    """Make the file where it is missing; SQLite gives its -wal and -shm the same mode.

    One that is there is never opened here: to close any descriptor of it takes from all connections of this process the
    locks by which another program's connection, when it closes, knows that it must leave the log alone
    (https://sqlite.org/howtocorrupt.html, 2.2).

    Raises:
        OSError: it cannot be made, or not be read and written.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            reason = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(reason, os.strerror(reason)) from None


def _configure(connection: sqlite3.Connection, cache_kib: int) -> None:
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        # Chunks of some 1,500 bytes fill pages of 8 KiB better: a file smaller by a fifth, and faster writes. Like
        # auto_vacuum, the size counts only before the first table.
        "page_size = 8192",
        "auto_vacuum = INCREMENTAL",
        "journal_mode = WAL",
        "synchronous = NORMAL",  # with WAL no kill of the process loses a commit
        "foreign_keys = ON",
        "secure_delete = ON",  # a root that is removed leaves no text behind in free pages
        "temp_store = MEMORY",
        "wal_autocheckpoint = 2000",  # every 16 MiB; at SQLite's 4 MiB bulk writes are slower by half
        "journal_size_limit = 33554432",
        f"cache_size = -{cache_kib}",
        # Mapped pages would count as the daemon's own memory, and reads here are short: the page cache does.
        "mmap_size = 0",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def open_or_replace(path: Path, opener: Callable[[Path], sqlite3.Connection]) -> tuple[sqlite3.Connection, str]:
    """What ``opener`` makes of ``path``, and ``""``; or, where that is damaged, of a new file, and what was wrong with
    the old one, which is set aside.

    Raises:
        StateNewerError: a newer agentd wrote it.
        StateUnusableError: it cannot be used, for reasons that a new file would not mend.
    """
    try:
        try:
            return opener(path), ""
        except sqlite3.Error as error:
            if not is_damaged(error):
                raise
            reason = str(error)
        except StateDamagedError as error:
            reason = error.message
        set_aside(path, reason, SQLITE_COMPANIONS)
        return opener(path), reason
    except sqlite3.Error as error:
        raise unusable(path, error) or error from error


def transact(
    connection: sqlite3.Connection,
    function: Callable[Concatenate[sqlite3.Connection, P], R],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Run ``function`` in one transaction: all of it is kept, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = function(connection, *args, **kwargs)
        connection.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite has rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def guarded(
    connection: sqlite3.Connection,
    path: Path,
    function: Callable[Concatenate[sqlite3.Connection, P], R],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """``function(connection, ...)``, with the errors of SQLite in words.

    Raises:
        StateDamagedError: the file is damaged.
        StateUnusableError: disk full, read-only or broken.
        sqlite3.Error: a fault of ours in the SQL, or the kind of damage that looks like one.
    """
    try:
        return function(connection, *args, **kwargs)
    except sqlite3.Error as error:
        translated = unusable(path, error)
        if translated is None:
            raise
        raise translated from error


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file's content is the trouble, rather than the disk or the permissions."""
    cut_short = getattr(error, "sqlite_errorcode", None) == _CUT_SHORT
    return cut_short or _primary_code(error) in _DAMAGED or str(error).startswith(_NO_TEXT)


def unusable(path: Path, error: sqlite3.Error) -> StateUnusableError | None:
    """``error`` for the person who runs the daemon, or None where it is a fault of ours in the SQL."""
    damaged = is_damaged(error)
    advice = _ADVICE[sqlite3.SQLITE_CORRUPT] if damaged else _ADVICE.get(_primary_code(error))
    if advice is None:
        return None
    kind = StateDamagedError if damaged else StateUnusableError
    return kind(f"The state file {path} cannot be used ({error}); {advice}.", path=str(path))


def _primary_code(error: sqlite3.Error) -> int:
    """The low byte of an extended result code is the primary one (https://sqlite.org/rescode.html)."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
