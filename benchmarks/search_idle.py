"""Search with nothing else to do: distinct queries, one after the other on one connection."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.harness.figures import Figure, percentile, spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

LIMIT = 10
WARM_UP = 20
BAR_P50 = 10.0
BAR_P99 = 30.0
"""Milliseconds at the socket, the client's decoding included."""


def run(workspace: Workspace) -> list[Figure]:
    """Fusion of keywords and vectors, limit 10; no query is asked twice, so that none is answered from memory."""
    queries = workspace.queries(WARM_UP + workspace.scale.queries)
    with workspace.indexed().connect() as client:
        for query in queries[:WARM_UP]:
            search(client, query)
        greetings = [timed(client.hello) for _ in queries]
        found = [timed(partial(search, client, query)) for query in queries[WARM_UP:]]
    p50, p99 = percentile(found, 0.5), percentile(found, 0.99)
    return [
        Figure(
            f"search, {len(found)} distinct queries, index idle",
            spread(found),
            f"hello: {spread(greetings)}",
            f"p50 {BAR_P50:g}, p99 {BAR_P99:g} ms",
            p50 <= BAR_P50 and p99 <= BAR_P99,
        )
    ]


def timed(request: Callable[[], object]) -> float:
    """Milliseconds that a request takes."""
    began = time.perf_counter()
    request()
    return 1000 * (time.perf_counter() - began)


def search(client: Client, query: str) -> None:
    """One search, answered in full."""
    result = client.search(query, limit=LIMIT)
    assert result["complete"], f"expected complete answers of an idle index, found {result['degraded']}"
