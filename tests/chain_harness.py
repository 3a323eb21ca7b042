"""The daemon's services over scripted embedding servers, and what their index must hold."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import TYPE_CHECKING

import numpy as np

from agentd.config.settings import ComputeSettings, EmbeddingSettings, IndexSettings, ProviderSettings, Settings
from agentd.daemon.bootstrap import build
from agentd.storage.vector_snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agentd.config.settings import RootSettings
    from agentd.daemon.bootstrap import Daemon

DEADLINE = 25.0


def server(name: str, url: str, model: str = "scripted") -> ProviderSettings:
    """A provider that gives up at once."""
    return ProviderSettings(
        name=name, kind="openai", base_url=url, embedding_model=model, retries=0, connect_seconds=1.0, batch_texts=4,
        timeout_seconds=2.0,
    )  # fmt: skip


def configured(
    place: Path, *roots: Path, providers: tuple[ProviderSettings, ...], chain: tuple[str, ...],
    rules: tuple[RootSettings, ...] = (),
) -> Settings:  # fmt: skip
    """Settings with these servers and one chain for all roots that ``rules`` do not name."""
    (place / "state").mkdir(mode=0o700, exist_ok=True)
    return Settings(
        socket=place / "agentd.sock", state_directory=place / "state", flag_roots=roots, providers=providers,
        rules=rules, index=IndexSettings(rescan_seconds=86400.0, quiet_milliseconds=20),
        compute=ComputeSettings(bulk_workers=1), embedding=EmbeddingSettings(chain=chain),
    )  # fmt: skip


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Daemon]:
    """The services, with all roots known."""
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        daemon = await build(settings, stack, {})
        services = asyncio.create_task(daemon.run_services())
        await daemon.index.complete.wait()
        try:
            yield daemon
        finally:
            services.cancel()
            await asyncio.wait([services])


async def at_rest(daemon: Daemon) -> dict[str, int]:
    """Wait until every chunk has its vector of the best model there is; returns how many vectors each model has."""
    async with asyncio.timeout(DEADLINE):
        await daemon.index.settle(vectors=True)
    return await vectors(daemon)


async def vectors(daemon: Daemon) -> dict[str, int]:
    """How many vectors each model of a chain has."""
    return {each["provider"]: each["vectors"] for each in (await daemon.status.index())["spaces"]}


async def until(daemon: Daemon, condition: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """Wait for what a server that came or went brings about."""
    async with asyncio.timeout(DEADLINE):
        while not condition(counts := await vectors(daemon)):  # noqa: ASYNC110  # no event tells a test
            await asyncio.sleep(0.02)
    return counts


def write(root: Path, count: int, first: int = 0) -> None:
    """Files of one passage each."""
    root.mkdir(exist_ok=True)
    for number in range(first, first + count):
        (root / f"f{number}.py").write_text(f"def function_{number}():\n    return 'value {number}'\n")


def impure(state: Path) -> list[str]:
    """What is in a view of a stopped daemon and is not, bit by bit, the cache's vector of the same space and text; and
    chunks with none, or with two.
    """
    found: list[str] = []
    held: Counter[int] = Counter()
    with (
        closing(sqlite3.connect(state / "index.db")) as index,
        closing(sqlite3.connect(state / "embeddings.db")) as cache,
    ):
        hashes = dict(index.execute("SELECT id, text_hash FROM chunk"))
        for folder in (state / "vectors").iterdir():
            header, columns = read_snapshot(folder / "snapshot")
            rows = np.fromfile(folder / header.rows, np.int8, header.count * header.dimension)
            kept = dict(
                cache.execute(
                    "SELECT v.text_hash, v.codes FROM vector v JOIN space s ON s.id = v.space_id WHERE s.key = ?",
                    (header.space,),
                )
            )
            for row in np.flatnonzero(columns.live):
                chunk = int(columns.chunk_ids[row])
                held[chunk] += 1
                if rows.reshape(-1, header.dimension)[row].tobytes() != kept.get(hashes[chunk]):
                    found.append(f"chunk {chunk} in {header.space} is another's")
    return [*found, *(f"chunk {chunk} has {held[chunk]} vectors" for chunk in hashes if held[chunk] != 1)]
