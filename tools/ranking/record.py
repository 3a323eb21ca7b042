"""Asks a real daemon every query of a corpus and keeps the features of what it found. States are kept between runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from benchmarks.harness.daemon import Daemon
from ranking.dataset import Query, RecordedHit, Recording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from agentd.client import Client

DEPTH = 60
"""Hits of a query: what stands lower has nothing to win among the first ten."""
PATIENCE_MS = 60_000
"""For one query. A recording that the deadline cut short would teach that cheap retrievers are the good ones."""


class IncompleteAnswerError(Exception):
    """The daemon answered without a part of its index."""


def record(work: Path, corpus: str, queries: Iterable[Query]) -> list[Recording]:
    """Index ``WORK/corpora/CORPUS`` and ask everything.

    Raises:
        IncompleteAnswerError: an answer cannot be learnt from.
    """
    folder = work / "corpora" / corpus
    with Daemon(work / "states" / corpus, folder) as daemon, daemon.connect() as client:
        client.wait("vectors")
        return [ask(client, folder, query) for query in queries]


def ask(client: Client, folder: Path, query: Query) -> Recording:
    """Ask in mode ``full``, and where something is to be found in mode ``fusion``, too.

    Raises:
        IncompleteAnswerError: an answer lacks a part of the index.
    """
    result = search(client, query.query, mode="full", explain=True, min_score=0, max_per_file=0)
    fusion = search(client, query.query, mode="fusion")["hits"] if query.gold else []
    return Recording(
        query=query,
        type=result["explanation"]["query_type"],
        hits=tuple(recorded(hit, folder, query) for hit in result["hits"]),
        evidence=result["explanation"]["evidence"],
        fusion=tuple(recorded(hit, folder, query) for hit in fusion),
    )


def search(client: Client, text: str, **options: Any) -> dict[str, Any]:
    """One search over all that is indexed."""
    result: dict[str, Any] = client.request("search", query=text, limit=DEPTH, deadline_ms=PATIENCE_MS, **options)
    if result["degraded"] or not result["complete"]:
        raise IncompleteAnswerError(f"expected a complete answer to {text!r}, found {result['degraded']}; ask again")
    return result


def recorded(hit: dict[str, Any], folder: Path, query: Query) -> RecordedHit:
    """A hit with its grade, and with its features where it was explained."""
    path, start_line, end_line = os.path.relpath(hit["path"], folder), hit["start_line"], hit["end_line"]
    features = hit.get("why", {}).get("features", {})
    return RecordedHit(path, start_line, end_line, grade(path, start_line, end_line, query), features)


def grade(path: str, start_line: int, end_line: int, query: Query) -> int:
    """2 where the span overlaps gold, 1 in the same file, else 0."""
    if any(gold.overlaps(path, start_line, end_line) for gold in query.gold):
        return 2
    return int(any(gold.path == path for gold in query.gold))


def summary(recordings: Sequence[Recording]) -> str:
    """How many queries, and for how many of them the gold was among the hits."""
    answerable = [each for each in recordings if each.query.gold]
    found = sum(any(hit.grade == 2 for hit in each.hits) for each in answerable)
    hits = sum(len(each.hits) for each in recordings)
    return f"{len(recordings)} queries, {hits} hits, gold among them for {found} of {len(answerable)}"
