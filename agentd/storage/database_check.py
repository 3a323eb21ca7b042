"""Is a database whole? Read from end to end on a connection of its own, so that neither readers nor writers wait.

SQLite checks how its pages hang together, and indexes against their tables; it has no checksum of what a row says. Our
chunks bring one: the hash of the text, by which its vector is known.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import asynccontextmanager
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

from agentd.domain import embedding_text
from agentd.errors import StateDamagedError
from agentd.storage.connection import BUSY_TIMEOUT_MS, Connection, guarded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NICE = 19
PAUSE_SECONDS = 0.05
"""Between two parts, so that a check takes a small share of the interpreter, however large the file."""
TEXTS_PAGE = 500
"""Chunks compared with their hash at a time: some 3 ms of the interpreter."""


@asynccontextmanager
async def checking(path: Path) -> AsyncIterator[Connection]:
    """A connection that reads beside all others, after all others."""
    checker = await Connection.open("agentd-check", partial(_connect, path))
    try:
        yield checker
    finally:
        await checker.interrupt()  # cancelled within a large table
        await checker.close()


async def check_tables(checker: Connection, path: Path) -> None:
    """Raises StateDamagedError where a table or one of its indexes is damaged."""
    for table in await checker.run(guarded, path, _tables):
        if found := await checker.run(guarded, path, _check_table, table):
            raise damaged(path, found)
        await asyncio.sleep(PAUSE_SECONDS)


async def check_texts(checker: Connection, path: Path) -> None:
    """Raises StateDamagedError where the text of a chunk is not the one that was stored."""
    after, last = -1, 0
    while last > after:
        after = last
        last, wrong = await checker.run(guarded, path, _check_texts, after)
        if wrong:
            raise damaged(path, f"{wrong} texts are not what was stored")
        await asyncio.sleep(PAUSE_SECONDS)


def damaged(path: Path, what: str) -> StateDamagedError:
    """The error for what was found."""
    return StateDamagedError(f"The state file {path} is damaged ({what}); it is built again.", path=str(path))


def _connect(path: Path) -> sqlite3.Connection:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    seconds = BUSY_TIMEOUT_MS / 1000
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", seconds, isolation_level=None, check_same_thread=False, uri=True)


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows]


def _check_table(connection: sqlite3.Connection, table: str) -> str:
    (found,) = connection.execute(f"PRAGMA integrity_check({table!r})").fetchone()
    return "" if found == "ok" else str(found)


def _check_texts(connection: sqlite3.Connection, after: int) -> tuple[int, int]:
    """(last id, number of wrong ones) of the next chunks after the id ``after``, which comes back where none are."""
    last, wrong = after, 0
    # The rest is read to see that it is text: what is not fails with an error that counts as damage.
    for chunk_id, context, text, names, text_hash, *_ in connection.execute(
        "SELECT id, context, text, names, text_hash, symbol, doc, parts FROM chunk WHERE id > ? ORDER BY id LIMIT ?",
        (after, TEXTS_PAGE),
    ):
        last = chunk_id
        wrong += not _is_hash_of(text_hash, context, text, names)
    return last, wrong


def _is_hash_of(text_hash: object, context: object, text: object, names: object) -> bool:
    if not (isinstance(context, str) and isinstance(text, str) and isinstance(names, str)):
        return False  # a column has the type of what was stored, not of its declaration
    return blake2b(embedding_text(context, text, names).encode(), digest_size=16).digest() == text_hash
