"""A linear scorer trained on the order of hits.

The loss is LambdaRank's (Burges, Ragno and Le, 2006) in the form that LambdaLoss gives it (Wang et al., 2018): for each
two hits of a query the logistic loss of the difference of their scores, weighted by how much nDCG changes when they
change places. Ridge towards a prior keeps weights that the data say nothing about; a weight never changes its sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ranking.table import discounts

if TYPE_CHECKING:
    from ranking.table import Floats, Table


@dataclass(frozen=True)
class Schedule:
    """``rounds`` times the pairs are weighted by the ranking of the moment, and followed by ``steps`` of Adam (Kingma
    and Ba, 2015) of the length ``rate``. ``ridge`` weighs the squared distance from the prior.
    """

    ridge: float = 0.01
    rounds: int = 6
    steps: int = 40
    rate: float = 0.05


@dataclass(frozen=True)
class Descent:
    """What one descent holds fixed; shapes as in :func:`fit`, ``pair_weights`` as in :func:`swap_gains`."""

    table: Table
    prior: Floats
    signs: Floats
    pair_weights: Floats
    trained: Floats | float


def fit(table: Table, prior: Floats, signs: Floats, schedule: Schedule, trained: Floats | float = 1.0) -> Floats:
    """Weights (features) near ``prior``. ``signs`` (features): 1 and -1 hold a weight on that side of 0;
    ``trained`` (features): 0 holds it where it is.
    """
    weights = prior.copy()
    if not table.queries:
        return weights
    for _round in range(schedule.rounds):
        pair_weights = swap_gains(table, table.features @ weights)
        weights = descend(Descent(table, prior, signs, pair_weights, trained), weights, schedule)
    return weights


def scale_of(table: Table, prior: Floats) -> float:
    """What the prior must be multiplied by for its differences to be log odds: the order that it gives stays the same,
    and only so does a distance from it mean the same for every prior.
    """
    pair_weights = swap_gains(table, table.features @ prior)
    scales = np.geomspace(0.25, 256.0, 41)
    return float(scales[np.argmin([loss(table, scale * prior, pair_weights) for scale in scales])])


def swap_gains(table: Table, scores: Floats) -> Floats:
    """For each pair (pairs): by how much the weighted mean nDCG changes when the two hits change places."""
    discount = discounts(table.ranks(scores))
    gain = np.abs(table.gains[table.better] - table.gains[table.worse])
    swap = np.abs(discount[table.better] - discount[table.worse])
    share = (table.weights / table.ideal)[table.owners[table.better]]
    result: Floats = gain * swap * share / table.weights.sum()
    return result


def descend(task: Descent, start: Floats, schedule: Schedule) -> Floats:
    """Minimise the loss with the pairs' weights fixed, by Adam with each step projected onto the signs."""
    weights, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, schedule.steps + 1):
        slope = gradient(task.table, weights, task.pair_weights) + 2 * schedule.ridge * (weights - task.prior)
        slope *= task.trained
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        move = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        weights = projected(weights - schedule.rate * move, task.signs)
    return weights


def gradient(table: Table, weights: Floats, pair_weights: Floats) -> Floats:
    """Of the weighted logistic loss, (features)."""
    scores = table.features @ weights
    push = pair_weights / (1.0 + np.exp(np.clip(scores[table.better] - scores[table.worse], -30, 30)))
    count = len(scores)
    pull = np.bincount(table.worse, push, count) - np.bincount(table.better, push, count)
    result: Floats = pull @ table.features
    return result


def loss(table: Table, weights: Floats, pair_weights: Floats) -> float:
    """What ``gradient`` is the slope of."""
    scores = table.features @ weights
    return float(np.sum(pair_weights * np.logaddexp(0.0, scores[table.worse] - scores[table.better])))


def projected(weights: Floats, signs: Floats) -> Floats:
    """The weights with those of a wrong sign set to 0."""
    return np.where(signs * weights < 0, 0.0, weights)
