from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from link_samples import drain, forget_links, links
from msgspec.structs import replace
from storage_samples import SPACE, Index, chunk, entry, parsed, want

from agentd.domain import RootOrigin
from agentd.errors import ShuttingDownError, StateDamagedError, StateNewerError, StateUnusableError
from agentd.storage import migrations
from agentd.storage.catalogue import Catalogue
from agentd.storage.database import Database

CHECKS = {
    "integrity": "PRAGMA integrity_check",
    "broken references": "SELECT count(*) FROM pragma_foreign_key_check",
    "roots half removed": "SELECT count(*) FROM root WHERE removing",
    "documents with a wrong number of chunks": """
        SELECT count(*) FROM document d WHERE chunks <> (SELECT count(*) FROM chunk WHERE document_id = d.id)""",
    "documents with text that are not in the feed": """
        SELECT count(*) FROM document WHERE chunks > 0 AND id NOT IN (SELECT document_id FROM feed WHERE NOT gone)""",
    "chunks not queued": "SELECT count(*) FROM chunk WHERE id NOT IN (SELECT chunk_id FROM embedding_queue)",
    "documents neither linked nor to be linked": """
        SELECT count(*) FROM document
            WHERE family > 0 AND level < 3 AND id NOT IN (SELECT document_id FROM link_queue)""",
    "edges or symbols of no document": """
        SELECT (SELECT count(*) FROM edge WHERE document_id NOT IN (SELECT id FROM document))
            + (SELECT count(*) FROM symbol WHERE document_id NOT IN (SELECT id FROM document))""",
    "mentions of no edge": """
        SELECT count(*) FROM mention m WHERE NOT EXISTS (SELECT 1 FROM edge e WHERE e.document_id = m.document_id
            AND m.subject IN (e.name, e.head, e.module))""",
    "documents too many in the totals": """
        SELECT (SELECT coalesce(sum(documents), 0) FROM document_tally) - (SELECT count(*) FROM document)""",
    "queued chunks too many in the totals": """
        SELECT (SELECT coalesce(sum(queued), 0) FROM queue_tally) - (SELECT count(*) FROM embedding_queue)""",
}

HERE = Path(__file__).parent.parent
KILLS = 10


async def test_killed_at_any_moment_it_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    generator = random.Random(20)  # noqa: S311 - repeatable, not secret
    acknowledged = 0
    for kill in range(KILLS):
        lines = await killed_after(path, kill, generator.uniform(0.0, 0.25))
        acknowledged = max([acknowledged, *(int(line[1]) for line in lines if line[0] == "generation")])
        catalogue = await Catalogue.open(path)
        try:
            assert catalogue.database.generation.value >= acknowledged
            await check_consistency(catalogue)
            known = {root.id for root in await catalogue.roots.all()}
            removals = {int(line[1]) for line in lines if line[0] == "removed"}
            assert {int(line[1]) for line in lines if line[0] == "root"} - known <= begun_removals(lines)
            assert not removals & known
            if kill == KILLS - 1:
                assert await catalogue.database.write(as_from_scratch)
        finally:
            await catalogue.close()
    assert acknowledged > 0


def as_from_scratch(connection: sqlite3.Connection) -> bool:
    """Whether linking goes on to where linking from scratch ends."""
    drain(connection)
    went_on = links(connection)
    forget_links(connection)
    drain(connection)
    return bool(went_on) and went_on == links(connection)


async def killed_after(path: Path, seed: int, seconds: float) -> list[list[str]]:
    """Run the victim until it has opened the state and ``seconds`` more; returns the lines that it printed."""
    victim = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "storage_victim.py"),
        str(path),
        str(seed),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent.parent)])},
    )
    assert victim.stdout is not None
    assert await asyncio.wait_for(victim.stdout.readline(), 20) == b"opened\n"
    # The moment of the kill is what is tried here: there is nothing to wait for.
    await asyncio.sleep(seconds)
    victim.kill()
    output = await victim.stdout.read()
    await victim.wait()
    return [line.split() for line in output.decode().splitlines() if line]


def begun_removals(lines: list[list[str]]) -> set[int]:
    return {int(line[1]) for line in lines if line[0] == "removing"}


async def check_consistency(catalogue: Catalogue) -> None:
    def checks(connection: sqlite3.Connection) -> dict[str, object]:
        return {what: connection.execute(sql).fetchone()[0] for what, sql in CHECKS.items()}

    expected = dict.fromkeys(CHECKS, 0) | {"integrity": "ok"}
    assert await catalogue.database.read_bulk(checks) == expected


async def test_a_removal_cut_short_is_finished_at_the_next_open(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    index = Index(catalogue)
    root = await index.root()
    await index.store(root, "a", chunk("text"))
    await catalogue.database.write(lambda connection: connection.execute("UPDATE root SET removing = 1"))
    await catalogue.close()
    catalogue = await Catalogue.open(tmp_path / "index.db")
    assert await catalogue.roots.all() == []
    assert await Index(catalogue).texts() == []
    assert catalogue.feed.changed.value == 2
    await catalogue.close()


async def test_a_state_of_the_version_before_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    older = sqlite3.connect(path)
    migrations._apply(older, 1, migrations.scripts()[0])
    older.executescript("""
        INSERT INTO root (id, path, origin) VALUES (1, '/root', 'added');
        INSERT INTO document (id, root_id, path, size, mtime_ns, signature, state) VALUES
            (1, 1, 'a.py', 1, 1, 'v1', 'indexed'), (2, 1, 'b.bin', 1, 1, 'v1', 'skipped');
        INSERT INTO chunk (document_id, ordinal, start_line, end_line, start_byte, end_byte, symbol, context, text_hash,
            text, parts) VALUES (1, 0, 1, 2, 0, 9, '', '', x'00', 'kept', '')""")
    older.close()
    catalogue = await Catalogue.open(path)
    assert [one.path for one in await Index(catalogue).pending()] == ["a.py"]
    (before,) = await catalogue.feed.view_rows([1])
    assert (before.text, before.names) == ("kept", "")
    (taken,) = await Index(catalogue).pending()
    await catalogue.documents.store([(taken, parsed(taken, [replace(chunk("kept"), text_hash=b"\0", names="f")]))])
    (after,) = await catalogue.feed.view_rows([1])
    assert (after.chunk_id, after.names) == (before.chunk_id, "f")
    await catalogue.close()


async def test_state_survives_a_restart(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    index = Index(catalogue)
    await index.store(await index.root(), "a", chunk("text"))
    epoch = catalogue.feed.epoch
    await catalogue.close()
    with pytest.raises(ShuttingDownError):
        await catalogue.roots.all()
    catalogue = await Catalogue.open(tmp_path / "index.db")
    assert (catalogue.feed.epoch, catalogue.feed.changed.value) == (epoch, 1)
    assert await Index(catalogue).texts() == ["text"]
    await catalogue.database.check()
    await catalogue.close()


async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    await Index(catalogue).root()
    files = list(tmp_path.iterdir())  # noqa: ASYNC240 - nothing else runs on this loop
    assert {file.name for file in files} == {"index.db", "index.db-wal", "index.db-shm", "roots.json"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    await catalogue.close()


@pytest.mark.parametrize("content", [b"no database " * 1000, b"SQLite format 3\x00" + b"\x00" * 5000])
async def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.db"
    path.write_bytes(content)
    database = await Database.open(path)
    assert database.renewed
    await database.close()
    (aside,) = tmp_path.glob("index.db.damaged-*")  # noqa: ASYNC240 - nothing else runs on this loop
    assert aside.read_bytes() == content


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StateUnusableError, match="another program's"):
        await Database.open(path)


async def test_a_newer_state_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    await (await Database.open(path)).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StateNewerError, match="version 99"):
        await Database.open(path)


async def test_damage_met_later_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    catalogue = await Catalogue.open(path)
    index = Index(catalogue)
    await index.store(await index.root(), "a", *(chunk(f"{number} " * 500) for number in range(400)))
    await catalogue.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    catalogue = await Catalogue.open(path)
    with pytest.raises(StateUnusableError, match="damaged"):
        await Index(catalogue).texts()
    with pytest.raises(StateUnusableError, match="damaged"):
        await catalogue.database.check()
    await catalogue.close()


async def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    index = Index(catalogue)
    root = await index.root()
    await index.store(root, "a", chunk("kept"))

    def limit(connection: sqlite3.Connection, pages: int) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await catalogue.database._writer.run(limit, 60)
    await index.scan(root, entry("a"), entry("b"))
    (taken,) = await index.pending()
    full = parsed(taken, [chunk(f"{number} " * 2000) for number in range(200)])
    with pytest.raises(StateUnusableError, match="the disk is full"):
        await catalogue.documents.store([(taken, full)])
    assert (await index.texts(), len(await index.pending())) == (["kept"], 1)
    await catalogue.database._writer.run(limit, 1_000_000)
    await catalogue.documents.store([(taken, full)])
    assert len(await index.texts()) == 201
    await catalogue.close()


READ_ONLY = """
import asyncio, os, sys
from pathlib import Path
from agentd.errors import StateUnusableError
from agentd.storage.database import Database
os.setgid(65534)
os.setuid(65534)
try:
    asyncio.run(Database.open(Path(sys.argv[1])))
except StateUnusableError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("exists", [False, True])
async def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path, *, exists: bool) -> None:
    path = tmp_path / "index.db"
    for directory in [tmp_path, *tmp_path.parents][:3]:
        directory.chmod(0o755)
    if exists:
        await (await Database.open(path)).close()
        path.chmod(0o644)
    child = subprocess.run(  # noqa: ASYNC221 - nothing else runs on this loop
        [sys.executable, "-c", READ_ONLY, str(path)], capture_output=True, text=True, timeout=20, check=False
    )
    assert f"{path} cannot be opened for writing: Permission denied" in child.stdout, child.stderr


PASSER_BY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM document").fetchall()
connection.close()
"""


async def test_another_program_that_looks_in_and_leaves_does_not_take_the_log_along(tmp_path: Path) -> None:
    """The last connection of all removes the log; that others are open it can only tell by their locks."""
    path, log = tmp_path / "index.db", tmp_path / "index.db-wal"
    catalogue = await Catalogue.open(path)
    before = log.stat().st_ino
    subprocess.run(  # noqa: ASYNC221 - nothing else runs on this loop
        [sys.executable, "-c", PASSER_BY, str(path)], capture_output=True, timeout=20, check=True
    )
    assert log.exists()
    assert log.stat().st_ino == before
    await catalogue.close()


async def test_a_log_that_was_cut_short_is_damage_and_no_trouble_of_the_disk(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    index = Index(catalogue)
    await index.store(await index.root(), "a", chunk("text"))
    os.truncate(tmp_path / "index.db-wal", 0)
    await catalogue.database.shrink_memory()
    with pytest.raises(StateDamagedError):
        await index.texts()
    assert catalogue.database.damage.done()
    await catalogue.close()


async def test_a_reader_does_not_wait_for_a_bulk_write(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    index = Index(catalogue)
    root = await index.root()
    await index.store(root, "a", chunk("found"))
    (row,) = await index.view()

    release = threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE document SET lines = lines + 1")
        release.wait(20)

    writing = asyncio.create_task(catalogue.database.write(hold))
    try:
        async with asyncio.timeout(5):
            assert row.chunk_id in await catalogue.passages.hits([row.chunk_id])
            assert len(await catalogue.roots.progress()) == 1
        assert not writing.done()
    finally:
        release.set()
        await writing
        await catalogue.close()


async def test_a_writer_that_is_cancelled_leaves_a_whole_transaction(tmp_path: Path) -> None:
    catalogue = await Catalogue.open(tmp_path / "index.db")
    for number in range(20):
        adding = asyncio.create_task(catalogue.database.write(add_two_roots, number))
        await asyncio.sleep(0)
        adding.cancel()
        await asyncio.wait([adding])
    roots = await catalogue.roots.add("/last", RootOrigin.ADDED)
    paths = {root.path for root in await catalogue.roots.all()}
    assert {path.removesuffix("left") for path in paths if path.endswith("left")} == {
        path.removesuffix("right") for path in paths if path.endswith("right")
    }
    assert roots.path in paths
    await catalogue.close()


def add_two_roots(connection: sqlite3.Connection, number: int) -> None:
    for side in ("left", "right"):
        connection.execute("INSERT INTO root (path, origin) VALUES (?, 'added')", (f"/{number}{side}",))


async def test_the_loop_never_blocks(tmp_path: Path) -> None:
    with blockbuster_ctx():
        catalogue = await Catalogue.open(tmp_path / "index.db")
        index = Index(catalogue)
        root = await index.root()
        await want(catalogue, SPACE)
        await index.store(root, "a", chunk("text"))
        await catalogue.maintain()
        await catalogue.roots.remove(root.id)
        await catalogue.close()
