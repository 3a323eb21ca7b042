"""What removed roots leave behind in files that are still in use, and how it goes.

SQLite overwrites what is deleted (``secure_delete``), but pages that were rearranged before keep old copies in their
unused space, until the file is written anew (VACUUM). A segment of the keyword index keeps the words of deleted rows
until all its rows are deleted: so every document that is left is fed to the views once more, as if it had changed.
Copies that were set aside as damaged go, too. That a root was removed is noted with the removal itself, so that a crash
puts this off and no more.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from agentd.storage.feed import feed_live
from agentd.storage.rewriting import write_anew

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agentd.storage.database import Database

BATCH_SIZE = 1000
"""Documents fed in one transaction."""


class Purge:
    """The part of it that is in ``index.db``. ``asked`` is set while a removed root may have left something."""

    def __init__(self, database: Database) -> None:
        self.asked = asyncio.Event()
        self._database = database

    async def look(self) -> None:
        """Set ``asked`` where the database says so: after a removal, and after a start."""
        if await self._database.read(_removals):
            self.asked.set()

    async def feed_all(self) -> int:
        """Feed every document that has text once more; the generation at which views have written all of them anew."""
        after = 0
        while batch := await self._database.read_bulk(_with_text, after):
            await self._database.write(feed_again, batch)
            after = batch[-1]
        return self._database.generation.value

    async def rewrite(self) -> None:
        """Write the file anew, empty its log, and note that it is done; other writes wait meanwhile, reads do not.

        Raises:
            StateUnusableError: the disk has no room for a second copy, say; try again later.
        """
        removals = await self._database.read(_removals)
        await self._database.write_anew(write_anew)
        await self._database.write(_done, removals)
        await self._database.truncate_log()
        self.asked.clear()
        await self.look()  # there may have been another removal meanwhile


def feed_again(connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
    """Feed documents whose ids were read a moment ago. Those removed since stay marked as gone, or the feed would keep
    them for ever.
    """
    found = connection.execute(
        "SELECT d.id FROM json_each(?) j CROSS JOIN document d ON d.id = j.value", (json.dumps(document_ids),)
    ).fetchall()
    feed_live(connection, [document_id for (document_id,) in found])


def note_removal(connection: sqlite3.Connection) -> None:
    """Count, within the transaction that begins a removal, what may have left something behind."""
    connection.execute("INSERT INTO meta VALUES ('purge', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1")


def _removals(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT value FROM meta WHERE key = 'purge'").fetchone()
    return int(found[0]) if found else 0


def _done(connection: sqlite3.Connection, removals: int) -> None:
    """Forget the count, unless there were more removals since it was read."""
    connection.execute("DELETE FROM meta WHERE key = 'purge' AND value = ?", (removals,))


def _with_text(connection: sqlite3.Connection, after: int) -> list[int]:
    rows = connection.execute(
        "SELECT id FROM document WHERE id > ? AND chunks > 0 ORDER BY id LIMIT ?", (after, BATCH_SIZE)
    )
    return [document_id for (document_id,) in rows]
