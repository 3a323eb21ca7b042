"""Numbered steps of the schema: each brings the state from the version before to its own, in one transaction."""

from __future__ import annotations

import sqlite3
from importlib import resources
from typing import TYPE_CHECKING

from agentd.errors import StateNewerError, StateUnusableError

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID = 0x61676474
"""``agdt``, in the file's header: tells our database from any other."""


def scripts() -> list[str]:
    """The steps in order; step n is ``000n_*.sql``."""
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".sql")]
    return [file.read_text(encoding="utf-8") for file in sorted(files, key=lambda file: file.name)]


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the database to the newest version.

    Raises:
        StateNewerError: a newer agentd wrote it.
        StateUnusableError: some other program's database.
    """
    version = _checked_version(connection, path)
    steps = scripts()
    if version > len(steps):
        message = (
            f"The state file {path} has version {version}, and this agentd knows versions up to {len(steps)}. "
            "Run the newer agentd that wrote it, or delete the file: the index builds itself again."
        )
        raise StateNewerError(message, path=str(path))
    for number, script in enumerate(steps[version:], start=version + 1):
        _apply(connection, number, script)


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (version, application, tables) != (0, 0, 0):
        message = (
            f"The state file {path} is another program's database (application id {application:#x}); "
            "move it away or choose another state directory."
        )
        raise StateUnusableError(message, path=str(path))
    return version


def _apply(connection: sqlite3.Connection, number: int, script: str) -> None:
    stamp = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n{stamp}\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
