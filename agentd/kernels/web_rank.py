"""Which passages of a few pages have the words of a question: BM25 among themselves.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the ``k1`` and
``b`` that suit passages of like length.
"""

from __future__ import annotations

import math
from collections import Counter

from agentd.kernels.tokens import identifier_parts, words_of
from agentd.kernels.web_messages import WebRankRequest, WebRankResult

K1 = 0.9
B = 0.4

MAX_TERMS = 64
"""Words of a query that count; a longer one is a text, and its first words say what it is about."""

_STOP_WORDS = (
    "a an and are as at be been by can did do does for from had has have how i if in into is it its me my not of on or"
    " should so that the their them then there these they this to was we were what when where which who why will with"
    " would you your"
)
_STOP = frozenset(_STOP_WORDS.split())


def score_texts(request: WebRankRequest) -> WebRankResult:
    """A score for each text of ``request``."""
    terms = list(dict.fromkeys(_terms(request.query)))[:MAX_TERMS]
    wanted = [term for term in terms if term not in _STOP] or terms
    counts = [Counter(_terms(text)) for text in request.texts]
    lengths = [max(1, sum(count.values())) for count in counts]
    mean = sum(lengths) / max(1, len(lengths))
    scores = [0.0] * len(counts)
    for term in wanted:
        holding = sum(term in count for count in counts)
        weight = math.log1p((len(counts) - holding + 0.5) / (holding + 0.5))
        for index, count in enumerate(counts):
            if frequency := count[term]:
                damped = frequency + K1 * (1 - B + B * lengths[index] / mean)
                scores[index] += weight * frequency * (K1 + 1) / damped
    return WebRankResult([round(score, 6) for score in scores])


def _terms(text: str) -> list[str]:
    return [word.lower() for word in words_of(f"{text} {identifier_parts(text)}")]
