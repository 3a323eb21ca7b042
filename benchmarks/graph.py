"""Callers and callees of functions whose calls were found by hand (``graph_judgements``): precision and recall."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.corpus import distribution
from benchmarks.harness.daemon import Daemon
from benchmarks.harness.figures import Figure, percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentd.client import Client
    from agentd.protocol import Calls
    from benchmarks.harness.workspace import Workspace

JUDGEMENTS = Path(__file__).with_name("graph_judgements")
SURE = ("exact", "import")
"""Certainties that promise to be right."""
BAR_PRECISION = 0.95
BAR_RECALL = 0.85
LIMIT = 1000
PATIENCE = 120.0
"""Seconds until every file must be linked."""


@dataclass
class Tally:
    """Judged and found edges of one package; ``right`` and ``wrong`` are found ones, by certainty."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    milliseconds: list[float] = field(default_factory=list)

    def add(self, found: Mapping[str, str], judged: Iterable[str]) -> None:
        """Take in the certainties of what was found and the names of what is there."""
        there = set(judged)
        self.judged += len(there)
        for name, certainty in found.items():
            (self.right if name in there else self.wrong)[certainty] += 1

    @property
    def precision(self) -> float:
        """Of the edges that promise to be right, the share that is."""
        right = sum(self.right[certainty] for certainty in SURE)
        return right / max(1, right + sum(self.wrong[certainty] for certainty in SURE))

    @property
    def recall(self) -> float:
        """Of the judged edges, the share that was found, with whatever certainty."""
        return self.right.total() / max(1, self.judged)


def run(workspace: Workspace) -> list[Figure]:
    """One daemon a package, with an empty state; it is asked about every judged function."""
    return [figure for path in sorted(JUDGEMENTS.glob("*.json")) for figure in measure(workspace, path)]


def measure(workspace: Workspace, judgement: Path) -> list[Figure]:
    """Precision and recall for one package."""
    judged = json.loads(judgement.read_text(encoding="utf-8"))
    name, _, version = judged["package"].partition("==")
    tree = distribution(name, version)
    tally = Tally()
    with Daemon(workspace.tools / f"graph-{name}", tree) as daemon, daemon.connect() as client:
        wait_for_links(client)
        for function in judged["functions"]:
            for relation, ask in (("callers", client.callers), ("callees", client.callees)):
                tally.add(ask_one(ask, function["function"], tree / judged["source"], tally), function[relation])
    return figures(judged["package"], tally)


def wait_for_links(client: Client) -> None:
    """Return once every file is read and its edges are followed.

    Raises:
        TimeoutError: that is not so after ``PATIENCE`` seconds.
    """
    client.wait("keyword")
    deadline = time.perf_counter() + PATIENCE
    while (pending := client.status()["graph_pending"]) > 0:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"expected every file to be linked in {PATIENCE:g} s, found {pending} pending")


def ask_one(ask: Callable[..., Calls], function: str, source: Path, tally: Tally) -> dict[str, str]:
    """``PATH:QUALIFIED`` of what a function calls, or is called by, below ``source``; each with its best certainty."""
    answer = ask(function, limit=LIMIT)
    tally.milliseconds.append(answer["took_ms"])
    order = ("exact", "import", "unique_name", "name")
    found: dict[str, str] = {}
    entries: list[Any] = sorted(answer["entries"], key=lambda entry: order.index(entry["certainty"]))
    for entry in entries:
        path = Path(entry["path"])
        if path.is_relative_to(source) and entry["kind"] != "file":
            root = Path(entry["root"])
            found.setdefault(f"{path.relative_to(root)}:{entry['name']}", entry["certainty"])
    return found


def figures(package: str, tally: Tally) -> list[Figure]:
    """The two bars, and how long an answer takes."""
    by_certainty = ", ".join(
        f"{certainty} {tally.right[certainty]} of {tally.right[certainty] + tally.wrong[certainty]}"
        for certainty in (*SURE, "unique_name", "name")
    )
    return [
        Figure(
            f"graph of {package}: precision of edges called exact or by import",
            f"{tally.precision:.1%} (right by certainty: {by_certainty})",
            bar=f"{BAR_PRECISION:.0%}",
            met=tally.precision >= BAR_PRECISION,
        ),
        Figure(
            f"graph of {package}: recall over {tally.judged} judged callers and callees",
            f"{tally.recall:.1%} (p50 of an answer {percentile(tally.milliseconds, 0.5):.1f} ms)",
            bar=f"{BAR_RECALL:.0%}",
            met=tally.recall >= BAR_RECALL,
        ),
    ]
