"""Numbered steps of the schema: each brings the state from the version before to its own, in one transaction."""

from __future__ import annotations

import sqlite3
from importlib import resources
from typing import TYPE_CHECKING

from agentd.errors import StateDamagedError, StateNewerError, StateUnusableError

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

    Steps change the schema and queue what is to be read again, never row by row what can be done later: nothing is
    served before they are done. One killed in the middle leaves the version before, whole.

    Raises:
        StateNewerError: a newer agentd wrote it.
        StateDamagedError: its tables are not those of its version.
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
        _apply(connection, number, script + (_NOTE_UPGRADE.format(before=version) if version else ""))
    _check_tables(connection, path, steps)


_NOTE_UPGRADE = "\nINSERT OR IGNORE INTO meta VALUES ('upgraded_from', {before});"
"""Kept until all that the steps queued has been done, so that answers and status say so, also after a restart."""


def _check_tables(connection: sqlite3.Connection, path: Path, steps: list[str]) -> None:
    """SQLite trusts the names in its schema: one that lost a letter shows only when a statement asks for it."""
    expected = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for number, script in enumerate(steps, start=1):
            _apply(expected, number, script)
        if missing := _columns(expected) - _columns(connection):
            raise StateDamagedError(f"The state file {path} has no {' '.join(min(missing)).strip()}.", path=str(path))
    finally:
        expected.close()
    if connection.execute("SELECT 1 FROM meta WHERE key = 'epoch'").fetchone() is None:
        raise StateDamagedError(f"The state file {path} has lost its epoch.", path=str(path))


def _columns(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """(table or index or trigger, name, column) of all there is."""
    rows = connection.execute(
        "SELECT m.type, m.name, coalesce(p.name, '') FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) p"
    )
    return set(rows.fetchall())


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
