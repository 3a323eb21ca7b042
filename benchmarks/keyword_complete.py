"""From an empty state to keyword search over every file of the tree."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.figures import Figure, median
from benchmarks.harness.processes import meet, together

if TYPE_CHECKING:
    from benchmarks.harness.workspace import Workspace

BAR_SECONDS = 8.0


def run(workspace: Workspace) -> list[Figure]:
    """Several starts from nothing; the median counts."""
    tree = str(workspace.tree)
    (bare,) = together(read_all, [tree])
    times = [index_once(workspace) for _ in range(workspace.scale.repeats)]
    seconds = median([whole for whole, _, _ in times])
    served = median([since_connect for _, since_connect, _ in times])
    return [
        Figure(
            f"keyword search complete, {times[0][2]:,} files",
            f"{seconds:.1f} s from the start of the process, {served:.1f} s from the first connection",
            f"one process reads and hashes every file: {bare:.1f} s",
            f"{BAR_SECONDS:g} s",
            seconds <= BAR_SECONDS,
        )
    ]


def index_once(workspace: Workspace) -> tuple[float, float, int]:
    """Seconds since the start, seconds since the first connection, files that can be searched."""
    with workspace.empty() as daemon, daemon.connect() as client:
        connected = daemon.elapsed()
        client.wait("keyword")
        seconds = daemon.elapsed()
        status = client.status()
    assert status["documents"], f"expected files of {workspace.tree} to be indexed, found none"
    assert not status["pending"], f"expected every file to be read, found {status['pending']} pending"
    assert status["keyword_generation"] == status["generation"], "expected the keyword view to be current"
    return seconds, seconds - connected, status["documents"]


def read_all(tree: str) -> float:
    """Seconds to read every file below ``tree`` and to take its BLAKE2b."""
    meet()
    began = time.perf_counter()
    for path in Path(tree).rglob("*"):
        if path.is_file():
            hashlib.blake2b(path.read_bytes()).digest()
    return time.perf_counter() - began
