"""The file of weights that the scorer reads (``agentd.kernels.rank.Weights``), as arrays and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from agentd.kernels.features import FEATURES
from agentd.kernels.rank import Weights, load_weights
from ranking.training import COMMON

if TYPE_CHECKING:
    from pathlib import Path

    from ranking.logistic import Logistic
    from ranking.training import Trained

DIGITS = 4
"""More would be noise, and unreadable in a diff."""


def read_prior(path: Path) -> Trained:
    """The weights in a file by type, ``common`` among them; those of plain fusion where there is no file.

    Raises:
        ConfigError: it is no file of weights, or names a feature that there is not.
    """
    weights = load_weights(str(path)) if path.is_file() else Weights(common={"fusion": 1.0}, types={}, relevance={})
    return {kind: np.array(weights.row(kind)) for kind in (COMMON, *weights.types)}


def to_file(trained: Trained, relevance: dict[str, float]) -> Weights:
    """As the file has them: a type's weights are what it adds to the common ones, and what is 0 is left out."""
    common = trained[COMMON]
    added = {kind: weights - common for kind, weights in sorted(trained.items()) if kind != COMMON}
    return Weights(by_name(common), {kind: by_name(weights) for kind, weights in added.items()}, relevance)


def by_name(weights: np.typing.NDArray[np.float64]) -> dict[str, float]:
    """In the order of the features."""
    rounded = [round(float(weight), DIGITS) for weight in weights]
    return {name: weight for name, weight in zip(FEATURES, rounded, strict=True) if weight}


def write_weights(path: Path, weights: Weights) -> None:
    """Write the file anew, indented."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=2) + b"\n")


def scaled_to(
    logistic: Logistic, names: tuple[str, ...], floor: tuple[float, float], doubt: tuple[float, float]
) -> dict[str, float]:
    """The logistic stretched and moved so that two of its probabilities become those of the settings: ``floor`` and
    ``doubt`` are (as fitted, as set). So a training changes what is weighed, and no threshold.
    """
    fitted, wanted = [log_odds(pair[0]) for pair in (floor, doubt)], [log_odds(pair[1]) for pair in (floor, doubt)]
    stretch = (wanted[1] - wanted[0]) / max(fitted[1] - fitted[0], 1e-3)
    bias = wanted[0] + stretch * (logistic.bias - fitted[0])
    weights = {
        name: round(stretch * weight, DIGITS) for name, weight in zip(names, logistic.weights.tolist(), strict=True)
    }
    return {**weights, "bias": round(bias, DIGITS)}


def log_odds(probability: float) -> float:
    """Of a probability between 0 and 1."""
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))
