"""What a SQLite database can give back: free pages and the write-ahead log to the disk, cached pages to memory.

Functions of a connection, run on its thread, outside of a transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

STEP_PAGES = 512
"""4 MiB, some 10 ms of a writer: what others wait for at most."""


def return_pages(connection: sqlite3.Connection, keep: int) -> bool:
    """Return some free pages to the disk where there are more than ``keep``; whether a further step would return more.

    The file itself shrinks with the next checkpoint.
    """
    before = _free_pages(connection)
    if before <= keep:
        return False
    connection.execute(f"PRAGMA incremental_vacuum({min(STEP_PAGES, before - keep)})").fetchall()
    return keep < _free_pages(connection) < before


def truncate_log(connection: sqlite3.Connection) -> None:
    """Fold the write-ahead log into the file and empty it; what a reader still needs of it stays."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def forget_pages(connection: sqlite3.Connection) -> None:
    """Let go of cached pages that are not in use; they come back as they are read."""
    connection.execute("PRAGMA shrink_memory").fetchall()


def _free_pages(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])
