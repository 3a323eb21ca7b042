"""What the machine could do: matrix products by numpy, and the model by onnxruntime with nothing around it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from agentd.kernels.model import load_model
from agentd.models import builtin_model_directory
from benchmarks.harness.processes import meet, together

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE = 1024
ROUNDS = 8
PRODUCTS = 10
"""Matrix products in a round: about 150 ms at 150 GFLOP/s."""

RUN_TOKENS = 256
"""Tokens that go through the model at once: more leave the caches of a core."""
WARM_UP_RUNS = 20

LAYERS, HIDDEN, INNER = 6, 384, 1536
"""all-MiniLM-L6-v2: layers, width, width inside the feed-forward part."""

Row = list[int]


@dataclass(frozen=True)
class Bare:
    """How fast bare onnxruntime embedded chunks in ``processes`` processes at once; ``cpu_seconds`` is their sum."""

    chunks: int
    flops: int
    seconds: float
    cpu_seconds: float
    processes: int

    @property
    def chunks_per_second(self) -> float:
        """All processes together."""
        return self.chunks / self.seconds

    @property
    def gflops(self) -> float:
        """Effective GFLOP/s of one process: 1e9 of the operations that the formula counts, a second."""
        return self.flops / self.seconds / self.processes / 1e9


def flops(tokens: int) -> int:
    """Floating-point operations of the model for a text of ``tokens`` tokens; multiplying and adding are one each.

    A layer has projections to query, key, value and output (4 of 384 x 384), a feed-forward part (384 x 1536 and back),
    and two products of attention (scores, mixed values), each tokens x tokens x 384 over all heads. Look-ups, norms,
    softmax and GELU (under 1 %) and padding are not counted.
    """
    projections = 2 * tokens * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * INNER)
    attention = 2 * (2 * tokens * tokens * HIDDEN)
    return LAYERS * (projections + attention)


def tokenise(texts: Sequence[str]) -> list[Row]:
    """Token ids as the daemon makes them, cut to the model's limit."""
    model = load_model(str(builtin_model_directory()))
    return model.tokenise(texts, model.encoder.effective_limit(0))[0]


def sgemm_gflops(processes: int) -> float:
    """GFLOP/s of one process of several at once: the best of several rounds of 1024 x 1024 float32 by numpy."""
    return sum(together(_multiply, range(processes))) / processes


def _multiply(seed: int) -> float:
    left, right = np.random.default_rng(seed).random((2, SIDE, SIDE), dtype=np.float32)
    product = left @ right
    meet()
    best = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(PRODUCTS):
            np.matmul(left, right, out=product)
        best = max(best, PRODUCTS * 2 * SIDE**3 / (time.perf_counter() - began) / 1e9)
    return best


def embed_bare(rows: Sequence[Row], processes: int) -> Bare:
    """Run the model over tokenised chunks: sorted by length, runs capped at 256 tokens, one thread a process.

    Timed is ``session.run`` alone, from the moment that all processes are ready to the end of the last one. Texts are
    tokenised and padded to arrays before.
    """
    runs = capped_runs(rows)
    times = together(_embed, [runs[share::processes] for share in range(processes)])
    seconds, cpu = max(wall for wall, _ in times), sum(cpu for _, cpu in times)
    return Bare(len(rows), sum(flops(len(row)) for row in rows), seconds, cpu, processes)


def capped_runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows by length, in runs of at most ``RUN_TOKENS`` tokens with padding; among thousands there is next to none."""
    runs: list[list[Row]] = []
    for row in sorted(rows, key=len):
        if runs and (len(runs[-1]) + 1) * len(row) <= RUN_TOKENS:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _embed(runs: list[list[Row]]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    path = builtin_model_directory() / "model.onnx"
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feeds = [_feed(run) for run in runs]
    for feed in feeds[:WARM_UP_RUNS]:
        session.run(None, feed)
    meet()
    began, cpu_began = time.perf_counter(), time.process_time()
    for feed in feeds:
        session.run(None, feed)
    return time.perf_counter() - began, time.process_time() - cpu_began


def _feed(run: list[Row]) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    ids = np.zeros((len(run), max(map(len, run))), np.int64)
    mask = np.zeros_like(ids)
    for number, row in enumerate(run):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}
