"""Features of the candidates of a search: what the scorer weighs, each a number from 0 to 1 that a person can read.

The shares of words are weighted by how rare each word is (inverse document frequency), as BM25 does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from heapq import nlargest
from typing import TYPE_CHECKING

from agentd.domain import WORD_IN_NAME, Kind
from agentd.kernels.roles import Role, role_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from agentd.kernels.messages import RankCandidate, RankRequest

FEATURES = (
    "keyword",
    "words",
    "prose",
    "vector",
    "similarity",
    "fusion",
    "definition",
    "name",
    "name_precision",
    "doc",
    "context",
    "path",
    "named_path",
    "file",
    "links",
    "docs",
    "data",
    "opening",
    *(role.value for role in Role if role is not Role.SOURCE),
)
"""In the order of every row of features.

``keyword``: BM25 over the best of the query; ``words``: BM25 in words of the query of average weight, over
``MANY_WORDS``: the more words a text shares with the query, the less it is by chance; ``prose``: ``keyword`` times the
share of prose among the candidates: there an answer has the words of the question more than in code; ``vector``: cosine
over the best; ``similarity``: the cosine itself; ``fusion``: reciprocal ranks over the best; ``definition``: defines a
name of the query; ``name``, ``doc``, ``context``, ``path``: share of the query's words in the names defined, their doc
comments, the headings or scopes above, the path; ``name_precision``: share of the best such name that the query holds;
``named_path``: is the path in the query; ``file``: what other hits of its file there are; ``links``: other candidates'
files import it; ``docs``, ``data``: kind of file; ``opening``: begins the file; the rest: the file's role.
"""

_ROLE_COLUMNS = {role: [float(role is one) for one in Role if one is not Role.SOURCE] for role in Role}

MANY_WORDS = 8.0

TELLING = 3
"""Words of a query that say most of what it is about."""

_WORD = re.compile(rf"{WORD_IN_NAME}|[^\W\d_A-Za-z]+")
_ENDING = re.compile(
    r"(?:ations?|ements?|ments?|ities|ity|ings?|ness|edly|ers?|ors?|ied|iers?|ies?|ed|(?<=s|x|z)es|(?<=[cs]h)es|ly|(?<!s)s|(?<!s)es|e|y)$"
)
SHORTEST_STEM = 3


def features(request: RankRequest, words: Words) -> list[list[float]]:
    """A row of ``FEATURES`` for each candidate; ``words`` are those of the query."""
    candidates = request.candidates
    best_keyword = max((each.keyword for each in candidates), default=0.0) or 1.0
    best_vector = max((each.vector for each in candidates), default=0.0) or 1.0
    best_fusion = max((each.fusion for each in candidates), default=0.0) or 1.0
    files = _files(candidates, best_fusion)
    prose = share_of_prose(candidates)
    rows = []
    for each in candidates:
        name, precision = words.best_name(each.names)
        rows.append(
            [
                each.keyword / best_keyword,
                min(1.0, each.keyword / words.average / MANY_WORDS),
                each.keyword / best_keyword * prose,
                max(0.0, each.vector) / best_vector,
                max(0.0, each.vector),
                each.fusion / best_fusion,
                each.definition,
                name,
                precision,
                words.share(each.doc),
                words.share(each.context),
                words.share(each.path),
                each.named_path,
                files[each.document] - each.fusion / best_fusion,
                min(each.links, 5) / 5,
                float(each.kind is Kind.DOCS),
                float(each.kind is Kind.DATA),
                float(each.start_line == 1),
                *_ROLE_COLUMNS[role_of(each.path)],
            ]
        )
    return rows


def share_of_prose(candidates: Sequence[RankCandidate]) -> float:
    """How many of the candidates are of documents."""
    return sum(each.kind is Kind.DOCS for each in candidates) / max(1, len(candidates))


def _files(candidates: Sequence[RankCandidate], best: float) -> dict[int, float]:
    """For each document the sum of its two best candidates: one more that is good says that the file is about it."""
    found: dict[int, list[float]] = defaultdict(list)
    for each in candidates:
        found[each.document].append(each.fusion / best)
    return {document: sum(sorted(scores)[-2:]) for document, scores in found.items()}


class Words:
    """The words of a query, found in other texts in any of their forms."""

    def __init__(self, terms: Iterable[tuple[str, float]]) -> None:
        self._weights: dict[str, float] = {}
        for word, weight in terms:
            for stem in stems_of(word):
                self._weights[stem] = max(weight, self._weights.get(stem, 0.0))
        self._total = sum(self._weights.values()) or 1.0
        self.average = self._total / max(1, len(self._weights))
        """Mean weight of a word."""
        self._stems: dict[str, set[str]] = {}
        """Of paths, scopes and names: candidates of one query have many in common."""

    def share(self, text: str) -> float:
        """Weight of the words that are in ``text``, over that of all."""
        return self.weight(self._stems_in(text)) if self._may_be_in(text) else 0.0

    def found(self, text: str) -> set[str]:
        """The stems of the query that are in ``text``."""
        return stems_of(text) & self._weights.keys()

    def telling(self, stems: Collection[str]) -> float:
        """How much of the ``TELLING`` rarest words is among ``stems``, by weight."""
        rarest = nlargest(TELLING, self._weights.items(), key=lambda item: (item[1], item[0]))
        total = sum(weight for _, weight in rarest)
        return sum(weight for stem, weight in rarest if stem in stems) / total if total else 0.0

    def best_name(self, names: str) -> tuple[float, float]:
        """The best of ``names`` (qualified, separated by spaces): share of the query in it, of it in the query."""
        best = (0.0, 0.0)
        for name in names.split() if self._may_be_in(names) else ():
            scope, _, last = name.rpartition(".")
            stems = self._stems_in(last)
            if found := stems & self._weights.keys():
                share = self.weight(stems | self._stems_in(scope) if scope else stems)
                best = max(best, (share, len(found) / len(stems)), key=_product)
        return best

    def _may_be_in(self, text: str) -> bool:
        """Whether to look closer: a stem is a part of its word, and to look for parts is far cheaper than stemming."""
        lower = text.lower()
        return any(stem in lower for stem in self._weights)

    def _stems_in(self, text: str) -> set[str]:
        stems = self._stems.get(text)
        if stems is None:
            stems = self._stems[text] = stems_of(text)
        return stems

    def weight(self, stems: Iterable[str]) -> float:
        """Weight of the query's words among ``stems``, over that of all."""
        weights = self._weights
        return sum([weights[stem] for stem in stems if stem in weights]) / self._total


def _product(pair: tuple[float, float]) -> float:
    return pair[0] * pair[1]


def stems_of(text: str) -> set[str]:
    """The stems of the words of ``text``, those within identifiers included."""
    return set(map(stem_of, _WORD.findall(text)))


@lru_cache(maxsize=32_768)
def stem_of(word: str) -> str:
    """The word in lower case without its ending; crude, but the same on both sides.

    >>> stem_of("Cookies") == stem_of("cookie"), stem_of("merging") == stem_of("merge")
    (True, True)
    """
    word = word.lower()
    stem = _ENDING.sub("", word)
    return stem if len(stem) >= SHORTEST_STEM else word
