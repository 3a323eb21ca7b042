"""Pools of real processes, and waits with a deadline."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentd.compute.pool import Pool
from agentd.config.settings import ComputeSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from kernels_for_tests import Reply

DEADLINE = 20.0


@asynccontextmanager
async def running_pool(registry: str = "kernels_for_tests", **settings: Any) -> AsyncIterator[Pool]:
    """A pool of one worker a lane, unless told otherwise; leaving checks that no child is left, not even a zombie."""
    pool = Pool(ComputeSettings(**({"bulk_workers": 1} | settings)), registry)
    await pool.start()
    pids = pids_of(pool)
    try:
        yield pool
    finally:
        pids += pids_of(pool)
        await pool.stop(0)
        assert not any(map(_exists, pids))


async def collect(stream: AsyncIterator[Reply], parts: list[Reply]) -> None:
    """Take all parts, and keep those that came before an error."""
    async for part in stream:
        parts.append(part)  # noqa: PERF401  # a comprehension would lose them


def pids_of(pool: Pool) -> list[int]:
    return [worker.pid for worker in pool.stats().workers]


async def until(condition: Callable[[], object]) -> None:
    """Wait for what no event tells a test: a file, or a count."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110  # another process brings it about
            await asyncio.sleep(0.005)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _exists(pid: int) -> bool:
    """Also true of a zombie."""
    return Path(f"/proc/{pid}").exists()


def is_running(pid: int) -> bool:
    """Whether the process computes; a zombie that a foreign parent has yet to reap does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_blocking(condition: Callable[[], object]) -> None:
    """The same for a test without a loop."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
