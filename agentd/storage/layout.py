"""The layout of a database that knows one version of itself: made in a new file, and held against one that is there."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from agentd.errors import StateDamagedError, StateNewerError
from agentd.storage.connection import connect

if TYPE_CHECKING:
    from pathlib import Path


class Layout(NamedTuple):
    """``schema`` is SQL that makes the tables, ``columns`` a SELECT that fails where one of them is missing, and
    ``without`` says what is lost with the file. ``cache_kib`` is for pages in memory.
    """

    version: int
    schema: str
    columns: str
    without: str
    cache_kib: int


def open_layout(path: Path, layout: Layout) -> sqlite3.Connection:
    """Connect, and make the tables in a new file.

    Raises:
        StateNewerError: a newer agentd wrote it.
        StateDamagedError: its tables are not ours.
        StateUnusableError: the file or its directory cannot be used.
        sqlite3.DatabaseError: damaged.
    """
    connection = connect(path, cache_kib=layout.cache_kib)
    try:
        _prepare(connection, path, layout)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, layout: Layout) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (version, tables) == (0, 0):
        connection.executescript(f"BEGIN IMMEDIATE;\n{layout.schema}\nPRAGMA user_version = {layout.version};\nCOMMIT;")
    elif version > layout.version:
        raise StateNewerError(
            f"The state file {path} has version {version}, and this agentd knows versions up to {layout.version}. "
            f"Run the newer agentd that wrote it, or delete the file: {layout.without} then.",
            path=str(path),
        )
    try:
        connection.execute(f"{layout.columns} LIMIT 0")
    except sqlite3.OperationalError as error:
        raise StateDamagedError(f"The state file {path} has other tables than expected ({error}).") from error


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the file takes, free pages left out."""
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int((pages - free) * page_size)
