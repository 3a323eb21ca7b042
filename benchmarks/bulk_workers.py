"""What a second bulk worker adds to the index rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.harness.bare import embed_bare, tokenise
from benchmarks.harness.figures import Figure
from benchmarks.harness.window import embedding_window

if TYPE_CHECKING:
    from benchmarks.harness.bare import Row
    from benchmarks.harness.workspace import Workspace

BAR_TIMES = 1.8


def run(workspace: Workspace) -> list[Figure]:
    """Tokens embedded a second with one worker and with two; bare onnxruntime with as many processes, for the limit."""
    rows, one = tokens_per_second(workspace, 1)
    _, two = tokens_per_second(workspace, 2)
    bare_one, bare_two = embed_bare(rows, 1), embed_bare(rows, 2)
    times = two / one
    return [
        Figure(
            "index rate, two bulk workers over one",
            f"{times:.2f} times ({one:,.0f} and {two:,.0f} tokens/s)",
            f"bare onnxruntime, two processes over one: {bare_one.seconds / bare_two.seconds:.2f} times",
            f"{BAR_TIMES:g} times",
            times >= BAR_TIMES,
        )
    ]


def tokens_per_second(workspace: Workspace, workers: int) -> tuple[list[Row], float]:
    """The tokenised texts that so many workers embedded in half a window, and how fast. Chunks differ in length."""
    with workspace.empty({"AGENTD_COMPUTE_BULK_WORKERS": str(workers)}) as daemon:
        window = embedding_window(daemon, workspace.scale.window_seconds / 2)
    rows = tokenise(window.texts)
    return rows, sum(map(len, rows)) / window.seconds
