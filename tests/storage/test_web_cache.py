from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from agentd.errors import StateNewerError
from agentd.storage import web_cache
from agentd.storage.connection import connect
from agentd.storage.set_aside import copies
from agentd.storage.web_cache import WebCache

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEY = b"k" * 16


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cache(tmp_path: Path, clock: Clock) -> AsyncIterator[WebCache]:
    opened = await WebCache.open(tmp_path / "web.db", clock)
    yield opened
    await opened.close()


async def test_what_was_put_is_there_for_its_time_after_a_restart_too(
    cache: WebCache, clock: Clock, tmp_path: Path
) -> None:
    await cache.put("page", KEY, b"one", 60)
    await cache.put("page", KEY, b"two", 60)
    assert await cache.get("page", KEY) == b"two"
    assert await cache.get("search", KEY) is None
    await cache.close()
    again = await WebCache.open(tmp_path / "web.db", clock)
    assert (await again.get("page", KEY), again.counts.disk_hits) == (b"two", 1)
    assert (await again.get("page", KEY), again.counts.memory_hits) == (b"two", 1)
    clock.now += 61
    assert await again.get("page", KEY) is None
    await again.close()


async def test_only_its_user_may_read_it(cache: WebCache, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "web.db").stat().st_mode) == 0o600


async def test_what_is_over_its_time_goes_and_then_what_was_used_longest_ago(cache: WebCache, clock: Clock) -> None:
    await cache.put("page", b"short", b"x" * 1000, 60)
    for number in range(300):
        await cache.put("page", number.to_bytes(2, "big"), b"x" * 10_000, 1_000_000)
    clock.now += 7200
    cache.shrink_memory()
    assert await cache.get("page", (7).to_bytes(2, "big"))
    assert await cache.maintain(100_000_000) == 1
    before = await cache.disk_bytes()
    assert await cache.maintain(before // 2) == 200
    assert await cache.disk_bytes() <= before // 2
    cache.shrink_memory()
    assert await cache.get("page", (7).to_bytes(2, "big"))
    assert await cache.get("page", (0).to_bytes(2, "big")) is None


async def test_a_clock_that_was_ahead_keeps_nothing_for_ever(cache: WebCache, clock: Clock) -> None:
    clock.now += 10_000_000
    await cache.put("page", KEY, b"from the future", 60)
    clock.now -= 10_000_000
    cache.shrink_memory()
    assert await cache.get("page", KEY) is None
    assert await cache.maintain(100_000_000) == 1


async def test_memory_is_bounded(cache: WebCache) -> None:
    for number in range(100):
        await cache.put("page", number.to_bytes(2, "big"), b"x" * 100_000, 60)
    await cache.put("page", b"huge", b"x" * 3_000_000, 60)
    assert cache._memory.currsize <= web_cache.MEMORY_BYTES
    assert await cache.get("page", b"huge")


async def test_a_damaged_file_is_set_aside(cache: WebCache, clock: Clock, tmp_path: Path) -> None:
    await cache.close()
    path = tmp_path / "web.db"
    path.write_bytes(b"no database at all" * 1000)
    again = await WebCache.open(path, clock)
    await again.put("page", KEY, b"new", 60)
    assert await again.get("page", KEY) == b"new"
    await again.close()
    assert [copy.name for copy in copies(tmp_path)] == ["web.db"]


async def test_damage_found_in_use_costs_what_was_kept(cache: WebCache, tmp_path: Path) -> None:
    for number in range(200):
        await cache.put("page", number.to_bytes(2, "big"), b"x" * 10_000, 60)
    await cache._database.give_back()
    with (tmp_path / "web.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 400_000)
    cache.shrink_memory()
    connection = await cache._database._sound()
    await connection.run(lambda each: each.execute("PRAGMA shrink_memory"))
    for number in range(200):
        await cache.get("page", number.to_bytes(2, "big"))
    await cache.put("page", KEY, b"new", 60)
    cache.shrink_memory()
    assert await cache.get("page", KEY) == b"new"


async def test_a_newer_file_is_left_alone(cache: WebCache, tmp_path: Path) -> None:
    await cache.close()
    connection = connect(tmp_path / "web.db", cache_kib=100)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StateNewerError, match="fetched again"):
        await WebCache.open(tmp_path / "web.db")
