"""How figures are printed: a line as each bench ends, a table at the end."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.harness.corpus import PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness.figures import Figure

COLUMNS = ("what", "measured", "baseline of the same run", "bar", "")
PIPE_COLUMNS = 160
MARKS = {True: "met", False: "MISSED", None: ""}


def line(figure: Figure) -> str:
    """One figure, its baseline and its bar."""
    notes = [figure.baseline, f"bar {figure.bar}: {MARKS[figure.met]}" if figure.bar else ""]
    aside = "; ".join(note for note in notes if note)
    return f"{figure.what}: {figure.measured}" + (f" ({aside})" if aside else "")


def print_table(figures: Sequence[Figure]) -> None:
    """For a terminal."""
    table = Table(*COLUMNS, show_lines=True)
    for figure in figures:
        table.add_row(*cells(figure))
    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)


def print_markdown(figures: Sequence[Figure], load: float) -> None:
    """For ``RESULTS.md``: the machine, its load before the run, the commit and the table."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(cells(figure) for figure in figures)]
    print("\n".join(machine(load)), "", *(f"| {' | '.join(row)} |" for row in rows), sep="\n")


def cells(figure: Figure) -> tuple[str, ...]:
    """A row of either table."""
    return figure.what, figure.measured, figure.baseline, figure.bar, MARKS[figure.met]


def machine(load: float) -> list[str]:
    """What the figures depend on, a list in Markdown."""
    return [
        f"- machine: {processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        f"- Python {platform.python_version()}, onnxruntime {version('onnxruntime')}, tantivy {version('tantivy')}",
        f"- commit: {commit()}",
        f"- load average at the start: {load:.1f}",
    ]


def processor() -> str:
    """The name that the processor gives itself (proc(5), cpuinfo)."""
    for entry in Path("/proc/cpuinfo").read_text().splitlines():
        if entry.startswith("model name"):
            return entry.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    """The checkout's commit, and whether files differ from it."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"
