from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from agentd.storage import embedding_table
from agentd.storage.embedding_cache import EmbeddingCache
from agentd.storage.embedding_table import Vector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


def digest(number: int) -> bytes:
    return number.to_bytes(16, "big")


def vectors(numbers: Sequence[int], size: int = 4) -> list[tuple[bytes, bytes, float]]:
    return [(digest(number), bytes([number % 256]) * size, 0.5) for number in numbers]


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[EmbeddingCache]:
    opened = await EmbeddingCache.open(tmp_path / "embeddings.db", 1)
    yield opened
    await opened.close()


async def test_vectors_come_back_and_every_answer_is_counted(cache: EmbeddingCache, tmp_path: Path) -> None:
    await cache.put_many("s", vectors([1, 2]))
    assert await cache.get_many("s", [digest(1), digest(3), digest(1)]) == {digest(1): Vector(b"\x01" * 4, 0.5)}
    assert (cache.counts.memory_hits, cache.counts.disk_hits, cache.counts.misses) == (1, 0, 1)
    assert await cache.get_many("other space", [digest(1)]) == {}
    await cache.close()
    again = await EmbeddingCache.open(tmp_path / "embeddings.db", 1)
    assert len(await again.get_many("s", [digest(1), digest(2)])) == 2
    assert len(await again.get_many("s", [digest(1), digest(2)])) == 2
    assert (again.counts.memory_hits, again.counts.disk_hits, again.counts.misses) == (2, 2, 0)
    await again.close()


async def test_more_hashes_than_one_statement_takes(cache: EmbeddingCache) -> None:
    await cache.put_many("s", vectors(range(1200)))
    cache._memory.clear()
    assert len(await cache.get_many("s", [digest(number) for number in range(1300)])) == 1200


def test_a_look_up_is_one_statement_whatever_the_number(tmp_path: Path) -> None:
    """The connection keeps every statement that it has prepared: one a number of hashes came to 12 MB in a day."""
    statements: list[str] = []

    class Spy(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            statements.append(sql)
            return super().execute(sql, *parameters)

    embedding_table.open_table(tmp_path / "embeddings.db").close()
    connection = sqlite3.connect(tmp_path / "embeddings.db", factory=Spy)
    for count in range(1, 9):
        embedding_table.get(connection, "a", [digest(number) for number in range(count)])
    connection.close()
    assert len(set(statements)) == 1


async def test_memory_is_bounded_in_bytes(cache: EmbeddingCache) -> None:
    await cache.put_many("s", vectors(range(2000), size=1024))
    assert cache._memory.currsize <= 1024 * 1024
    assert 0 < len(cache._memory) < 1024
    assert len(await cache.get_many("s", [digest(0), digest(1999)])) == 2
    assert (cache.counts.memory_hits, cache.counts.disk_hits) == (1, 1)
    await cache.put_many("s", vectors([1], size=2 * 1024 * 1024))


async def test_only_unused_vectors_are_evicted_those_used_longest_ago_first(
    cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_table, "EVICT_SIZE", 50)
    for day, numbers in enumerate([range(200), range(200, 400), range(400, 600)]):
        monkeypatch.setattr(embedding_table, "_today", lambda day=day: day)
        await cache.put_many("s", vectors(numbers, size=1000))
    await cache.put_many("old model", vectors(range(100), size=1000))
    full = await cache.disk_bytes()
    assert await cache.evict(in_use(range(100)), ["s"], full) == 0
    assert await cache.evict(in_use(range(100)), ["s"], full - 60_000) in range(50, 101)
    cache._memory.clear()
    left = await cache.get_many("s", [digest(number) for number in range(600)])
    assert set(left) >= {digest(number) for number in [*range(100), *range(200, 600)]}
    await cache.evict(in_use(range(100)), ["s"], 0)
    cache._memory.clear()
    assert set(await cache.get_many("s", [digest(number) for number in range(600)])) == set(map(digest, range(100)))
    assert await cache.get_many("old model", [digest(1)]) == {}


async def in_use(numbers: Sequence[int]) -> AsyncIterator[list[bytes]]:
    for number in numbers:
        yield [digest(number)]


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 8000])
async def test_a_damaged_file_is_set_aside_at_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "embeddings.db"
    path.write_bytes(content)
    with capture_logs() as logs:
        cache = await EmbeddingCache.open(path, 1)
    await cache.put_many("s", vectors([1]))
    assert len(await cache.get_many("s", [digest(1)])) == 1
    await cache.close()
    assert [line["event"] for line in logs] == ["state_damaged"]
    (aside,) = tmp_path.glob("embeddings.db.damaged-*")  # noqa: ASYNC240 - nothing else runs on this loop
    assert aside.read_bytes() == content


async def test_damage_met_while_running_is_a_miss_and_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.db"
    cache = await EmbeddingCache.open(path, 1)
    await cache.put_many("s", vectors(range(500), size=1000))
    await cache.close()
    page_size = sqlite3.connect(path).execute("PRAGMA page_size").fetchone()[0]
    damaged = bytearray(path.read_bytes())
    damaged[page_size * 3 :] = b"\xff" * (len(damaged) - page_size * 3)
    path.write_bytes(damaged)
    cache = await EmbeddingCache.open(path, 1)
    with capture_logs() as logs:
        found = await asyncio.gather(*(cache.get_many("s", [digest(number)]) for number in range(3)))
    assert found == [{}, {}, {}]
    assert [line["event"] for line in logs] == ["state_damaged"]
    await cache.put_many("s", vectors([1]))
    assert (await cache.get_many("s", [digest(1)]), cache.counts.misses) == ({digest(1): Vector(b"\x01" * 4, 0.5)}, 3)
    await cache.close()
