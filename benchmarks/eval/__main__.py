"""``python -m benchmarks.eval --sets DIR``: nDCG@10, Recall@10 and MRR@10 by set and kind of query, for each mode."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.eval.measures import ndcg, recall, reciprocal_rank
from benchmarks.eval.sets import JudgedSet, Query, find_sets
from benchmarks.harness.daemon import Daemon

if TYPE_CHECKING:
    from agentd.client import Client
    from agentd.protocol import Hit

Mode = Literal["keyword", "vector", "fusion"]
MODES: tuple[Mode, ...] = ("keyword", "vector", "fusion")
MEASURES = ("nDCG@10", "Recall@10", "MRR@10", "hit@1", "span@5")
SPAN_HITS = 5
LONGEST_HIT = 200
"""Lines. A longer hit counts for its span only where it is no longer than twice the span."""

Scores = dict[tuple[str, str, str], list[dict[str, float]]]
"""(set, kind, mode) -> a score by measure for each query."""


def main() -> None:
    """Score every set, and print a row for each set, kind and mode."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eval", description=__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="folder that holds the judged sets")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="score this set; may be repeated")
    arguments = parser.parse_args()
    scores: Scores = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="agentd-eval-") as folder:
        for number, judged in enumerate(find_sets(arguments.sets.resolve(), Path(folder), arguments.only)):
            score_set(judged, Path(folder) / f"daemon-{number}", scores)
    report(scores)


def score_set(judged: JudgedSet, place: Path, scores: Scores) -> None:
    """Index a set with a daemon of its own and ask everything, in each mode."""
    print(f"{judged.name}: {judged.folder.name}, {len(judged.queries)} queries ...", flush=True)
    with Daemon(place, judged.folder) as daemon, daemon.connect() as client:
        client.wait("vectors")
        for query in judged.queries:
            for mode in MODES:
                scored = score(client, judged.folder, query, mode)
                scores[judged.name, "all", mode].append(scored)
                if query.kind != "all":
                    scores[judged.name, query.kind, mode].append(scored)


def score(client: Client, folder: Path, query: Query, mode: Mode) -> dict[str, float]:
    """Ask once for files, and once more for passages where spans are judged."""
    files = client.search(query.text, mode=mode, limit=10, max_per_file=1)["hits"]
    ranked = [os.path.relpath(hit["path"], folder) for hit in files]
    found = {
        "nDCG@10": ndcg(ranked, query.grades),
        "Recall@10": recall(ranked, query.grades),
        "MRR@10": reciprocal_rank(ranked, query.grades),
    }
    if query.spans:
        best = max(query.grades.values())
        found["hit@1"] = float(bool(ranked) and query.grades.get(ranked[0]) == best)
        hits = client.search(query.text, mode=mode, limit=SPAN_HITS)["hits"]
        found["span@5"] = float(any(answers(hit, query, folder) for hit in hits))
    return found


def answers(hit: Hit, query: Query, folder: Path) -> bool:
    """Whether a hit overlaps a span of the best grade, and is not so long that it says nothing."""
    path = os.path.relpath(hit["path"], folder)
    lines = hit["end_line"] - hit["start_line"] + 1
    return any(
        path == span.path
        and hit["start_line"] <= span.end_line
        and hit["end_line"] >= span.start_line
        and lines <= max(LONGEST_HIT, 2 * (span.end_line - span.start_line + 1))
        for span in query.spans
        if span.grade == 2
    )


def report(scores: Scores) -> None:
    """Means over the queries; a dash where a set does not judge the measure."""
    print(f"\n{'set':12}{'kind':12}{'mode':9}{'queries':>8}" + "".join(f"{name:>11}" for name in MEASURES))
    for (name, kind, mode), rows in sorted(scores.items()):
        cells = "".join(f"{mean(rows, measure):>11}" for measure in MEASURES)
        print(f"{name:12}{kind:12}{mode:9}{len(rows):>8}{cells}")


def mean(rows: list[dict[str, float]], measure: str) -> str:
    """The mean of a measure as text."""
    values = [row[measure] for row in rows if measure in row]
    return f"{sum(values) / len(values):.3f}" if values else "-"


if __name__ == "__main__":
    main()
