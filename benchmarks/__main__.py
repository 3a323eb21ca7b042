"""``python -m benchmarks [NAME ...]``: run the benches and print their figures beside bars and baselines.

A bar that is missed is printed, not an error: the exit code is 1 only where a bench could not be run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    agent_first_event,
    agent_tools,
    agent_turn,
    ask,
    bulk_changes,
    bulk_workers,
    client_start,
    clients,
    embedding_rate,
    extractive,
    freshness,
    graph,
    idle_cpu,
    keyword_complete,
    loop_lag,
    mcp,
    memory,
    ranking,
    redaction,
    remote_embedding,
    restart,
    search_busy,
    search_idle,
    support_check,
    symbols,
)
from benchmarks.harness import corpus, report
from benchmarks.harness.workspace import FULL, QUICK, Workspace

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from benchmarks.harness.figures import Figure

    Bench = Callable[[Workspace], list[Figure]]

BENCHES: dict[str, Bench] = {
    "embedding": embedding_rate.run,
    "symbols": symbols.run,
    "keyword": keyword_complete.run,
    "search-busy": search_busy.run,
    "loop-lag": loop_lag.run,
    "bulk-workers": bulk_workers.run,
    "remote-embedding": remote_embedding.run,
    "graph": graph.run,
    "support": support_check.run,
    "answers": extractive.run,
    "redaction": redaction.run,
    "agent-tools": agent_tools.run,
    "agent-turn": agent_turn.run,
    "bulk-changes": bulk_changes.run,
    "idle-cpu": idle_cpu.run,
    # Those below share one complete index. Memory comes first: it is that of the daemon that did the indexing.
    "memory": memory.run,
    "search-idle": search_idle.run,
    "clients": clients.run,
    "ask": ask.run,
    "ranking": ranking.run,
    "freshness": freshness.run,
    "client-start": client_start.run,
    "mcp": mcp.run,
    "agent-first-event": agent_first_event.run,
    "restart": restart.run,
}


QUIET_LOAD = 0.5
"""Load average above which figures are not those of the daemon alone."""


def main() -> int:
    """Run what was named, or all."""
    arguments = parse()
    load = os.getloadavg()[0]
    if load > QUIET_LOAD:
        print(f"Something else keeps this machine busy (load average {load:.1f}): the figures will be worse for it.\n")
    tree = arguments.corpus.resolve() if arguments.corpus else corpus.django()
    with (
        tempfile.TemporaryDirectory(prefix="agentd-bench-") as folder,
        Workspace(Path(folder), tree, QUICK if arguments.quick else FULL) as workspace,
    ):
        figures, failed = run(arguments.names or list(BENCHES), workspace)
    if arguments.quick:
        print("\nA quick run: a small tree and short windows. The bars are meant for a full one.")
    if arguments.markdown:
        report.print_markdown(figures, load)
    else:
        report.print_table(figures)
    return 1 if failed else 0


def parse() -> Namespace:
    """The command line."""
    parser = ArgumentParser(prog="python -m benchmarks", description="Measure agentd. A full run takes 20 minutes.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which benches: {', '.join(BENCHES)} (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="a small part of the tree and short windows: a few minutes"
    )
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="an unpacked source distribution of Django 5.1")
    parser.add_argument("--markdown", action="store_true", help="print the table as benchmarks/RESULTS.md has it")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(BENCHES)):
        parser.error(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    return arguments


def run(names: list[str], workspace: Workspace) -> tuple[list[Figure], bool]:
    """The figures of all, and whether any could not be run; each is printed as soon as it is known."""
    figures: list[Figure] = []
    failed = False
    for name in names:
        print(f"{name} ...", flush=True)
        began = time.perf_counter()
        try:
            found = BENCHES[name](workspace)
        except Exception:  # noqa: BLE001  # the outermost edge: the other benches can still be run
            failed = True
            print(f"{name} could not be run:\n{traceback.format_exc()}", file=sys.stderr)
            continue
        figures += found
        print(*(f"  {report.line(figure)}" for figure in found), sep="\n")
        print(f"  ({time.perf_counter() - began:.0f} s)", flush=True)
    return figures, failed


if __name__ == "__main__":
    sys.exit(main())
