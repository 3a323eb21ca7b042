"""A start on an index that has not changed: when it answers, and whether it computes anything again."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from benchmarks.harness.corpus import PROJECT
from benchmarks.harness.figures import Figure, median
from benchmarks.harness.processes import run_seconds

if TYPE_CHECKING:
    from agentd.protocol import SearchResult
    from benchmarks.harness.daemon import Daemon
    from benchmarks.harness.workspace import Workspace

QUERY = "how are database transactions rolled back"
BAR_SECONDS = 1.5
STARTS = 5
LIBRARIES = "aiosqlite, cachetools, msgspec, numpy, onnxruntime, simsimd, structlog, tantivy, tokenizers, uvloop"


def run(workspace: Workspace) -> list[Figure]:
    """Stop and start several times; the median of the times, and the most that any start computed."""
    daemon = workspace.indexed()
    starts = [start_again(daemon) for _ in range(STARTS)]
    seconds, computed = median([answered for answered, _ in starts]), max(count for _, count in starts)
    nothing, libraries = python_seconds("pass"), python_seconds(f"import {LIBRARIES}")
    return [
        Figure(
            "restart on an unchanged index: first search answered",
            f"{seconds:.2f} s (of {STARTS}: {', '.join(f'{answered:.2f}' for answered, _ in sorted(starts))})",
            f"python that imports the same libraries {libraries:.2f} s, python alone {nothing:.3f} s",
            f"{BAR_SECONDS:g} s",
            seconds <= BAR_SECONDS,
        ),
        Figure("restart on an unchanged index: embeddings computed", str(computed), "", "0", computed == 0),
    ]


def start_again(daemon: Daemon) -> tuple[float, int]:
    """Seconds from the start of the process to the first answer with hits of both kinds; embeddings computed after."""
    daemon.stop()
    daemon.start()
    with daemon.connect() as client:
        while not _answers(client.search(QUERY)):
            pass
        seconds = daemon.elapsed()
        client.wait("vectors")
        return seconds, client.stats()["embedding"]["computed"]


def _answers(result: SearchResult) -> bool:
    return bool(result["hits"]) and not result["degraded"]


def python_seconds(code: str) -> float:
    """Median time of a Python that runs ``code``."""
    command = [sys.executable, "-c", code]
    return median([run_seconds(command, os.environ, PROJECT)[0] for _ in range(STARTS)])
