"""Whether an answer says anything: what is too unlikely to be relevant is left out, what is doubtful says so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from agentd.config.settings import SearchSettings
    from agentd.retrieval.ranker import Ranking
    from agentd.retrieval.results import SearchQuery
    from agentd.retrieval.retrievers import Ranked

Confidence = Literal["high", "low"]


class Verdict(Struct, frozen=True):
    """``relevance`` is how likely it is that anything found answers the query, None where nobody can say; hits below
    ``floor`` are left out, and all are where ``withheld`` is set.
    """

    relevance: float | None
    confidence: Confidence | None
    floor: float
    withheld: int = 0

    def score(self, score: float) -> float:
        """The score of a hit, from its ranking score relative to the best (<= 0): the best has that of the answer."""
        return score if self.confidence is None else round((self.relevance or 1.0) * math.exp(score), 4)

    def kept(self, ranked: Ranked) -> Ranked:
        """The hits that may be shown, with the scores that they show."""
        if self.withheld:
            return []
        scored = [(chunk_id, self.score(score)) for chunk_id, score in ranked]
        return [(chunk_id, score) for chunk_id, score in scored if score >= self.floor]

    def below(self, ranked: Ranked) -> int:
        """How many hits score too little to be shown."""
        return 0 if self.withheld else sum(self.score(score) < self.floor for _, score in ranked)

    def cut(self, below: int = 0) -> list[str]:
        """What was left out, in words; ``below`` hits scored too little."""
        if not self.withheld:
            return [f"{below} passages score less than {self.floor:g} (min_score)"] if below else []
        relevance = f"relevance {self.relevance or 0:.2f}"
        return [
            f"nothing relevant: of {self.withheld} passages none seems to answer ({relevance}); min_score 0 shows them"
        ]


def judge(query: SearchQuery, ranking: Ranking | None, settings: SearchSettings, *, sure: bool) -> Verdict:
    """Judge what was ranked; ``sure`` says that all of the index took part.

    Only a ranking can be judged. What the caller asked for with ``min_score`` counts, else ``search.min_relevance``,
    and that only where nothing is missing: an index that is being built must not look like one without an answer.
    """
    floor = -math.inf if query.min_score is None else query.min_score
    if ranking is None and query.mode.ranks:
        return Verdict(None, None, -math.inf)  # it failed: a bound from 0 to 1 says nothing of scores by rank alone
    if ranking is None:
        return Verdict(None, None, floor)
    relevance = ranking.result.relevance if sure else None
    confidence: Confidence = "low" if relevance is None or relevance < settings.doubtful_relevance else "high"
    withhold = query.min_score is None and relevance is not None and relevance < settings.min_relevance
    return Verdict(relevance, confidence, floor, len(ranking.ranked) if withhold else 0)
