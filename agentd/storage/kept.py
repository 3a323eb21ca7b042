"""Answers and runs, each in a file of its own, because nothing can make them again when the index is rebuilt.

Where a file proves damaged it is set aside, for a person to look at, and a new one begun.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agentd.storage.renewable import RenewableDatabase

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from agentd.storage.kept_table import Head, KeptTable

SECONDS_A_DAY = 86_400


class Kept:
    """Made by ``Kept.open``. What is kept is bytes to this; ids sort as they were made."""

    def __init__(self, database: RenewableDatabase, table: KeptTable) -> None:
        self._database = database
        self._table = table

    @classmethod
    async def open(cls, path: Path, table: KeptTable) -> Kept:
        """Open the file at ``path``, made where missing, set aside and made anew where damaged.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read and written.
        """
        return cls(await RenewableDatabase.open(path, f"agentd-{table.name}s", table.open), table)

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._database.close()

    async def put(self, head: Head, roots: Collection[str], body: bytes) -> None:
        """Keep one that has to do with ``roots``, in the place of what has its id; when this returns, no kill of the
        process loses it.

        Raises:
            StateUnusableError: it cannot be kept.
        """
        await self._database.stay_in_place()
        await self._database.run(self._table.put, head, roots, body)

    async def get(self, kept_id: str) -> bytes | None:
        """The one of that id."""
        return await self._database.run(self._table.get, kept_id)

    async def newest(self, before: str = "", limit: int = 20) -> list[Head]:
        """The newest, those made before the one with the id ``before``."""
        return await self._database.run(self._table.newest, before, limit)

    async def count(self) -> int:
        """How many are kept."""
        return await self._database.run(self._table.count)

    async def delete(self, kept_id: str) -> None:
        """Delete one, if it is there, and its bytes."""
        await self._database.run(self._table.delete, kept_id)
        await self._database.give_back()

    async def forget_other_roots(self, known: Sequence[str]) -> int:
        """Delete every one that was made from, or about, a root which is not ``known``, and its bytes; returns how
        many.
        """
        gone = await self._database.run(self._table.forget_other_roots, known)
        if gone:
            await self._database.give_back()
        return gone

    async def purge(self, keep_days: int, keep_count: int, now: float | None = None) -> int:
        """Delete what is older than ``keep_days`` and all but the newest ``keep_count``; returns how many."""
        since = (time.time() if now is None else now) - keep_days * SECONDS_A_DAY
        gone = await self._database.run(self._table.purge, since, keep_count)
        if gone:
            await self._database.give_back()
        return gone

    async def write_anew(self) -> None:
        """Rid the file of every byte of what was deleted. Raises StateUnusableError where there is no room for that."""
        await self._database.write_anew()

    async def give_back(self, keep_count: int) -> int:
        """Delete all but the newest ``keep_count``, and give what they took back to the disk; returns how many."""
        gone = await self._database.run(self._table.purge, 0.0, keep_count)
        await self._database.give_back()
        return gone

    async def check(self) -> None:
        """Read the whole file and replace it where it is damaged. Raises StateUnusableError where it cannot be read."""
        await self._database.check()
