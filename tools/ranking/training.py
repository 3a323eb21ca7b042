"""From recordings to weights: one set for all queries, and one for each type of query that stays near it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from agentd.kernels.roles import Role
from benchmarks.eval.measures import ndcg, reciprocal_rank
from ranking.logistic import Logistic, fit_logistic
from ranking.pairwise import Schedule, fit, scale_of
from ranking.table import make_table, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ranking.dataset import RecordedHit, Recording
    from ranking.table import Floats

COMMON = "common"
SIGNS = {
    **dict.fromkeys(
        ("keyword", "words", "vector", "similarity", "fusion", "definition", "name", "name_precision"), 1.0
    ),
    **dict.fromkeys(("doc", "context", "path", "named_path", "file", "links"), 1.0),
}
"""What a person expects of a feature: a weight against it would be an accident of the data."""
HELD = frozenset(role.value for role in Role)
"""Weights that stay as they are: no query that is made here leads to a test, so that all they could learn is never."""
FEWEST = 40
"""Queries of a type: with less, the common weights are better."""
SHRINKAGE = 300
"""Queries: a type with as many is held to the common weights as firmly as these are to the prior."""

SCHEDULE = Schedule()

Trained = dict[str, "Floats"]
"""Weights (features) by query type, and ``common`` for all others."""


@dataclass(frozen=True)
class Frame:
    """What is trained: the features, where their weights begin, and which sign they keep."""

    names: tuple[str, ...]
    prior: Floats
    schedule: Schedule = SCHEDULE

    @property
    def signs(self) -> Floats:
        """(features): 1, -1, or 0 for a free one."""
        return np.array([SIGNS.get(name, 0.0) for name in self.names])

    @property
    def trained(self) -> Floats:
        """(features): 1, or 0 for one that is held."""
        return np.array([float(name not in HELD) for name in self.names])


def train(recordings: Sequence[Recording], frame: Frame) -> Trained:
    """Weights from the recordings that have an answer."""
    answerable = [each for each in recordings if each.query.gold]
    scale = scale_of(make_table(answerable, frame.names, balance(answerable)), frame.prior)
    common = train_one(answerable, frame, scale * frame.prior, frame.schedule)
    trained = {COMMON: common}
    for kind, count in sorted(Counter(each.type for each in answerable).items()):
        if kind and count >= FEWEST:
            held = replace(frame.schedule, ridge=frame.schedule.ridge * max(1.0, SHRINKAGE / count))
            trained[kind] = train_one([each for each in answerable if each.type == kind], frame, common, held)
    return {kind: weights / scale for kind, weights in trained.items()}


def train_one(recordings: Sequence[Recording], frame: Frame, prior: Floats, schedule: Schedule) -> Floats:
    """Weights near ``prior``; those that are held are the prior's."""
    table = make_table(recordings, frame.names, balance(recordings))
    return fit(table, prior, frame.signs, schedule, frame.trained)


def balance(recordings: Sequence[Recording]) -> list[float]:
    """A weight for each query: a kind that is easy to make a thousand of counts as the root of their number."""
    counts = Counter((each.query.corpus, each.query.kind) for each in recordings)
    return [counts[each.query.corpus, each.query.kind] ** -0.5 for each in recordings]


def reranked(recording: Recording, weights: Trained, names: Sequence[str]) -> list[RecordedHit]:
    """Its hits in the order of the weights for its type."""
    scores = rows((hit.features for hit in recording.hits), names) @ weights.get(recording.type, weights[COMMON])
    return [recording.hits[index] for index in np.argsort(-scores, kind="stable")]


def measures(hits: Iterable[RecordedHit], recording: Recording) -> dict[str, float]:
    """nDCG@10 by file; reciprocal rank of, and first five or not, the first hit that overlaps the gold."""
    hits = list(hits)
    files = list(dict.fromkeys(hit.path for hit in hits))
    places = [str(index) if hit.grade == 2 else "" for index, hit in enumerate(hits)]
    found = dict.fromkeys((place for place in places if place), 2)
    return {
        "nDCG@10": ndcg(files, {gold.path: 2 for gold in recording.query.gold}),
        "MRR@10": reciprocal_rank(places, found),
        "span@5": float(any(places[:5])),
    }


def answerability(recordings: Sequence[Recording], names: Sequence[str]) -> tuple[Floats, Floats]:
    """Evidence (queries, names), and 1 where the corpus can answer (queries)."""
    answerable = np.array([float(bool(each.query.gold)) for each in recordings])
    return rows((each.evidence for each in recordings), names), answerable


def held_out_chances(recordings: Sequence[Recording], names: Sequence[str]) -> Floats:
    """The probability for each query (queries) by a logistic that saw nothing of its corpus."""
    evidence, answerable = answerability(recordings, names)
    corpora = np.array([each.query.corpus for each in recordings])
    chances = np.zeros(len(recordings))
    for corpus in sorted(set(corpora.tolist())):
        own = corpora == corpus
        chances[own] = fit_logistic(evidence[~own], answerable[~own])(evidence[own])
    return chances


def fit_relevance(recordings: Sequence[Recording], names: Sequence[str]) -> Logistic:
    """The logistic of all recordings."""
    return fit_logistic(*answerability(recordings, names))
