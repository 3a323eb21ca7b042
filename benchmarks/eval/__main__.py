"""``python -m benchmarks.eval --sets DIR``: retrieval quality by set, kind of query and package, for each mode."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from agentd.retrieval.results import Mode
from benchmarks.eval.foreign import ask_all
from benchmarks.eval.report import FULL, print_foreign, print_scores
from benchmarks.eval.results import Results, write_results
from benchmarks.eval.scoring import score_set
from benchmarks.eval.sets import find_sets
from benchmarks.harness.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.eval.sets import JudgedSet

MODES = tuple(mode.value for mode in Mode)


def main() -> None:
    """Score the sets and print the tables."""
    arguments = parse_arguments()
    kept = nullcontext(str(arguments.keep)) if arguments.keep else tempfile.TemporaryDirectory(prefix="agentd-eval-")
    with kept as folder:
        sets = find_sets(arguments.sets.resolve(), Path(folder) / "sets", arguments.only)
        results = evaluate(sets, Path(folder) / "state", arguments.modes or MODES)
    print_scores(results.scored)
    if any(each.foreign for each in results.asked):
        print_foreign(results.asked)
    if arguments.json:
        write_results(arguments.json, results)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eval", description=__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="folder that holds the judged sets")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these sets or packages")
    parser.add_argument(
        "--modes", nargs="+", choices=MODES, metavar="MODE", help=f"in these modes of {', '.join(MODES)}"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep indexes here, so that nothing is embedded twice")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every query's scores and hits")
    return parser.parse_args()


def evaluate(sets: Sequence[JudgedSet], states: Path, modes: Sequence[str]) -> Results:
    """Index each set with a daemon of its own and ask everything."""
    results = Results()
    for judged in sets:
        print(f"{judged.name}: {judged.folder.name}, {len(judged.queries)} queries ...", flush=True)
        with Daemon(states / judged.folder.name, judged.folder) as daemon, daemon.connect() as client:
            client.wait("vectors")
            results.scored.extend(score_set(client, judged, modes))
            if judged.package and FULL in modes:
                results.asked.extend(ask_all(client, judged, sets, FULL))
    return results


if __name__ == "__main__":
    main()
