"""A read whose caller has gone away ends, so that the next one need not wait; a write that was begun is kept."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from agentd.storage.catalogue import Catalogue

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
PROMPT_SECONDS = 1.0


def counting(begun: threading.Event) -> Callable[[sqlite3.Connection], object]:
    """A read that never ends by itself."""

    def read(connection: sqlite3.Connection) -> object:
        begun.set()
        return connection.execute(ENDLESS).fetchone()

    return read


def one(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT 1").fetchone()[0]


@pytest.mark.parametrize("reader", ["read", "read_bulk"])
async def test_a_read_that_nobody_waits_for_ends(catalogue: Catalogue, reader: str) -> None:
    database, begun = catalogue.database, threading.Event()
    read = getattr(database, reader)
    endless = asyncio.create_task(read(counting(begun)))
    assert await asyncio.to_thread(begun.wait, PROMPT_SECONDS)
    endless.cancel()
    began = time.monotonic()
    async with asyncio.timeout(10):
        assert await read(one) == 1
    assert time.monotonic() - began < PROMPT_SECONDS
    assert endless.cancelled()


async def test_one_that_is_cancelled_takes_no_other_along(catalogue: Catalogue) -> None:
    database = catalogue.database
    for _ in range(50):
        begun = threading.Event()
        endless = asyncio.create_task(database.read(counting(begun)))
        others = [asyncio.create_task(database.read(one)) for _ in range(3)]
        assert await asyncio.to_thread(begun.wait, PROMPT_SECONDS)
        endless.cancel()
        assert await asyncio.gather(*others) == [1, 1, 1]


async def test_a_write_that_was_begun_is_kept_although_its_caller_has_gone(catalogue: Catalogue) -> None:
    database, begun = catalogue.database, threading.Event()

    def write(connection: sqlite3.Connection) -> None:
        begun.set()
        slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT count(*) FROM n"
        connection.execute(slow).fetchone()
        connection.execute("INSERT INTO meta (key, value) VALUES ('kept', 'yes')")

    writing = asyncio.create_task(database.write(write))
    assert await asyncio.to_thread(begun.wait, PROMPT_SECONDS)
    writing.cancel()
    async with asyncio.timeout(10):
        await database.write(lambda _: None)
    kept = await database.read(
        lambda connection: connection.execute("SELECT value FROM meta WHERE key = 'kept'").fetchone()
    )
    assert kept == ("yes",)
