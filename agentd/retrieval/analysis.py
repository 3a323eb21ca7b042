"""What the query asks for decides how much each retriever is worth."""

from __future__ import annotations

from msgspec import Struct

from agentd.retrieval.results import Mode, SearchQuery


class Weights(Struct, frozen=True):
    """Weight of each retriever's list in the fusion; 0 leaves it out."""

    keyword: float
    vector: float


WEIGHTS = {
    Mode.KEYWORD: Weights(1.0, 0.0),
    Mode.VECTOR: Weights(0.0, 1.0),
    Mode.FUSION: Weights(1.0, 1.0),
}


def weights(query: SearchQuery) -> Weights:
    """Weights for ``query``: those of its mode."""
    return WEIGHTS[query.mode]
