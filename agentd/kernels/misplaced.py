"""What a text says, but of something else: of the other value, the other number, the other one of two. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.polarity import opposites
from agentd.kernels.synonyms import meaning_words, weight
from agentd.kernels.words import stem, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

LEAST_THERE = 0.5
"""The share of the rest of a sentence that must stand beside the other word."""
LEAST_MORE = 0.2
"""How much more of it must stand there than beside the word that the sentence has."""

_CLAUSE = re.compile(
    r"(?<=[.!?;:,])\s+"
    r"|(?<!\s)\s++(?=(?:but|and|while|whereas|otherwise|unless|instead|rather than|so that|because|although|though"
    r"|until|or|which)\b)"  # not at "if": a value and when it holds belong together
    r"|\n\s*\n"
    r"|\n(?=\s*(?:[-*+#>|:]|\d+[.)]|//|if |else|elif|return|raise|def |for |while |try|except))"  # a statement of code
    r"|\n(?=\s*\w+\s*[:=])|(?<!\s)\s++(?=\(|//|#)",
    re.IGNORECASE,
)
_VALUES = tuple(
    frozenset(map(stem, word_set(group))) for group in ("first second third last", "true false none null nil")
)
"""Words of a kind: where one stands, another one does not."""


class _Rivalry(NamedTuple):
    word: str
    rivals: frozenset[str]


def misplaced(sentence: str, span: str) -> list[str]:
    """What ``sentence`` says of a number, a value or one of two opposites that ``span`` says of another one, in words.

    >>> misplaced("Level 1 gives the best compression.", "1 gives best speed, 9 gives best compression.")
    ['it says that of "9" there, not of "1"']
    """
    own = list(dict.fromkeys(meaning_words(sentence)))
    clauses = [frozenset(meaning_words(clause)) for clause in _CLAUSE.split(span)]
    found = []
    for word, rivals in _rivalries(own, frozenset().union(*clauses)):
        rest = set(own) - {word} - rivals
        here = [clause for clause in clauses if word in clause]
        there = [clause for clause in clauses if rivals & clause and word not in clause]
        if there and (other := max(there, key=lambda clause: _share(rest, clause))):
            most = _share(rest, other)
            if most >= max(LEAST_THERE, LEAST_MORE + max(_share(rest, clause) for clause in here)):
                found.append(f'it says that of "{min(rivals & other)}" there, not of "{word}"')
    return found


def _rivalries(own: Sequence[str], there: frozenset[str]) -> Iterator[_Rivalry]:
    """The words of a sentence that the text has too, with those of their kind that it has alone."""
    numbers = frozenset(word for word in there if word[0].isdigit())
    for word in own:
        if word in there:
            kind = numbers if word in numbers else opposites(word).union(*(each for each in _VALUES if word in each))
            rivals = (kind & there) - set(own)
            if rivals:
                yield _Rivalry(word, rivals)


def _share(words: AbstractSet[str], clause: frozenset[str]) -> float:
    whole = sum(map(weight, words))
    return sum(map(weight, words & clause)) / whole if whole else 0.0
