"""What was deleted goes back to the disk, and what is cached can be let go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentd.storage.embedding_cache import EmbeddingCache

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator

    from agentd.storage.catalogue import Catalogue

SPACE = "local/model/384/1"


async def no_hashes() -> AsyncIterator[list[bytes]]:
    for _ in range(0):
        yield []


def run(connection: sqlite3.Connection, sql: str) -> None:
    connection.execute(sql)


def size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*") if not file.name.endswith("-shm"))


async def test_evicted_vectors_give_their_space_back(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.db"
    cache = await EmbeddingCache.open(path, 16)
    try:
        await cache.put_many(SPACE, [(number.to_bytes(16, "big"), bytes(384), 1.0) for number in range(8000)])
        assert size(path) > 3_000_000
        assert await cache.evict(no_hashes(), [], 0) == 8000
        await cache.give_back()
        assert size(path) < 200_000
        await cache.put_many(SPACE, [(bytes(16), b"\x01" * 384, 1.0)])
        await cache.shrink_memory()
        assert (await cache.get_many(SPACE, [bytes(16)]))[bytes(16)].codes == b"\x01" * 384
        assert cache.counts.disk_hits == 1  # memory held nothing any more
    finally:
        await cache.close()


async def test_a_database_gives_every_free_page_and_its_log_back(catalogue: Catalogue) -> None:
    database = catalogue.database
    await database.write(run, "CREATE TABLE ballast (data BLOB)")
    for _ in range(4):
        await database.write(run, "INSERT INTO ballast VALUES (zeroblob(4000000))")
    await database.write(run, "DROP TABLE ballast")
    assert size(database.path) > 16_000_000
    await database.give_back()
    assert size(database.path) < 1_000_000
    await database.shrink_memory()
    assert await catalogue.roots.all() == []


def bytes_read() -> int:
    """What this process has asked the system to read so far (proc(5), io: rchar)."""
    return int(Path("/proc/self/io").read_text().split(None, 2)[1])


async def test_pages_let_go_of_are_read_again(catalogue: Catalogue) -> None:
    database = catalogue.database
    await database.write(run, "CREATE TABLE ballast (data BLOB)")
    await database.write(run, "INSERT INTO ballast VALUES (zeroblob(2000000))")

    async def cost() -> int:
        before = bytes_read()
        await database.read(
            lambda connection: connection.execute("SELECT sum(length(hex(data))) FROM ballast").fetchall()
        )
        return bytes_read() - before

    await cost()
    assert await cost() < 1_000_000  # held in memory
    await database.shrink_memory()
    assert await cost() > 2_000_000
