"""What a bench says, and the arithmetic behind it."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``met`` is None where there is no bar to meet."""

    what: str
    measured: str
    baseline: str = ""
    bar: str = ""
    met: bool | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` (0 to 1) of all lie at or below: nearest rank, so it was really measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    return statistics.median(values)


def spread(milliseconds: Sequence[float]) -> str:
    """``p50 2.1, p99 4.0, worst 5.2 ms``."""
    shares = ((0.5, "p50"), (0.99, "p99"), (1.0, "worst"))
    return ", ".join(f"{name} {percentile(milliseconds, share):.1f}" for share, name in shares) + " ms"
