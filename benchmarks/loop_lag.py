"""How late the daemon's loop is while it indexes, garbage collection included."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

import uvloop

from agentd.observability.lag import LagProbe
from benchmarks.harness.figures import Figure
from benchmarks.harness.processes import meet, together

if TYPE_CHECKING:
    from benchmarks.harness.workspace import Workspace

BAR_P999 = 10.0
BAR_WORST = 50.0
"""Milliseconds."""
BASELINE_SECONDS = 20.0
NICE = 15
"""That of the daemon's bulk workers."""


def run(workspace: Workspace) -> list[Figure]:
    """The daemon measures itself, from its first turn of the loop: reading files first, then embedding."""
    idle = next(lag for lag in together(idle_or_burn, ["probe", "burn", "burn"]) if lag is not None)
    with workspace.empty() as daemon, daemon.connect() as client:
        client.wait("keyword")
        reading = client.stats()["loop_lag"]
        time.sleep(workspace.scale.window_seconds)
        whole = client.stats()["loop_lag"]
    return [
        Figure(
            "loop lag while indexing",
            f"p99.9 {whole['p999_ms']:.1f}, worst {whole['max_ms']:.1f} ms "
            f"(until keyword search was complete {reading['p999_ms']:.1f}, {reading['max_ms']:.1f}); "
            f"garbage collection within: {collections(whole['garbage_collection'])}",
            f"idle uvloop beside two niced burners: p99.9 {idle['p999_ms']:.1f}, worst {idle['max_ms']:.1f} ms",
            f"p99.9 {BAR_P999:g}, worst {BAR_WORST:g} ms",
            whole["p999_ms"] <= BAR_P999 and whole["max_ms"] <= BAR_WORST,
        )
    ]


def collections(pauses: dict[str, dict[str, float]]) -> str:
    """How many of each generation, and the longest pause."""
    parts = [f"{pause['count']:.0f} of {name.replace('_', ' ')}" for name, pause in pauses.items() if pause["count"]]
    longest = max(pause["max_ms"] for pause in pauses.values())
    return f"{', '.join(parts)}, longest {longest:.1f} ms" if parts else "none"


def idle_or_burn(role: str) -> dict[str, Any] | None:
    """Probe a loop that has nothing to do, or be one of the niced processes beside it."""
    if role == "probe":
        meet()
        return uvloop.run(_probe())
    os.nice(NICE)
    meet()
    deadline = time.perf_counter() + BASELINE_SECONDS
    while time.perf_counter() < deadline:
        pass
    return None


async def _probe() -> dict[str, Any]:
    probe = LagProbe()
    try:
        async with asyncio.timeout(BASELINE_SECONDS):
            await probe.run()
    except TimeoutError:
        pass
    return probe.snapshot()
