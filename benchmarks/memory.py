"""What the daemon and its workers weigh, some time after they have indexed everything and answered a few searches."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from agentd.kernels.model import load_model
from agentd.models import builtin_model_directory
from benchmarks.harness.figures import Figure
from benchmarks.harness.processes import family, pss_bytes, together

if TYPE_CHECKING:
    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

BAR_MEGABYTES = 350.0
SEARCHES = 20
MEGA = 1024 * 1024


def run(workspace: Workspace) -> list[Figure]:
    """The sum over the family of processes, and each of them."""
    daemon = workspace.indexed()
    with daemon.connect() as client:
        for query in workspace.queries(SEARCHES):
            client.search(query)
        client.wait("vectors")
        time.sleep(workspace.scale.idle_seconds)
        names = roles(client)
    weights = [(names.get(pid, "helper"), pss_bytes(pid)) for pid in family(daemon.pid)]
    total = sum(weight for _, weight in weights) / MEGA
    (model,) = together(model_alone, [str(builtin_model_directory())])
    return [
        Figure(
            f"memory (sum of PSS) after {workspace.scale.idle_seconds:g} s idle",
            f"{total:.0f} MB ({', '.join(f'{name} {weight / MEGA:.0f}' for name, weight in weights)})",
            f"a process with the model alone: {model / MEGA:.0f} MB",
            f"{BAR_MEGABYTES:g} MB",
            total <= BAR_MEGABYTES,
        )
    ]


def roles(client: Client) -> dict[int, str]:
    """What each process is, by its id."""
    stats = client.stats()
    workers = {worker["pid"]: f"{worker['lane']} worker" for worker in stats["compute"]["workers"]}
    return {stats["process"]["pid"]: "daemon", **workers}


def model_alone(directory: str) -> int:
    """Bytes of a process that has loaded the model and its tokenizer, and used them once."""
    model = load_model(directory)
    model.run(model.tokenise(["a sentence"], model.encoder.effective_limit(0))[0])
    return pss_bytes(os.getpid())
