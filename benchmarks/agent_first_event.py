"""From typing ``agentctl agent`` to the first event on the terminal."""

from __future__ import annotations

import os
import pty
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.ask import configure, instant_model
from benchmarks.harness.corpus import PROJECT
from benchmarks.harness.figures import Figure, median, spread
from benchmarks.harness.processes import run_seconds

if TYPE_CHECKING:
    from benchmarks.harness.workspace import Workspace

RUNS = 20
WARM_UP = 2
BAR = 250.0
"""Milliseconds."""

FIRST_EVENT = b"tools"
"""Of the line that ``started`` is shown as."""

AGENTCTL = [sys.executable, "-m", "agentd.cli.main"]


def run(workspace: Workspace) -> list[Figure]:
    """Whole processes on a pseudo-terminal, and bare interpreters in turn, so that both meet the same machine."""
    firsts, bare = [], []
    with instant_model() as port:
        daemon = workspace.empty()
        configure(daemon.folder, port)
        environment = {"PATH": os.environ["PATH"], "HOME": str(daemon.folder), "AGENTD_SOCKET": daemon.socket}
        with daemon, daemon.connect() as client:
            client.wait("vectors")
            for _ in range(WARM_UP + RUNS):
                command = [*AGENTCTL, "agent", "--all", "what is a queryset?"]
                firsts.append(first_event(command, environment | {"TERM": "xterm-256color"}))
                bare.append(1000 * run_seconds([sys.executable, "-c", "pass"], environment, daemon.folder)[0])
    firsts, bare = firsts[WARM_UP:], bare[WARM_UP:]
    return [
        Figure(
            f"first event of {len(firsts)} runs after agentctl agent is typed",
            spread(firsts),
            f"python -c pass: {median(bare):.0f} ms",
            f"p50 {BAR:g} ms",
            median(firsts) <= BAR,
        )
    ]


def first_event(command: list[str], environment: dict[str, str]) -> float:
    """Milliseconds until the terminal was told of the first event; the run is waited for.

    Raises:
        RuntimeError: it never was.
    """
    began, first, seen = time.perf_counter(), 0.0, b""
    child, terminal = pty.fork()
    if not child:
        os.chdir(PROJECT)
        os.execve(command[0], command, environment)  # noqa: S606  # a pseudo-terminal is made for a process of one's own
    while data := read(terminal):
        seen += data
        if not first and FIRST_EVENT in seen:
            first = 1000 * (time.perf_counter() - began)
    os.close(terminal)
    os.waitpid(child, 0)
    if not first:
        raise RuntimeError(f"expected a run on the terminal, found {seen[-500:]!r}")
    return first


def read(terminal: int) -> bytes:
    """What comes next; nothing once the other side has ended, which Linux tells as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
