"""Asks a daemon every query of a set, in each mode, and scores what comes back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from benchmarks.eval.measures import ndcg, recall, reciprocal_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from agentd.client import Client
    from benchmarks.eval.sets import JudgedSet, Query, Span

DEEP = 50
"""Hits that are collapsed to files for measures of files: several of the first ten may be of one file."""
USUAL = 10
"""Hits that a user gets who asks for no number."""
SPAN_HITS = 5
LONGEST_HIT = 200
"""Lines. A longer hit counts for its span only where it is no longer than twice the span."""
PATIENCE_MS = 60_000
"""For one search: quality is measured here, and a busy machine must not change it."""


class Found(Struct, frozen=True):
    """A hit as far as it is scored: its path relative to the set's folder, lines from 1, both included."""

    path: str
    start_line: int
    end_line: int
    score: float = 0.0
    confidence: str = ""

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.end_line - self.start_line + 1


class Scored(Struct, frozen=True):
    """A query, the mode it was asked in, its score by measure, and the hits that a user would get."""

    set: str
    package: str
    kind: str
    id: str
    query: str
    mode: str
    scores: dict[str, float]
    hits: list[Found]


class DegradedAnswerError(Exception):
    """The daemon answered without a part of its index: what is measured would not be its quality."""


def score_set(client: Client, judged: JudgedSet, modes: Sequence[str]) -> Iterator[Scored]:
    """Every query in each mode. The index must be complete."""
    for query in judged.queries:
        for mode in modes:
            hits = search(client, judged.folder, query.text, mode, USUAL)
            files = search(client, judged.folder, query.text, mode, DEEP)
            scores = file_scores(files, query) | hit_scores(hits, query)
            yield Scored(judged.name, judged.package, query.kind, query.id, query.text, mode, scores, hits)


def search(client: Client, folder: Path, text: str, mode: str, limit: int) -> list[Found]:
    """The hits of one search.

    Raises:
        DegradedAnswerError: something was missing.
    """
    result: dict[str, Any] = client.request("search", query=text, mode=mode, limit=limit, deadline_ms=PATIENCE_MS)
    if result["degraded"] or not result["complete"]:
        raise DegradedAnswerError(f"expected a complete answer to {text!r} in mode {mode}, found {result['degraded']}")
    return [
        Found(
            path=os.path.relpath(hit["path"], folder),
            start_line=hit["start_line"],
            end_line=hit["end_line"],
            score=hit["score"],
            confidence=hit.get("confidence") or "",
        )
        for hit in result["hits"]
    ]


def file_scores(hits: Iterable[Found], query: Query) -> dict[str, float]:
    """Measures of the files in the order of their first hits."""
    ranked = list(dict.fromkeys(hit.path for hit in hits))
    return {
        "nDCG@10": ndcg(ranked, query.grades),
        "Recall@10": recall(ranked, query.grades),
        "MRR@10": reciprocal_rank(ranked, query.grades),
    }


def hit_scores(hits: Sequence[Found], query: Query) -> dict[str, float]:
    """Measures of the hits themselves, for queries of which spans are judged."""
    scores = {"lines": sum(hit.lines for hit in hits) / len(hits)} if hits else {}
    if not query.spans:
        return scores
    best = [span for span in query.spans if span.grade == query.best]
    scores["span@5"] = float(any(answers(hit, span) for hit in hits[:SPAN_HITS] for span in best))
    if query.kind == "identifier":
        scores["file hit@1"] = float(any(hit.path == span.path for hit in hits[:1] for span in best))
        scores["span hit@1"] = float(any(overlaps(hit, span) for hit in hits[:1] for span in best))
    return scores


def answers(hit: Found, span: Span) -> bool:
    """Whether a hit overlaps a span, and is not so long that it says nothing."""
    return overlaps(hit, span) and hit.lines <= max(LONGEST_HIT, 2 * (span.end_line - span.start_line + 1))


def overlaps(hit: Found, span: Span) -> bool:
    """Whether both share a line."""
    return hit.path == span.path and hit.start_line <= span.end_line and hit.end_line >= span.start_line
