"""Train the weights of the ranking on data that it makes itself from source trees: ``data``, ``record``, ``fit``.

::

    python tools/train_ranking.py data WORK --tree DIR ... --functions DIR ... --passages DIR ...
    python tools/train_ranking.py record WORK
    python tools/train_ranking.py fit WORK --write agentd/kernels/ranking.json
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ranking import corpora
from ranking.dataset import Query, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable


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


def named(option: str) -> tuple[str, Path]:
    """``NAME=DIR`` or ``DIR``, which is called by its last part."""
    name, found, folder = option.rpartition("=")
    path = Path(folder).resolve()
    return (name if found else path.name, path)


if __name__ == "__main__":
    main()
