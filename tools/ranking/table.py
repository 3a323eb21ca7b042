"""Recordings as arrays: a row of features for each hit, and the pairs of hits whose order matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ranking.dataset import Recording

Floats: TypeAlias = "NDArray[np.float64]"
Integers: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True)
class Table:
    """Hits of queries, side by side: query ``q`` owns the rows from ``starts[q]`` up to ``starts[q + 1]``.

    ``features`` is (hits, features), ``gains`` (hits) is 2^grade - 1, ``owners`` (hits) the query of each; ``ideal``
    and ``weights`` are (queries): the best discounted gain that the hits allow, and how much the query counts.
    ``better`` and ``worse`` are (pairs): rows of a query, the first with its best grade, the second with a lower one.
    """

    features: Floats
    gains: Floats
    owners: Integers
    starts: Integers
    ideal: Floats
    weights: Floats
    better: Integers
    worse: Integers

    @property
    def queries(self) -> int:
        """How many."""
        return len(self.ideal)

    def ranks(self, scores: Floats) -> Integers:
        """The rank of each row within its query, from 0, for scores (hits); equals keep their order."""
        order = np.lexsort((np.arange(len(scores)), -scores, self.owners))
        ranks = np.empty(len(scores), dtype=np.int64)
        ranks[order] = np.arange(len(scores)) - self.starts[self.owners[order]]
        return ranks


def discounts(ranks: Integers) -> Floats:
    """1 / log2(rank + 2) for ranks from 0 (Järvelin and Kekäläinen, 2002)."""
    result: Floats = 1.0 / np.log2(ranks + 2.0)
    return result


def make_table(recordings: Sequence[Recording], names: Sequence[str], weights: Sequence[float]) -> Table:
    """Of the recordings that hold something to order, with the features ``names`` (0 where a hit lacks one)."""
    useful = [
        (each, weight)
        for each, weight in zip(recordings, weights, strict=True)
        if len({hit.grade for hit in each.hits}) > 1
    ]
    grades = [np.array([hit.grade for hit in each.hits]) for each, _ in useful]
    sizes = [len(each) for each in grades]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    pairs = [ordered_pairs(grade) + start for grade, start in zip(grades, starts[:-1], strict=True)]
    better, worse = np.concatenate([np.empty((2, 0), dtype=np.int64), *pairs], axis=1)
    return Table(
        features=rows((hit.features for each, _ in useful for hit in each.hits), names),
        gains=2.0 ** np.concatenate([np.empty(0), *grades]) - 1.0,
        owners=np.repeat(np.arange(len(useful)), sizes),
        starts=starts,
        ideal=np.array([ideal_gain(grade) for grade in grades]),
        weights=np.array([weight for _, weight in useful]),
        better=better,
        worse=worse,
    )


def rows(features: Iterable[dict[str, float]], names: Sequence[str]) -> Floats:
    """Features (hits, names); one that a hit lacks is 0."""
    values = [[each.get(name, 0.0) for name in names] for each in features]
    return np.array(values, dtype=np.float64).reshape(len(values), len(names))


def ordered_pairs(grades: Integers) -> Integers:
    """Indices (2, pairs) of every two hits of which the first has the best grade of all, the second a lower one.

    Hits that are merely in the right file are not told from others: there are many of them, and a ranking that cares
    for each would bring the whole file before the place in it.
    """
    best = grades == grades.max()
    return np.array(np.nonzero(best[:, None] & ~best[None, :]), dtype=np.int64)


def ideal_gain(grades: Integers) -> float:
    """Discounted gain of the hits with the best grade of all where they come first."""
    best = grades[grades == grades.max()]
    return float(np.sum((2.0**best - 1.0) * discounts(np.arange(len(best)))))
