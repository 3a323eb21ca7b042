"""Everything but the server, in the test's own process: real workers, real SQLite, real views, no model."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from agentd.config.settings import ComputeSettings, EmbeddingSettings, IndexSettings, Settings
from agentd.daemon.bootstrap import build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agentd.daemon.bootstrap import Daemon

DEADLINE = 20.0


@asynccontextmanager
async def services(
    place: Path, *roots: Path, compute: ComputeSettings | None = None, index: IndexSettings | None = None
) -> AsyncIterator[Daemon]:
    """The daemon's services over a state of their own; all roots are known."""
    (place / "state").mkdir(mode=0o700, exist_ok=True)
    settings = Settings(
        socket=place / "agentd.sock",
        state_directory=place / "state",
        flag_roots=roots,
        index=index or IndexSettings(rescan_seconds=86400.0, quiet_milliseconds=20),
        compute=compute or ComputeSettings(bulk_workers=1),
        embedding=EmbeddingSettings(enabled=False),
    )
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        daemon = await build(settings, stack, {})
        running = asyncio.create_task(daemon.run_services())
        await daemon.index.complete.wait()
        try:
            yield daemon
        finally:
            running.cancel()
            await asyncio.wait([running])


async def settled(daemon: Daemon) -> None:
    async with asyncio.timeout(DEADLINE):
        await daemon.index.settle(vectors=False)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what no event tells a test."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # another process brings it about
            await asyncio.sleep(0.005)


async def documents(daemon: Daemon) -> int:
    return (await daemon.status.index())["documents"]
