"""Following edges from file to file, in short steps that anything may come between.

What is stored or removed puts documents into ``link_queue`` and news into ``link_news`` (storage/structure.py). A step
takes some of one or the other, in this order, which makes every phase a function of what the ones before have left for
*all* documents, so that linking bit by bit ends where linking from scratch ends:

1. news (storage/link_news.py): whom do names, modules and bases that came or went concern? They are queued again;
2. phase MODULES (storage/link_modules.py): keys of modules -> documents;
3. phase BASES (storage/link_targets.py): what imports bind and classes derive from;
4. phase CALLS (the same): calls, which may need imports and bases of any document on their way.

A document goes through the phases from the one it is queued for. What a phase changes in imports or bases is news.
The queue is in the database, and a step is one transaction: it happens whole or not at all.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from agentd.storage.codes import CALLS, IMPORTS, INHERITS
from agentd.storage.link_modules import link_modules
from agentd.storage.link_news import spread_news
from agentd.storage.link_targets import link_targets
from agentd.storage.removal import batches

if TYPE_CHECKING:
    import sqlite3

    from agentd.storage.database import Database

MODULES, BASES, CALLED = range(3)
"""The phases, in their order."""

NEXT_PHASE = "SELECT min(phase) FROM link_queue"
NEXT_DOCUMENTS = """
SELECT q.document_id, (SELECT count(*) FROM edge e WHERE e.document_id = q.document_id) FROM link_queue q
    WHERE q.phase = ? ORDER BY q.document_id
"""


class LinkQueue:
    """The work of the linker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def step(self, limit: int) -> tuple[int, float]:
        """Do a step; returns how many documents or news it was, 0 where nothing is left to do, and the seconds that
        the writer took. ``limit`` bounds the edges of the documents, but one is always taken.
        """
        return await self._database.write(_timed, limit)

    async def pending(self) -> int:
        """How many documents are to be linked; at least 1 where there is news, which may turn out to concern none."""
        return await self._database.read_bulk(_pending)


def _timed(connection: sqlite3.Connection, limit: int) -> tuple[int, float]:
    began = time.monotonic()
    return link(connection, limit), time.monotonic() - began


def link(connection: sqlite3.Connection, limit: int) -> int:
    """One step, for documents with at most ``limit`` edges in all (but always one), or as much news; returns how many
    it was, 0 where nothing is left to do.
    """
    if news := spread_news(connection, limit):
        return news
    (phase,) = connection.execute(NEXT_PHASE).fetchone()
    if phase is None:
        return 0
    documents = next(batches(connection.execute(NEXT_DOCUMENTS, (phase,)), limit))
    ids = json.dumps(documents)
    if phase == MODULES:
        link_modules(connection, ids)
    else:
        link_targets(connection, ids, (IMPORTS, INHERITS) if phase == BASES else (CALLS,))
    _advance(connection, ids, phase)
    return len(documents)


def _advance(connection: sqlite3.Connection, ids: str, phase: int) -> None:
    if phase == CALLED:
        connection.execute("DELETE FROM link_queue WHERE document_id IN (SELECT value FROM json_each(?))", (ids,))
    else:
        moved = "UPDATE link_queue SET phase = ? WHERE document_id IN (SELECT value FROM json_each(?))"
        connection.execute(moved, (phase + 1, ids))
    passed = "UPDATE document SET level = ?1 WHERE level < ?1 AND id IN (SELECT value FROM json_each(?2))"
    connection.execute(passed, (phase + 1, ids))


def _pending(connection: sqlite3.Connection) -> int:
    sql = "SELECT (SELECT count(*) FROM link_queue), EXISTS (SELECT 1 FROM link_news)"
    documents, news = connection.execute(sql).fetchone()
    return max(int(documents), int(news))
