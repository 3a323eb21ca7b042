"""Indexing waits for its turn where the lane is full, or no worker can be started; only queries are refused."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from agentd.compute.pool import Lane
from agentd.errors import BusyError, NoWorkerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentd.compute.pool import Pool, Priority
    from agentd.kernels.registry import Kernel, Request, Result

RETRY_SECONDS = 0.25


async def stream_patiently(
    pool: Pool, kernel: Kernel[Request, Result], request: Request, priority: Priority
) -> AsyncGenerator[Result, None]:
    """``Pool.stream`` in the bulk lane, tried again while its queue is full or it has no worker: the task was not
    begun.
    """
    while True:
        try:
            async with aclosing(pool.stream(kernel, request, lane=Lane.BULK, priority=priority)) as parts:
                async for part in parts:
                    yield part
        except (BusyError, NoWorkerError):
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return
