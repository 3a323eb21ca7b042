"""A calibrated logistic: how likely it is that anything found answers the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ranking.table import Floats

STEPS = 30
ENOUGH = 1e-9


@dataclass(frozen=True)
class Logistic:
    """P(answerable) = 1 / (1 + exp(-(weights x features + bias)))."""

    weights: Floats
    bias: float

    def __call__(self, features: Floats) -> Floats:
        """Probabilities (queries) of rows of features (queries, features)."""
        result: Floats = 1.0 / (1.0 + np.exp(-np.clip(features @ self.weights + self.bias, -30, 30)))
        return result


def fit_logistic(features: Floats, answerable: Floats, ridge: float = 1.0) -> Logistic:
    """Fit by Newton's method. Both classes count the same in sum, whatever their numbers, so that 0.5 is even odds for
    a query of which nothing is known. ``ridge`` is on standardised features, in units of a query.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([(features - centre) / spread, np.ones(len(features))])
    share = answerable.mean()
    balance = np.where(answerable > 0, 0.5 / share, 0.5 / (1 - share))
    penalty = np.array([ridge] * features.shape[1] + [0.0])
    beta = np.zeros(design.shape[1])
    for _step in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (balance * (chance - answerable)) + penalty * beta
        curve = (design.T * (balance * chance * (1 - chance))) @ design + np.diag(penalty + 1e-9)
        move = np.linalg.solve(curve, slope)
        beta -= move
        if np.abs(move).max() < ENOUGH:
            break
    weights = beta[:-1] / spread
    return Logistic(weights, float(beta[-1] - weights @ centre))


def threshold(chances: Floats, answerable: Floats, lost: float) -> float:
    """The probability under which ``lost`` of the answerable queries lie."""
    return float(np.quantile(chances[answerable > 0], lost))


def rejected(chances: Floats, of: Floats, floor: float) -> float:
    """Share of the queries with ``of`` > 0 that lie under ``floor``."""
    return float(np.mean(chances[of > 0] < floor))
