"""What ``agentctl search`` costs beyond the daemon's own time."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.figures import Figure, median
from benchmarks.harness.processes import run_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.harness.workspace import Workspace

BAR_TIMES = 4.0
AGENTCTL = str(Path(sys.executable).with_name("agentctl"))


def run(workspace: Workspace) -> list[Figure]:
    """Whole processes, searches and bare interpreters in turn, so that both meet the same machine."""
    daemon, folder = workspace.indexed(), workspace.tree
    environment = {"PATH": os.environ["PATH"], "HOME": str(daemon.folder), "AGENTD_SOCKET": daemon.socket}
    searches, bare = [], []
    for query in workspace.queries(workspace.scale.starts):
        searches.append(beyond_the_server(query, environment, folder))
        bare.append(run_seconds([sys.executable, "-c", "pass"], environment, folder)[0])
    times = median(searches) / median(bare)
    return [
        Figure(
            f"agentctl search beyond the server's time, median of {len(searches)}",
            f"{1000 * median(searches):.0f} ms ({times:.1f} times python)",
            f"python -c pass: {1000 * median(bare):.0f} ms",
            f"{BAR_TIMES:g} times",
            times <= BAR_TIMES,
        )
    ]


def beyond_the_server(query: str, environment: Mapping[str, str], folder: Path) -> float:
    """Seconds that the command took, less those that the daemon says it took for the search."""
    seconds, output = run_seconds([AGENTCTL, "--json", "search", query], environment, folder)
    return seconds - float(json.loads(output)["took_ms"]) / 1000
