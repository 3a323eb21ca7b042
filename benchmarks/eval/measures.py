"""Measures of a ranking against judgements. Pure; ``k`` cuts the ranking, grades are 0 and up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain with gain 2^grade - 1 and discount log2(rank + 1) (Burges et al., 2005)."""
    ideal = _dcg(sorted(grades.values(), reverse=True)[:k])
    return _dcg(grades.get(item, 0) for item in ranked[:k]) / ideal if ideal else 0.0


def _dcg(grades: Iterable[int]) -> float:
    return float(sum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1)))


def recall(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Share of the relevant ones that the first ``k`` hold."""
    relevant = {item for item, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranked[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """One over the rank of the first relevant one; 0 where the first ``k`` hold none."""
    return next((1 / rank for rank, item in enumerate(ranked[:k], start=1) if grades.get(item, 0) > 0), 0.0)
