"""Symbols and edges of Python source on one core, beside the bare tree-sitter parse of the same files."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, NamedTuple

from tree_sitter import Parser

from agentd.kernels.chunks import Source
from agentd.kernels.code import chunk_code, read_code
from agentd.kernels.edges import edges
from agentd.kernels.grammars import load
from benchmarks.harness.figures import Figure

if TYPE_CHECKING:
    from benchmarks.harness.workspace import Workspace

BAR_MB = 4.0
CHUNK_CHARS = 1200
ROUNDS = 3
WORKER_GC_THRESHOLD = 50_000
"""Objects between two collections, as a worker has it."""


class Seconds(NamedTuple):
    """Processor time over all files: tree-sitter alone, with symbols and edges, and with chunks besides."""

    bare: float
    structure: float
    chunks: float


def run(workspace: Workspace) -> list[Figure]:
    """Each file is taken three ways in turn, so that what else the machine does concerns all of them alike."""
    files = sorted(workspace.tree.rglob("*.py"))
    texts = {str(path.relative_to(workspace.tree)): path.read_text("utf-8", errors="replace") for path in files}
    size = sum(len(text.encode()) for text in texts.values()) / 1e6
    before = gc.get_threshold()
    gc.set_threshold(WORKER_GC_THRESHOLD)
    gc.freeze()
    try:
        best = min((measure(texts) for _ in range(ROUNDS)), key=sum)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
    return [
        Figure(
            f"parse, symbols and edges of {size:.1f} MB of Python on one core",
            f"{size / best.structure:.1f} MB/s",
            f"bare tree-sitter {size / best.bare:.1f} MB/s",
            f"{BAR_MB:g} MB/s",
            size / best.structure >= BAR_MB,
        ),
        Figure("the same, and chunks", f"{size / best.chunks:.1f} MB/s"),
    ]


def measure(texts: dict[str, str]) -> Seconds:
    """One round over all files."""
    parser = Parser(load("python"))
    bare = structure = chunks = 0.0
    for path, text in texts.items():
        data = text.encode()
        began = time.process_time()
        parser.parse(data)
        parsed = time.process_time()
        source = Source(text)
        started = time.process_time()
        code = read_code(source, "python")
        edges(path, "python", code.captures, code.symbols)
        structured = time.process_time()
        chunk_code(source, code, CHUNK_CHARS)
        chunked = time.process_time()
        bare += parsed - began
        structure += structured - started
        chunks += chunked - started
    return Seconds(bare, structure, chunks)
