"""Five hundred clients at once: what all get, what each gets, and what it costs the daemon.

Every client asks, waits for the answer and asks again, by keyword, all in one process: 500 of them as processes would
measure the machine's scheduler. A second figure is of a single patient client beside others that send as much as they
may without waiting.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import uvloop

from agentd.aclient import AsyncClient
from benchmarks.harness.figures import Figure, percentile
from benchmarks.harness.processes import pss_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from benchmarks.harness.workspace import Workspace

FEW, MANY = 8, 500
FLOODS = 20
IN_FLIGHT = 32
"""Of each client that floods: as much as a connection may have."""
SECONDS = 8.0
RETRIES = 1000
BAR_FAIRNESS = 2.0
"""Requests of the client that got most, over those of the one that got least."""


class Tally(NamedTuple):
    """Milliseconds of each request, by client."""

    times: list[list[float]]

    @property
    def every(self) -> list[float]:
        """Of all clients."""
        return list(itertools.chain.from_iterable(self.times))

    @property
    def per_second(self) -> float:
        """Requests of all clients together."""
        return len(self.every) / SECONDS

    @property
    def fairness(self) -> float:
        """The most that one client got over the least."""
        counts = [len(each) for each in self.times]
        return max(counts) / max(min(counts), 1)


def run(workspace: Workspace) -> list[Figure]:
    """Few clients, many clients, and one beside a flood."""
    daemon, queries = workspace.indexed(), workspace.queries(400)
    few = uvloop.run(closed_loops(daemon.socket, FEW, queries))
    before = pss_bytes(daemon.pid)
    many = uvloop.run(closed_loops(daemon.socket, MANY, queries))
    grown = (pss_bytes(daemon.pid) - before) / 2**20
    alone = uvloop.run(beside_a_flood(daemon.socket, 0, queries))
    flooded = uvloop.run(beside_a_flood(daemon.socket, FLOODS, queries))
    return [
        Figure(
            f"{MANY} clients, each with one request at a time",
            f"{many.per_second:.0f} requests/s, {waits(many.every)}, "
            f"most over least of a client {many.fairness:.2f}, memory +{grown:.0f} MiB",
            f"{FEW} clients: {few.per_second:.0f} requests/s, {waits(few.every)}, most over least {few.fairness:.2f}",
            f"most over least {BAR_FAIRNESS:g}",
            many.fairness <= BAR_FAIRNESS,
        ),
        Figure(
            f"one client beside {FLOODS} with {IN_FLIGHT} requests open each",
            waits(flooded),
            f"alone: {waits(alone)}",
        ),
    ]


def waits(milliseconds: list[float]) -> str:
    """How long requests took."""
    return f"p50 {percentile(milliseconds, 0.5):.1f}, p99 {percentile(milliseconds, 0.99):.1f} ms"


async def closed_loops(socket: str, clients: int, queries: list[str]) -> Tally:
    """``clients`` connections, each asking one query after the other."""
    times: list[list[float]] = [[] for _ in range(clients)]
    asked = itertools.cycle(queries)

    async def ask(client: AsyncClient, mine: list[float], deadline: float) -> None:
        while time.perf_counter() < deadline:
            mine.append(await search(client, next(asked)))

    await with_clients(socket, clients, lambda number, client, deadline: ask(client, times[number], deadline))
    return Tally(times)


async def beside_a_flood(socket: str, floods: int, queries: list[str]) -> list[float]:
    """Milliseconds of the requests of one client that waits for each, while others do not."""
    mine: list[float] = []
    asked = itertools.cycle(queries)

    async def ask(number: int, client: AsyncClient, deadline: float) -> None:
        async def one_after_the_other() -> None:
            while time.perf_counter() < deadline:
                took = await search(client, next(asked))
                if number == 0:
                    mine.append(took)

        await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT if number else 1)))

    await with_clients(socket, 1 + floods, ask)
    return mine


async def with_clients(
    socket: str, count: int, use: Callable[[int, AsyncClient, float], Coroutine[Any, Any, None]]
) -> None:
    """Connect ``count`` clients, use them all at once for SECONDS, and let go of them."""
    clients = [AsyncClient(socket, retries=RETRIES) for _ in range(count)]
    for client in clients:
        await client.__aenter__()
    try:
        deadline = time.perf_counter() + SECONDS
        await asyncio.gather(*(use(number, client, deadline) for number, client in enumerate(clients)))
    finally:
        for client in clients:
            await client.__aexit__(None, None, None)


async def search(client: AsyncClient, query: str) -> float:
    """Milliseconds that a search takes, the waiting included that the daemon asks for."""
    began = time.perf_counter()
    await client.search(query, mode="keyword", limit=5)
    return 1000 * (time.perf_counter() - began)
