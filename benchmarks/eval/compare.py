"""``python -m benchmarks.eval.compare A.json B.json``: what changed between two runs, by set and by query."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from benchmarks.eval.report import MEASURES
from benchmarks.eval.results import read_results
from benchmarks.eval.scoring import Scored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN_HITS = 3
NOISE = 1e-9


class Change(Struct, frozen=True):
    """The same query in the same mode, in both runs."""

    before: Scored
    after: Scored

    def delta(self, measure: str) -> float | None:
        """How much the score rose; None where it is not judged in both."""
        before, after = self.before.scores.get(measure), self.after.scores.get(measure)
        return None if before is None or after is None else after - before


def main() -> None:
    """Print differences by set, mode and measure, then the queries that changed most."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eval.compare", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--mode", default="full", help="whose queries are shown")
    parser.add_argument("--measure", default="nDCG@10", choices=MEASURES, help="by which they are ordered")
    parser.add_argument("-n", type=int, default=20, metavar="N", help="queries shown")
    arguments = parser.parse_args()
    changes = pair(read_results(arguments.before).scored, read_results(arguments.after).scored)
    print_sets(changes)
    print_queries(most_changed(changes, arguments.mode, arguments.measure, arguments.n), arguments.measure)


def pair(before: Iterable[Scored], after: Iterable[Scored]) -> list[Change]:
    """Queries that both runs asked in the same mode; a run may have left sets or modes out."""
    known = {(each.set, each.id, each.mode): each for each in before}
    keyed = [((each.set, each.id, each.mode), each) for each in after]
    return [Change(known[key], each) for key, each in keyed if key in known]


def most_changed(changes: Sequence[Change], mode: str, measure: str, count: int) -> list[Change]:
    """The queries of a mode that moved most, up or down."""
    moved = [
        (abs(delta), number, change)
        for number, change in enumerate(changes)
        if change.after.mode == mode and abs(delta := change.delta(measure) or 0.0) > NOISE
    ]
    return [change for _delta, _number, change in sorted(moved, key=lambda each: (-each[0], each[1]))[:count]]


def print_sets(changes: Iterable[Change]) -> None:
    """A row for each set, mode and measure: both means, and how many queries rose and fell."""
    found: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        found[change.after.set, change.after.mode].append(change)
    print(f"{'set':11}{'mode':9}{'measure':12}{'before':>9}{'after':>9}{'change':>9}{'rose':>6}{'fell':>6}")
    for (name, mode), rows in sorted(found.items()):
        for measure in MEASURES:
            both = [change for change in rows if change.delta(measure) is not None]
            if both:
                before = sum(change.before.scores[measure] for change in both) / len(both)
                after = sum(change.after.scores[measure] for change in both) / len(both)
                deltas = [change.delta(measure) or 0.0 for change in both]
                rose, fell = sum(each > NOISE for each in deltas), sum(each < -NOISE for each in deltas)
                print(
                    f"{name:11}{mode:9}{measure:12}{before:>9.3f}{after:>9.3f}{after - before:>+9.3f}{rose:>6}{fell:>6}"
                )


def print_queries(changes: Iterable[Change], measure: str) -> None:
    """Each query with its first hits before and after."""
    for change in changes:
        after = change.after
        print(f"\n{change.delta(measure) or 0.0:+.3f}  {after.set} {after.id} ({after.kind}): {after.query}")
        for label, scored in (("before", change.before), ("after", after)):
            places = [f"{hit.path}:{hit.start_line}-{hit.end_line}" for hit in scored.hits[:SHOWN_HITS]]
            print(f"  {label:7}{'  '.join(places) or 'nothing'}")


if __name__ == "__main__":
    main()
