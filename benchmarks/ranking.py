"""What full ranking adds to a search: definitions and paths looked up, features made, candidates scored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from benchmarks.harness.figures import Figure, median, percentile, spread

if TYPE_CHECKING:
    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

    Mode = Literal["fusion", "full"]

LIMIT = 10
WARM_UP = 20
BAR_ADDED = 5.0
"""Milliseconds of p50 at the socket over fusion alone."""
BAR_LAG_P999 = 10.0
BAR_LAG_WORST = 50.0
"""Milliseconds: that of the daemon while it indexes, which must hold here too."""


class Pair(NamedTuple):
    """Milliseconds of one query in each mode."""

    fusion: float
    full: float


def run(workspace: Workspace) -> list[Figure]:
    """Every query in both modes in turn, on a daemon just started, so that its loop's lag is that of these searches."""
    queries = workspace.queries(WARM_UP + workspace.scale.queries)
    daemon = workspace.indexed()
    daemon.stop()
    daemon.start()
    with daemon.connect() as client:
        client.wait("vectors")
        pairs = [ask_both(client, query, full_first=bool(number % 2)) for number, query in enumerate(queries)]
        lag = client.stats()["loop_lag"]
    return [cost(pairs[WARM_UP:]), lateness(lag)]


def ask_both(client: Client, query: str, *, full_first: bool) -> Pair:
    """The query in each mode, in either order. It is asked once before, so that neither has to embed it."""
    timed(client, query, "fusion")
    if full_first:
        full = timed(client, query, "full")
        return Pair(timed(client, query, "fusion"), full)
    return Pair(timed(client, query, "fusion"), timed(client, query, "full"))


def timed(client: Client, query: str, mode: Mode) -> float:
    """Milliseconds of one search, answered in full."""
    began = time.perf_counter()
    result = client.search(query, limit=LIMIT, mode=mode, rerank=False)
    took = 1000 * (time.perf_counter() - began)
    assert result["complete"], f"expected complete answers of an idle index, found {result['degraded']}"
    return took


def cost(pairs: list[Pair]) -> Figure:
    """What full ranking adds: between the medians, and in the median of the same query's two."""
    fusion, full = [pair.fusion for pair in pairs], [pair.full for pair in pairs]
    added = percentile(full, 0.5) - percentile(fusion, 0.5)
    alone = median([pair.full - pair.fusion for pair in pairs])
    return Figure(
        f"full ranking over fusion, {len(pairs)} queries in both modes in turn",
        f"p50 {added:+.1f} ms ({alone:+.1f} in the median of one query); full: {spread(full)}",
        f"fusion: {spread(fusion)}",
        f"p50 +{BAR_ADDED:g} ms",
        added <= BAR_ADDED,
    )


def lateness(lag: dict[str, float]) -> Figure:
    """The loop's lag from the start of the daemon to the last search."""
    return Figure(
        "loop lag while these were searched, start included",
        f"p99.9 {lag['p999_ms']:.1f}, worst {lag['max_ms']:.1f} ms",
        bar=f"p99.9 {BAR_LAG_P999:g}, worst {BAR_LAG_WORST:g} ms",
        met=lag["p999_ms"] <= BAR_LAG_P999 and lag["max_ms"] <= BAR_LAG_WORST,
    )
