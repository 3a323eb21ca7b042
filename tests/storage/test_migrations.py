from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from agentd.errors import StateDamagedError
from agentd.storage import migrations
from agentd.storage.database import Database

VICTIM = Path(__file__).parent / "migration_victim.py"
KILLS = 6
DOCUMENTS = 20_000


def first_version(path: Path, documents: int) -> None:
    """A database of version 1 with so many documents, each with a chunk."""
    with closing(sqlite3.connect(path, isolation_level=None)) as older:
        older.execute("PRAGMA page_size = 8192")
        older.execute("PRAGMA journal_mode = WAL")
        migrations._apply(older, 1, migrations.scripts()[0])
        older.execute("BEGIN")
        older.execute("INSERT INTO root (id, path, origin) VALUES (1, '/root', 'added')")
        numbers = range(1, documents + 1)
        older.executemany(
            "INSERT INTO document (id, root_id, path, size, mtime_ns, signature, state, chunks) "
            "VALUES (?1, 1, 'f' || ?1, 1, 1, 'v1', 'indexed', 1)",
            [(number,) for number in numbers],
        )
        older.executemany(
            "INSERT INTO chunk (document_id, ordinal, start_line, end_line, start_byte, end_byte, symbol, context, "
            "text_hash, text, parts) VALUES (?, 0, 1, 2, 0, 9, '', '', x'00', 'text', '')",
            [(number,) for number in numbers],
        )
        older.execute("COMMIT")


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (pending,) = connection.execute("SELECT count(*) FROM document WHERE state = 'pending'").fetchone()
        columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('chunk')")}
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    assert (pending, "names" in columns) == ((DOCUMENTS, True) if version > 1 else (0, False))
    return version


def test_killed_in_the_middle_it_leaves_the_old_or_the_new_version_whole(tmp_path: Path) -> None:
    first_version(tmp_path / "first.db", DOCUMENTS)
    path = tmp_path / "first.db"
    for kill in range(KILLS):
        path = tmp_path / f"{kill}.db"
        shutil.copy(tmp_path / "first.db", path)
        with subprocess.Popen([sys.executable, str(VICTIM), str(path)], stdout=subprocess.PIPE) as victim:
            assert victim.stdout is not None
            assert victim.stdout.readline() == b"begins\n"
            # Waits for nothing: this is when the kill comes.
            time.sleep(random.Random(kill).uniform(0, 0.25))  # noqa: S311 - repeatable, not secret
            victim.kill()
            done = victim.stdout.read() == b"done\n"
        assert version_of(path) > 1 or not done
    assert subprocess.check_output([sys.executable, str(VICTIM), str(path)]) == b"begins\ndone\n"
    assert version_of(path) == len(migrations.scripts())


async def test_schema_changes_do_not_hold_the_start_for_long(tmp_path: Path) -> None:
    """What reading 20,000 files again takes waits until search works. The bound is that of a busy machine."""
    first_version(tmp_path / "index.db", DOCUMENTS)
    began = time.monotonic()
    database = await Database.open(tmp_path / "index.db")
    assert time.monotonic() - began < 5
    await database.close()


async def test_an_upgrade_is_remembered_until_it_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    first_version(path, 3)
    for expected in (1, 1):
        database = await Database.open(path)
        assert database.upgraded_from == expected
        await database.close()
    database = await Database.open(path)
    await database.finish_upgrade()
    await database.close()
    database = await Database.open(path)
    assert database.upgraded_from == 0
    await database.close()


async def test_a_new_database_is_no_upgrade(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "index.db")
    assert (database.upgraded_from, database.renewed) == (0, "")
    await database.close()


@pytest.mark.parametrize(
    "harm",
    [
        "ALTER TABLE chunk RENAME COLUMN names TO namez",
        "DROP TABLE link_news",
        "DROP INDEX chunk_document",
        "DROP TRIGGER chunk_queued",
        "DELETE FROM meta",
    ],
)
async def test_tables_that_lost_something_are_damage(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "index.db"
    await (await Database.open(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(harm)
        connection.commit()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, pytest.raises(StateDamagedError):
        migrations.migrate(connection, path)
    database = await Database.open(path)
    assert "The state file" in database.renewed
    await database.close()
