"""Finished answers, in ``answers.db``: a file of its own, because nothing can make it again when the index is rebuilt.

Where it proves damaged it is set aside, for a person to look at, and a new one begun.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from agentd.storage import answer_table as table
from agentd.storage.connection import Connection, guarded, is_damaged, open_or_replace, transact, unusable
from agentd.storage.free_space import return_pages, truncate_log
from agentd.storage.set_aside import SQLITE_COMPANIONS, set_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from agentd.storage.answer_table import AnswerHead

P = ParamSpec("P")
R = TypeVar("R")

SECONDS_A_DAY = 86_400
_THREAD = "agentd-answers"


class Answers:
    """Made by ``Answers.open``. An answer is bytes to this; ids sort as answers were made."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection
        self._replacing = asyncio.Lock()
        self._damage = ""
        """Why the connection was closed; a new file is made when it is needed next."""

    @classmethod
    async def open(cls, path: Path) -> Answers:
        """Open the file at ``path``, made where missing, set aside and made anew where damaged.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read and written.
        """
        return cls(path, await Connection.open(_THREAD, partial(_open_or_replace, path)))

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._connection.close()

    async def put(self, head: AnswerHead, roots: Collection[str], body: bytes) -> None:
        """Keep an answer that has to do with ``roots``; when this returns, no kill of the process loses it.

        Raises:
            StateUnusableError: it cannot be kept.
        """
        await self._run(table.put, head, roots, body)

    async def get(self, answer_id: str) -> bytes | None:
        """The answer of that id."""
        return await self._run(table.get, answer_id)

    async def newest(self, before: str = "", limit: int = 20) -> list[AnswerHead]:
        """The newest answers, those made before the one with the id ``before``."""
        return await self._run(table.newest, before, limit)

    async def count(self) -> int:
        """How many are kept."""
        return await self._run(table.count)

    async def forget_other_roots(self, known: Sequence[str]) -> int:
        """Delete every answer that was made from, or about, a root which is not ``known``, and its bytes; returns how
        many.
        """
        gone = await self._run(table.forget_other_roots, known)
        if gone:
            await self._give_back()
        return gone

    async def purge(self, keep_days: int, keep_count: int, now: float | None = None) -> int:
        """Delete what is older than ``keep_days`` and all but the newest ``keep_count``; returns how many."""
        since = (time.time() if now is None else now) - keep_days * SECONDS_A_DAY
        gone = await self._run(table.purge, since, keep_count)
        if gone:
            await self._give_back()
        return gone

    async def _give_back(self) -> None:
        """Give free pages and the log back: the log holds the deleted text, which is overwritten in the file alone."""
        connection = await self._sound_connection()
        while await connection.run(guarded, self._path, return_pages, 0):
            pass
        await connection.run(guarded, self._path, truncate_log)

    async def _run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run in a transaction; where the file proves damaged, once more on the new one that takes its place."""
        connection = await self._sound_connection()
        try:
            return await connection.run(transact, function, *args, **kwargs)
        except sqlite3.Error as error:
            if not is_damaged(error):
                raise unusable(self._path, error) or error from error
            await self._give_up(connection, str(error))
        return await (await self._sound_connection()).run(transact, function, *args, **kwargs)

    async def _give_up(self, damaged: Connection, reason: str) -> None:
        # Several calls may have met the damage; the first one counts.
        async with self._replacing:
            if self._connection is damaged and not self._damage:
                self._damage = reason
                await damaged.close()

    async def _sound_connection(self) -> Connection:
        """The connection, to a new file where the old one proved damaged; tried anew where the disk was full."""
        async with self._replacing:
            if self._damage:
                self._connection = await Connection.open(
                    _THREAD, partial(_set_aside_and_open, self._path, self._damage)
                )
                self._damage = ""
            return self._connection


def _open_or_replace(path: Path) -> sqlite3.Connection:
    return open_or_replace(path, table.open_table)[0]


def _set_aside_and_open(path: Path, reason: str) -> sqlite3.Connection:
    set_aside(path, reason, SQLITE_COMPANIONS)
    return _open_or_replace(path)
