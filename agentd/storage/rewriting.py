"""A database written anew: SQLite overwrites what is deleted, but unused space of pages that were rearranged before
keeps old copies (VACUUM, https://sqlite.org/lang_vacuum.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.storage.connection import connect

if TYPE_CHECKING:
    from pathlib import Path

CACHE_KIB = 4096


def write_anew(path: Path) -> None:
    """On a connection of its own: the others keep what is temporary in memory, and here that is the whole file.

    Raises:
        sqlite3.Error: the disk has no room for a second copy, say; the file is as it was.
    """
    connection = connect(path, cache_kib=CACHE_KIB)
    try:
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("VACUUM")
    finally:
        connection.close()
