"""Whether a sentence says the opposite of a text that is about the same, or more than it. Pure.

It is a matter of words, as is all of this check: it finds the slips that models make, not every contradiction.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import zip_longest
from typing import NamedTuple

from agentd.kernels.words import CONNECTING, NEGATIONS, PARTS, content_words, plain, stem

SCOPE = 4
"""Words after a negation among which the one that it is about is looked for: the first that carries meaning."""
_TWO_WORDS = {"instead": "of", "rather": "than", "other": "than"}
"""Negations where the next word is this."""
_PREFIXES = ("un", "in", "im", "ir", "non", "dis", "de")
SIDE = 6
"""Words on either side of a connecting word that say what comes before what."""

COMPLEMENTS = {
    "disallow": "allow", "forbid": "allow", "deny": "allow", "reject": "accept", "refuse": "accept",
    "prohibit": "allow",
    "disable": "enable", "invalid": "valid", "unlikely": "likely", "impossible": "possible", "unable": "able",
    "inactive": "active", "unequal": "equal", "incorrect": "correct", "unsafe": "safe", "unsupported": "support",
    "invalidate": "valid",
    "unchanged": "change", "unmodified": "modify", "fail": "succeed", "failure": "succeed",
}  # fmt: skip
"""Words that are another one negated."""
_COMPLEMENTS = {stem(word): stem(other) for word, other in COMPLEMENTS.items()}

OPPOSITES = (
    "always | never", "before | after", "first | last after", "increase | decrease", "more | less fewer",
    "greater high large above over | less low small below under", "minimum min | maximum max", "true | false",
    "required mandatory must | optional", "upper uppercase | lower lowercase", "inside within | outside",
    "include | exclude", "add | remove replace", "ascending | descending", "same | different other", "fast | slow",
    "start begin | end", "oldest | newest", "most | least", "open | close", "client | server", "global | local",
    "encode | decode", "compress | decompress", "mutable | immutable", "ignore | respect matter",
    "keep | drop discard delete",
    "login | logout", "persistent disk | memory", "production | development", "parallel concurrent | sequential",
    "early | late", "incoming | outgoing", "present | absent missing", "raise | return", "immediate | never",
    "allow permit | prevent mitigate", "grow | shrink", "reduce | more increase", "import | export", "public | private",
    "synchronous | asynchronous",
)  # fmt: skip


def _table() -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for pair in OPPOSITES:
        one, other = ([stem(word) for word in side.split()] for side in pair.split("|"))
        for word in one:
            found[word].update(other)
        for word in other:
            found[word].update(one)
    return {word: frozenset(others) for word, others in found.items()}


_OPPOSITES = _table()
_PARTICLES = {"in": "out", "on": "off", "up": "down"} | {"out": "in", "off": "on", "down": "up"}
_PARTICLE = re.compile(r"\b(\w{3,}) (in|out|on|off|up|down)\b")
_ORDERING = ("before", "after", "into", "than")


class Strong(NamedTuple):
    """A word that claims much, and words of which the text must have one to support that."""

    word: re.Pattern[str]
    needs: re.Pattern[str]


def _strong(word: str, needs: str) -> Strong:
    return Strong(re.compile(rf"\b(?:{word})\b", re.IGNORECASE), re.compile(rf"\b(?:{needs})\b", re.IGNORECASE))


_STRONG = (
    _strong(
        "only|alone|solely|exclusively", r"only|alone|solely|exclusively|just|unless|single|one|nothing|never|not|first"
    ),
    _strong("must|have to|has to", r"must|ha(?:s|ve) to|needs?|requir\w+|should|only|mandatory|shall|cannot|raises?"),
    _strong("always|every time", "always|every|all|each|any|never|no matter"),
    _strong("guarantees?|guaranteed", r"guarantee\w*|ensures?|must|always"),
)


def opposed(sentence: str, window: str, span: str = "") -> list[str]:
    """How ``sentence`` says the opposite of ``window``, or more than it, in words; ``span`` is what is around that.

    >>> opposed("The cache is kept.", "The cache is not kept.")
    ['"keep" is negated there, but not here']
    """
    said, there = _polarity(sentence), _polarity(window)
    return [
        *_negated(said, there),
        *_opposite(said, _polarity(f"{window}\n{span}")),
        *_prefixed(said, there),
        *_other_particle(sentence, window),
        *_other_order(sentence, window),
        *_too_strong(sentence, window),
    ]


def _negated(said: dict[str, set[bool]], there: dict[str, set[bool]]) -> list[str]:
    """Words negated on one side, where the other negates nothing: else it may be the same, put differently."""
    here_negates, there_negates = (any(True in each for each in side.values()) for side in (said, there))
    if here_negates and there_negates:
        return []
    return [
        f'"{word}" is negated {"here, but not there" if negated == {True} else "there, but not here"}'
        for word, negated in said.items()
        if len(negated) == 1 and len(there.get(word, ())) == 1 and negated != there[word]
    ]


def _prefixed(said: dict[str, set[bool]], there: dict[str, set[bool]]) -> list[str]:
    """``sensitive`` where the other side says ``insensitive``, and the reverse."""
    found = []
    for one, other in ((said, there), (there, said)):
        for word, negated in one.items():
            against = next((prefix + word for prefix in _PREFIXES if prefix + word in other.keys() - one.keys()), None)
            if against and word not in other and negated & other[against]:
                found.append(f'"{word}" and "{against}" are opposites')
    return found


def _opposite(said: dict[str, set[bool]], there: dict[str, set[bool]]) -> list[str]:
    found = []
    for word, negated in said.items():
        against = sorted(other for other in _OPPOSITES.get(word, ()) if there.get(other, set()) & negated)
        if against and word not in there:
            found.append(f'it says "{against[0]}" there, and "{word}" here')
    return found


def _other_particle(sentence: str, window: str) -> list[str]:
    there = {(stem(verb), particle) for verb, particle in _PARTICLE.findall(window.casefold())}
    return [
        f'it says "{verb} {_PARTICLES[particle]}" there'
        for verb, particle in _PARTICLE.findall(sentence.casefold())
        if (stem(verb), _PARTICLES[particle]) in there and (stem(verb), particle) not in there
    ]


def _other_order(sentence: str, window: str) -> list[str]:
    """What stands before and after ``before``, ``into``, ``than``, changed over; ``first``, ``then`` orders too."""
    found = []
    for joint in _ORDERING:
        said = _sides(sentence, joint)
        there = _sides(window, joint) or (_sides(window, "then") if joint == "before" else None)
        if said is None or there is None:
            continue
        left, right = there[0] - there[1], there[1] - there[0]
        if said[0] & right and said[1] & left and not said[1] & right:
            found.append(f'what is on either side of "{joint}" is the other way round there')
    return found


def _sides(text: str, joint: str) -> tuple[set[str], set[str]] | None:
    before, found, after = text.casefold().partition(f" {joint} ")
    if not found:
        return None
    return set(content_words(before)[-SIDE:]), set(content_words(after)[:SIDE])


def _too_strong(sentence: str, window: str) -> list[str]:
    claimed = ((strong, strong.word.search(sentence)) for strong in _STRONG)
    return [f'"{match[0]}" is not said there' for strong, match in claimed if match and not strong.needs.search(window)]


def _polarity(text: str) -> dict[str, set[bool]]:
    """Each word's stem, and whether it stands under a negation; both, where it occurs with and without."""
    found: defaultdict[str, set[bool]] = defaultdict(set)
    parts = PARTS.findall(text)
    left = 0
    for part, following in zip_longest(parts, parts[1:], fillvalue=""):
        word = plain(part)
        if word in NEGATIONS or _TWO_WORDS.get(word) == following:
            left = SCOPE
        elif word[:1].isalnum() and word not in CONNECTING:
            bare = stem(word)
            found[_COMPLEMENTS.get(bare, bare)].add((left > 0) != (bare in _COMPLEMENTS))
            left = 0
        else:
            left = left - 1 if word[:1].isalnum() else 0
    return dict(found)
