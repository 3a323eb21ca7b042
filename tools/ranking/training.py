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
HELD = frozenset({*(role.value for role in Role), "docs", "data"})
"""Weights that stay as they are: no query that is made here leads to a test, so that all they could learn is never; and
how many lead to documents is the choice of who makes them.
"""
BALANCE = frozenset(
    {"keyword", "words", "prose", "vector", "similarity", "fusion", "name", "name_precision", "doc", "context", "path"}
)
"""Words against meaning. Held, too, but for queries that are names: a question that is made of a text shares more words
with it than a person's would, and taught by such questions the ranking would trust words too much.
"""
NAMES = frozenset({"identifier", "qualified_name", "path"})
"""Types of query whose words are those of their answer, whoever asks."""
TRUST = {"prose": 1.0}
"""Evidence whose weight is held. Prose defines no names that could speak for an answer, and where everything is prose
even a passage beside the question may be worth reading: what is withheld there must be less likely still.
"""
FEWEST = 40
"""Queries of a type: with less, the common weights are better."""
SHRINKAGE = 300
"""Queries: a type with as many is held to the common weights as firmly as these are to the prior."""

SCHEDULE = Schedule()

Trained = dict[str, "Floats"]
"""Weights (features) by query type, and ``common`` for all others."""


@dataclass(frozen=True)
class Frame:
    """What is trained: the features, where their weights begin (by type of query), and which sign they keep."""

    names: tuple[str, ...]
    prior: Trained
    schedule: Schedule = SCHEDULE

    @property
    def signs(self) -> Floats:
        """(features): 1, -1, or 0 for a free one."""
        return np.array([SIGNS.get(name, 0.0) for name in self.names])

    def trained(self, kind: str) -> Floats:
        """(features): 1, or 0 for one that is held, in the weights of that type of query."""
        held = HELD if kind in NAMES else HELD | BALANCE
        return np.array([float(name not in held) for name in self.names])


def train(recordings: Sequence[Recording], frame: Frame) -> Trained:
    """Weights from the recordings that have an answer."""
    answerable = [each for each in recordings if each.query.gold]
    scale = scale_of(make_table(answerable, frame.names, balance(answerable)), frame.prior[COMMON])
    common = train_one(answerable, frame, scale * frame.prior[COMMON])
    trained = {COMMON: common}
    counts = Counter(each.type for each in answerable)
    for kind in sorted({*counts, *frame.prior} - {"", COMMON}):
        begin = common + scale * (frame.prior.get(kind, frame.prior[COMMON]) - frame.prior[COMMON])
        if counts[kind] >= FEWEST:
            firm = replace(frame.schedule, ridge=frame.schedule.ridge * max(1.0, SHRINKAGE / counts[kind]))
            asked = [each for each in answerable if each.type == kind]
            begin = train_one(asked, replace(frame, schedule=firm), begin, kind)
        if counts[kind] >= FEWEST or kind in frame.prior:
            trained[kind] = begin
    return {kind: weights / scale for kind, weights in trained.items()}


def train_one(recordings: Sequence[Recording], frame: Frame, prior: Floats, kind: str = COMMON) -> Floats:
    """Weights near ``prior`` for a type of query; those that are held are the prior's."""
    table = make_table(recordings, frame.names, balance(recordings))
    return fit(table, prior, frame.signs, frame.schedule, frame.trained(kind))


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
        chances[own] = fitted(evidence[~own], answerable[~own], names)(evidence[own])
    return chances


def fit_relevance(recordings: Sequence[Recording], names: Sequence[str]) -> Logistic:
    """The logistic of all recordings."""
    return fitted(*answerability(recordings, names), names)


def fitted(evidence: Floats, answerable: Floats, names: Sequence[str]) -> Logistic:
    """The logistic with the weights in ``TRUST`` held."""
    free = np.array([name not in TRUST for name in names])
    logistic = fit_logistic(evidence[:, free], answerable)
    weights = np.array([TRUST.get(name, 0.0) for name in names])
    weights[free] = logistic.weights
    return Logistic(weights, logistic.bias)
