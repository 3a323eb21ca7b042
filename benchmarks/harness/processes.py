"""Processes: several at once, how long one takes, and what a family of them weighs."""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Barrier

A = TypeVar("A")
T = TypeVar("T")

GATHER_SECONDS = 120.0
"""How long those who are ready wait for the others."""

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for numpy in the processes started below: one thread each

_barrier: Barrier | None = None


def together(function: Callable[[A], T], arguments: Sequence[A]) -> list[T]:
    """``function`` of each argument, each in a process of its own, all at once after they met in :func:`meet`."""
    context = get_context("spawn")
    barrier = context.Barrier(len(arguments), timeout=GATHER_SECONDS)
    with ProcessPoolExecutor(len(arguments), context, initializer=_join, initargs=(barrier,)) as pool:
        return list(pool.map(function, arguments))


def meet() -> None:
    """Called once in ``function``, when it is ready: goes on when all are.

    Raises:
        threading.BrokenBarrierError: one of the others never came.
    """
    assert _barrier is not None, "meet() is for processes started by together()"
    _barrier.wait()


def _join(barrier: Barrier) -> None:
    global _barrier  # noqa: PLW0603  # a pool hands nothing else to its processes
    _barrier = barrier


def run_seconds(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> tuple[float, bytes]:
    """How long a command takes as a whole, and what it printed.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    began = time.perf_counter()
    output = subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE).stdout
    return time.perf_counter() - began, output


def family(pid: int) -> list[int]:
    """The process and all its descendants (proc(5), stat: the parent is the second field after the name)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for member in found:  # grows while it is read
        found += children.get(member, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time that the process and its descendants have used (proc(5), stat: user and system, in ticks)."""
    ticks = 0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_bytes(pid: int, part: str = "Pss") -> int:
    """Proportional set size: private pages, and its share of those it has in common (proc(5), smaps_rollup); ``part``
    may be ``Pss_Anon`` or ``Pss_File``.
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{part}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"expected a line {part}: in /proc/{pid}/smaps_rollup, found none")
