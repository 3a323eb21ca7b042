"""Search while the daemon indexes at full rate: eight clients that ask as fast as they are answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.harness.figures import Figure, percentile, spread
from benchmarks.harness.load import Load

if TYPE_CHECKING:
    from benchmarks.harness.daemon import Daemon
    from benchmarks.harness.load import Sample
    from benchmarks.harness.workspace import Workspace

CLIENTS = 8
QUERIES = 4000
"""More than are asked in a run: none is answered from the memory of the one before."""
GREETING_SECONDS = 5.0
BAR_P99 = 150.0


def run(workspace: Workspace) -> list[Figure]:
    """From the first answer of a daemon with an empty index, over keyword indexing, into embedding."""
    daemon, queries = workspace.empty(), workspace.queries(QUERIES)
    searching, greeting = Load(daemon.socket, CLIENTS), Load(daemon.socket, CLIENTS)
    with daemon:
        with daemon.connect() as client:
            client.hello()  # the socket is there before the daemon is ready; a start is measured elsewhere
        searching.begin(queries)
        complete_at, rate = _embed_for(daemon, workspace.scale.load_seconds)
        samples = searching.end()
        greeting.begin([])
        time.sleep(GREETING_SECONDS)
        greetings = greeting.end()
    reading = [sample for sample in samples if sample.at < complete_at]
    embedding = [sample for sample in samples if sample.at >= complete_at]
    baseline = f"hello from {CLIENTS} clients meanwhile: {spread(_milliseconds(greetings))}"
    return [
        _figure("while files are read", reading, "", baseline),
        _figure("while chunks are embedded", embedding, f", embedding goes on at {rate:.1f} chunks/s", baseline),
    ]


def _embed_for(daemon: Daemon, seconds: float) -> tuple[float, float]:
    """When keyword search was complete, and chunks embedded a second in the ``seconds`` after."""
    with daemon.connect() as client:
        client.wait("keyword")
        began, before = time.perf_counter(), client.stats()["embedding"]["computed"]
        time.sleep(seconds)
        computed = client.stats()["embedding"]["computed"] - before
        return began, computed / (time.perf_counter() - began)


def _figure(when: str, samples: list[Sample], aside: str, baseline: str) -> Figure:
    milliseconds = _milliseconds(samples)
    return Figure(
        f"search, {CLIENTS} clients in closed loops, {when}",
        f"{spread(milliseconds)}, {len(samples):,} searches{aside}",
        baseline,
        f"p99 {BAR_P99:g} ms",
        percentile(milliseconds, 0.99) <= BAR_P99,
    )


def _milliseconds(samples: list[Sample]) -> list[float]:
    assert samples, "expected requests to be answered, found none"
    return [sample.milliseconds for sample in samples]
