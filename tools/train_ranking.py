"""Train the weights of the ranking on data that it makes itself from source trees: ``data``, ``record``, ``fit``.

::

    python tools/train_ranking.py data WORK --tree DIR ... --functions DIR ... --passages DIR ...
    python tools/train_ranking.py record WORK
    python tools/train_ranking.py fit WORK --write agentd/kernels/ranking.json
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from ranking import corpora
from ranking.dataset import Query, Recording, read_rows, write_rows
from ranking.logistic import threshold
from ranking.pairwise import Schedule
from ranking.record import record, summary
from ranking.report import held_out, print_relevance, print_scores, print_weights
from ranking.training import Frame, answerability, fit_relevance, held_out_chances, train
from ranking.weights_file import read_prior, scaled_to, to_file, write_weights

from agentd.config.settings import SearchSettings
from agentd.kernels.features import FEATURES
from agentd.kernels.rank import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable

PRIOR = Path(__file__).resolve().parent / "ranking" / "prior.json"
"""What people would expect of each feature, set by hand; training begins here, and stays near."""


def main() -> None:
    """Run one step."""
    arguments = parse_arguments()
    step: Callable[[argparse.Namespace], None] = arguments.step
    step(arguments)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    data = steps.add_parser("data", help="make corpora and queries")
    data.add_argument("work", type=Path, help="folder for copies, queries and, later, states")
    for option, means in (
        ("tree", "a source tree as it is; NAME=DIR gives the corpus a name"),
        ("functions", "its functions, each a file of its own"),
        ("passages", "its documentation, each section a file of its own"),
    ):
        data.add_argument(f"--{option}", action="append", default=[], metavar="DIR", help=means)
    data.add_argument("--scale", type=int, default=1, help="multiplies the number of queries")
    data.set_defaults(step=make_data)
    recording = steps.add_parser("record", help="index the corpora, ask the queries, keep the features")
    recording.add_argument("work", type=Path, help="the folder that data was made in")
    recording.add_argument("--only", action="append", default=[], metavar="CORPUS", help="this one; may be repeated")
    recording.set_defaults(step=make_recordings)
    fitting = steps.add_parser("fit", help="train on the recordings, and report on held-out corpora")
    fitting.add_argument("work", type=Path, help="the folder that holds the recordings")
    fitting.add_argument("--prior", type=Path, default=PRIOR, help="weights to begin from and to stay near")
    fitting.add_argument("--write", type=Path, help="file for the new weights; without it they are only shown")
    fitting.add_argument("--ridge", type=float, default=Schedule.ridge, help="how firmly to stay near the prior")
    fitting.add_argument("--lost", type=float, default=0.05, help="share of answerable queries that the floor may lose")
    fitting.add_argument("--doubted", type=float, default=0.15, help="the same for a confidence of low")
    fitting.set_defaults(step=fit_weights)
    return parser.parse_args()


def make_data(arguments: argparse.Namespace) -> None:
    """Write ``WORK/corpora/NAME`` and ``WORK/queries.jsonl``."""
    made = [corpora.tree_corpus(*named(tree)) for tree in arguments.tree]
    if arguments.functions:
        made.append(corpora.functions_corpus("functions", map(Path, arguments.functions), 1000))
    if arguments.passages:
        made.append(corpora.passages_corpus("passages", map(Path, arguments.passages), 1000))
    folders = {corpus.name: arguments.work / "corpora" / corpus.name for corpus in made}
    queries: list[Query] = []
    for corpus in made:
        queries += corpora.write_corpus(corpus, folders[corpus.name], arguments.scale)
        counts = Counter(query.kind for query in queries if query.corpus == corpus.name)
        print(f"{corpus.name}: {len(corpus.texts)} files, {counts.total()} queries {dict(sorted(counts.items()))}")
    queries += corpora.foreign_queries(queries, folders)
    written = write_rows(arguments.work / "queries.jsonl", queries)
    print(f"{written} queries in {arguments.work / 'queries.jsonl'}")


def make_recordings(arguments: argparse.Namespace) -> None:
    """Write ``WORK/recordings/NAME.jsonl`` for each corpus."""
    queries: dict[str, list[Query]] = defaultdict(list)
    for query in read_rows(arguments.work / "queries.jsonl", Query):
        queries[query.corpus].append(query)
    (arguments.work / "recordings").mkdir(exist_ok=True)
    for corpus in arguments.only or queries:
        print(f"{corpus} ...", end=" ", flush=True)
        recordings = record(arguments.work, corpus, queries[corpus])
        write_rows(arguments.work / "recordings" / f"{corpus}.jsonl", recordings)
        print(summary(recordings), flush=True)


def fit_weights(arguments: argparse.Namespace) -> None:
    """Report on held-out corpora, then train on all of them."""
    recordings = [
        each for path in sorted((arguments.work / "recordings").glob("*.jsonl")) for each in read_rows(path, Recording)
    ]
    corpora_recorded = {each.query.corpus for each in recordings}
    if len(corpora_recorded) < 2:
        sys.exit(f"expected recordings of two corpora at least, found {corpora_recorded or 'none'}; run `record` first")
    before = read_prior(arguments.prior)
    frame = Frame(FEATURES, before, Schedule(ridge=arguments.ridge))
    print_scores(held_out(recordings, frame, before))
    trained = train(recordings, frame)
    print_weights(trained, frame)
    relevance = train_relevance(recordings, arguments.lost, arguments.doubted)
    if arguments.write:
        write_weights(arguments.write, to_file(trained, relevance))
        print(f"\nwritten: {arguments.write}")


def train_relevance(recordings: list[Recording], lost: float, doubted: float) -> dict[str, float]:
    """The logistic of all corpora, made so that the thresholds in the settings lose what they may lose of each corpus
    when it is judged by the others.
    """
    names = EVIDENCE
    print_relevance(recordings, names)
    _evidence, answerable = answerability(recordings, names)
    chances = held_out_chances(recordings, names)
    floor = threshold(chances, answerable, lost), SearchSettings().min_relevance
    doubt = threshold(chances, answerable, doubted), SearchSettings().doubtful_relevance
    return scaled_to(fit_relevance(recordings, names), names, floor, doubt)


def named(option: str) -> tuple[str, Path]:
    """``NAME=DIR`` or ``DIR``, which is called by its last part."""
    name, found, folder = option.rpartition("=")
    path = Path(folder).resolve()
    return (name if found else path.name, path)


if __name__ == "__main__":
    main()
