"""Embedding while indexing, beside bare onnxruntime over the very same chunks, and that beside numpy's sgemm."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.harness.bare import embed_bare, sgemm_gflops, tokenise
from benchmarks.harness.figures import Figure
from benchmarks.harness.window import embedding_window

if TYPE_CHECKING:
    from benchmarks.harness.bare import Bare
    from benchmarks.harness.window import Window
    from benchmarks.harness.workspace import Workspace

PROCESSES = 2
SHARE_OF_BARE = 0.85
TIMES_SGEMM = 1.2


def run(workspace: Workspace) -> list[Figure]:
    """The daemon embeds for a while; then bare onnxruntime does the same chunks, with nothing else running."""
    with workspace.empty() as daemon:
        window = embedding_window(daemon, workspace.scale.window_seconds)
    bare = embed_bare(tokenise(window.texts), PROCESSES)
    alone, beside = sgemm_gflops(1), sgemm_gflops(PROCESSES)
    return [compute_limit(bare, alone, beside), rate(window, bare), cost(window, bare)]


def compute_limit(bare: Bare, alone: float, beside: float) -> Figure:
    """Whether the baseline itself is near what the machine can do."""
    times = bare.gflops / beside
    return Figure(
        "bare onnxruntime, a process of two",
        f"{bare.gflops:.0f} effective GFLOP/s ({times:.2f} times sgemm)",
        f"sgemm {beside:.0f} GFLOP/s, two at once ({alone:.0f} alone)",
        f"{TIMES_SGEMM:g} times sgemm",
        times >= TIMES_SGEMM,
    )


def rate(window: Window, bare: Bare) -> Figure:
    """The daemon's share of the baseline."""
    share = window.chunks_per_second / bare.chunks_per_second
    return Figure(
        f"embedding while indexing ({len(window.texts):,} chunks, {os.cpu_count()} cores)",
        f"{window.chunks_per_second:.1f} chunks/s ({share:.0%} of bare)",
        f"bare onnxruntime {bare.chunks_per_second:.1f} chunks/s",
        f"{SHARE_OF_BARE:.0%} of bare",
        share >= SHARE_OF_BARE,
    )


def cost(window: Window, bare: Bare) -> Figure:
    """The same by processor time: where the two differ less here, something else kept the processor busy."""
    daemon = len(window.texts) / window.cpu_seconds
    baseline = bare.chunks / bare.cpu_seconds
    busy = window.cpu_seconds / window.seconds
    return Figure(
        "chunks embedded for a second of processor time, all processes of the daemon",
        f"{daemon:.1f} ({daemon / baseline:.0%} of bare), {busy:.2f} cores busy",
        f"bare onnxruntime {baseline:.1f}, {bare.cpu_seconds / bare.seconds:.2f} cores busy",
    )
