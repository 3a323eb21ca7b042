"""What a daemon gives up when the disk has to have room: what can be had again first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexing_harness import services

from agentd.storage.kept_table import Head
from agentd.storage.web_cache import WebCache

if TYPE_CHECKING:
    from pathlib import Path


async def test_pages_of_the_web_go_first_and_old_answers_and_runs_last(tmp_path: Path) -> None:
    pages = await WebCache.open(tmp_path / "web.db")
    async with services(tmp_path) as daemon:
        daemon.web.cache = pages  # which it closes
        answers, runs = daemon.stores.answers, daemon.stores.runs
        for number in range(60):
            await answers.put(Head(f"{number:012}", float(number), "generated", "?"), [], bytes(20_000))
            await runs.put(Head(f"{number:012}", float(number), "answered", "?"), [], bytes(2_000))
        await pages.put("page", b"key", bytes(200_000), 1000.0)
        await daemon.reserves.give_disk(100_000)
        pages.shrink_memory()
        assert (await pages.get("page", b"key"), await answers.count()) == (None, 60)
        await daemon.reserves.give_disk(10_000_000)
        assert (await answers.count(), await runs.count()) == (50, 50)
