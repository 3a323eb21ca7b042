"""The file of weights that the scorer reads: names before numbers, so that a person can read and change it.

::

    {"features": ["keyword", ...],
     "weights": {"common": {"keyword": 1.2, ...}, "question": {...}},
     "relevance": {"weights": {"coverage": 3.1, ...}, "bias": -2.0, "floor": 0.18, "doubt": 0.42}}

A query of which the chance to be answered lies under ``floor`` gets no hits; under ``doubt``, hits of low confidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

DIGITS = 4


class Relevance(Struct, frozen=True):
    """The logistic on a query's evidence, and its two thresholds, each a probability."""

    weights: dict[str, float] = {}
    bias: float = 0.0
    floor: float = 0.0
    doubt: float = 0.0


class RankingWeights(Struct, frozen=True):
    """Weights by query type and feature; ``common`` is for every type that has none of its own."""

    features: list[str] = []
    weights: dict[str, dict[str, float]] = {}
    relevance: Relevance = Relevance()


def read_weights(path: Path) -> RankingWeights:
    """The weights in a file, or none where there is no file.

    Raises:
        msgspec.ValidationError: it is of another shape.
    """
    return msgspec.json.decode(path.read_bytes(), type=RankingWeights) if path.is_file() else RankingWeights()


def write_weights(path: Path, weights: RankingWeights) -> None:
    """Write the file anew, indented and rounded."""
    plain = rounded(msgspec.to_builtins(weights))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")


def rounded(value: object) -> object:
    """The same with every number cut to a few digits: more would be noise, and unreadable in a diff."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, DIGITS) if isinstance(value, float) else value
