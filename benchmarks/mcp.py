"""The MCP server: when it is ready, what it adds to a search, eight clients at once, and what each of them weighs.

The client is the one of the official SDK, whose own part is in every figure: writing requests, reading results and
holding them against the schemas.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from agentd.aclient import AsyncClient
from benchmarks.harness.figures import Figure, median, percentile, spread
from benchmarks.harness.processes import family, pss_bytes, run_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from benchmarks.harness.workspace import Workspace

AGENTCTL = str(Path(sys.executable).with_name("agentctl"))
CLIENTS = 8
SECONDS = 10.0
TOKENS = 3600
"""Of a search over the socket: what the tool asks for where it is given no other budget."""
BAR_BEYOND_MS, BAR_READY_SECONDS = 5.0, 1.2
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}


def run(workspace: Workspace) -> list[Figure]:
    """All on the daemon that has indexed the tree."""
    return [ready(workspace), *asyncio.run(searches(workspace)), asyncio.run(crowd(workspace))]


def environment(workspace: Workspace) -> dict[str, str]:
    """What a client gives its servers."""
    daemon = workspace.indexed()
    return {"PATH": os.environ["PATH"], "HOME": str(daemon.folder), "AGENTD_SOCKET": daemon.socket}


def ready(workspace: Workspace) -> Figure:
    """From the start of the process to the answer to ``initialize``, and imports of the SDK alone, in turn."""
    times, bare = [], []
    command = [sys.executable, "-c", "import mcp.server.lowlevel, mcp.server.stdio"]
    for _ in range(workspace.scale.starts):
        times.append(start_seconds(workspace))
        bare.append(run_seconds(command, environment(workspace), workspace.tree)[0])
    return Figure(
        f"agentctl mcp, start to answered initialize, median of {len(times)}",
        f"{median(times):.2f} s",
        f"import of the SDK alone: {median(bare):.2f} s",
        f"{BAR_READY_SECONDS:g} s",
        median(times) <= BAR_READY_SECONDS,
    )


def start_seconds(workspace: Workspace) -> float:
    """One start."""
    began = time.perf_counter()
    with subprocess.Popen(
        [AGENTCTL, "mcp"],
        cwd=workspace.tree,
        env=environment(workspace),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        server.stdin.flush()
        assert b'"result"' in server.stdout.readline()
        taken = time.perf_counter() - began
        server.stdin.close()
    return taken


@contextlib.asynccontextmanager
async def connected(workspace: Workspace) -> AsyncIterator[ClientSession]:
    """A client with a server of its own, warm."""
    server = StdioServerParameters(command=AGENTCTL, args=["mcp"], env=environment(workspace), cwd=str(workspace.tree))
    async with stdio_client(server) as (incoming, outgoing), ClientSession(incoming, outgoing) as session:
        await session.initialize()
        await search(session, "warm")
        yield session


async def search(session: ClientSession, query: str) -> float:
    """Milliseconds of one search."""
    began = time.perf_counter()
    found = await session.call_tool("search", {"query": query})
    assert not found.is_error, found
    return 1000 * (time.perf_counter() - began)


async def searches(workspace: Workspace) -> list[Figure]:
    """Distinct queries through the server and over the socket in turn, and the PSS of the server after them."""
    through, beside = [], []
    queries = iter(workspace.queries(workspace.scale.queries))
    async with connected(workspace) as session, AsyncClient(workspace.indexed().socket) as client:
        for ours, theirs in zip(queries, queries, strict=False):
            through.append(await search(session, ours))
            began = time.perf_counter()
            await client.search(theirs, roots=[str(workspace.tree)], limit=10, max_tokens=TOKENS)
            beside.append(1000 * (time.perf_counter() - began))
        weight = pss_bytes(server_process())
    beyond = median(through) - median(beside)
    return [
        Figure(
            f"search through MCP beyond the socket's time, p50 of {len(through)}",
            f"{beyond:.1f} ms ({spread(through)})",
            f"the socket: {spread(beside)}",
            f"{BAR_BEYOND_MS:g} ms",
            beyond <= BAR_BEYOND_MS,
        ),
        Figure("PSS of one MCP server", f"{weight / 1e6:.0f} MB"),
    ]


def server_process() -> int:
    """The one child of this process that serves MCP."""
    return next(pid for pid in family(os.getpid()) if b"\0mcp\0" in Path(f"/proc/{pid}/cmdline").read_bytes())


async def crowd(workspace: Workspace) -> Figure:
    """Eight clients in closed loops, each with a server of its own, and one daemon."""
    queries = itertools.cycle(workspace.queries(400))
    until = asyncio.Event()
    ready_clients = itertools.count(1)
    all_ready = asyncio.Event()

    async def client() -> list[float]:
        async with connected(workspace) as session:
            if next(ready_clients) == CLIENTS:
                all_ready.set()
                asyncio.get_running_loop().call_later(SECONDS, until.set)
            await all_ready.wait()
            return [await search(session, query) async for query in until_set(queries, until)]

    times = await asyncio.gather(*(client() for _ in range(CLIENTS)))
    middles = sorted(median(each) for each in times)
    last = sorted(percentile(each, 0.99) for each in times)
    counts = [len(each) for each in times]
    return Figure(
        f"{CLIENTS} MCP clients at once, one daemon: p50 and p99 of the best and the worst served",
        f"p50 {middles[0]:.0f} to {middles[-1]:.0f}, p99 {last[0]:.0f} to {last[-1]:.0f} ms",
        f"searches of one client: {min(counts)} to {max(counts)}",
    )


async def until_set(queries: Iterator[str], end: asyncio.Event) -> AsyncIterator[str]:
    """Queries until ``end`` is set."""
    while not end.is_set():
        yield next(queries)
