"""Whether a sentence says the opposite of a text that is about the same, or more than it. Pure.

It is a matter of words, as is all of this check: it finds the slips that models make, not every contradiction.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.sentences import pieces
from agentd.kernels.synonyms import meaning_words, weight
from agentd.kernels.words import CONNECTING, NEGATIONS, PARTS, plain, stem, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TO_CLAUSE_END = word_set(
    "not never cannot neither nor instead hardly seldom rarely isnt arent doesnt dont didnt wont cant couldnt wasnt"
    " werent hasnt havent wouldnt shouldnt mustnt"
)
"""Negate what follows up to the end of the clause."""
_OF_A_NOUN = frozenset({"no", "non", "without", "except", "zero"})
NOUN_WORDS = 3
"""Words that such a negation is about at most; the next article, verb or preposition ends it before."""
_OF_A_NOUN_TWO = frozenset({("rather", "than"), ("other", "than"), ("instead", "of")})
_ENDS_CLAUSE = word_set(", . ; : ( ) but if when because so while unless until although whereas than which otherwise")
_ENDS_NOUN = word_set(
    "a an the to that this these those each every is are was were be been has have can may must will should would does"
    " do did it they from at by on in when where who"
)
_NEGATING_VERBS = frozenset(
    map(stem, word_set("exclude ignore skip prevent avoid disable refuse forbid disallow reject lack omit disregard"))
)
"""``excludes X`` says of X what ``does not include X`` says."""
_PREFIXES = ("un", "in", "im", "ir", "non", "dis", "de")
MATTER_SHARE = 0.5
"""Of a sentence's words that a piece must have to be about the same, where the two negate differently."""
NEARLY_BEST = 0.9
"""A piece with this share of the best one's words may be the one meant."""

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
    "synchronous | asynchronous", "first | second third", "front head top beginning | back tail bottom end",
    "keep kept | remove erase", "improve | degrade worsen harm", "accept | reject refuse", "left | right",
    "full | empty", "success | failure", "constant | grow double", "positive | negative", "expand | shrink",
    "prefix | suffix", "automatic | manual", "temporary | permanent", "relative | absolute", "internal | external",
    "acquire | release", "connect | disconnect", "insert | delete remove", "commit | rollback", "static | dynamic",
    "source | destination target", "upload | download", "parent | child", "encrypt | decrypt plaintext",
    "rare seldom | often frequent", "succeed | fail abort", "free | occupied", "leading | trailing", "wide | narrow",
    "strict | lenient", "shared | exclusive", "reuse | remove", "several many | one single",
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


def opposites(word: str) -> frozenset[str]:
    """Stems of the words that say the opposite of a stem."""
    return _OPPOSITES.get(word, frozenset())


_PARTICLES = {"in": "out", "on": "off", "up": "down"} | {"out": "in", "off": "on", "down": "up"}
_PARTICLE = re.compile(r"\b(\w{3,}) (in|out|on|off|up|down)\b")
_ORDERING = ("before", "after", "into", "than", "to", "in favor of", "followed by")
SIDE_CHARACTERS = 300
"""Of a clause on either side of such a word that are compared."""
MOST_SAID, MOST_THERE = 8, 128
"""Places of one such word that are compared: a text may consist of nothing else."""


_ONLY = re.compile(r"\b(?:only|solely|exclusively|other than)\b", re.IGNORECASE)
"""Denies what it does not name: the same is often told with a negation."""
_CLAUSE_MARK = re.compile(r"[.;:!?](?:\s|$)")
_Sides = tuple[frozenset[str], frozenset[str]]
"""Words before and after a connecting word."""


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
    parts = pieces(span or window)
    return [
        *([] if _ONLY.search(sentence) else _negated(said, parts)),
        *_opposite(said, _polarity(f"{window}\n{span}")),
        *_prefixed(said, there),
        *_other_particle(sentence, window),
        *_other_order(sentence, parts),
        *_too_strong(sentence, span or window),
    ]


def _negated(said: dict[str, set[bool]], parts: Sequence[str]) -> list[str]:
    """Words negated on one side alone, in each of the pieces that are most about the same."""
    whole = sum(map(weight, said))
    pairs = [_Compared.of(said, _polarity(part)) for part in parts]
    best = max((pair.about for pair in pairs), default=0.0)
    if not best or best < MATTER_SHARE * whole:
        return []
    nearest = [pair for pair in pairs if pair.about >= NEARLY_BEST * best]
    if any(pair.agrees or not pair.flipped for pair in nearest):
        return []
    word = max(nearest, key=lambda pair: pair.about).flipped[-1]
    return [f'"{word}" is negated {"here, but not there" if said[word] == {True} else "there, but not here"}']


class _Compared(NamedTuple):
    """A sentence beside a piece: how many words both have, by weight, which of them are negated on one side alone,
    and whether one is negated on both.
    """

    about: float
    flipped: list[str]
    agrees: bool

    @classmethod
    def of(cls, said: dict[str, set[bool]], there: dict[str, set[bool]]) -> _Compared:
        shared = [word for word in said if word in there]
        flipped = [word for word in shared if len(said[word]) == len(there[word]) == 1 and said[word] != there[word]]
        agrees = any(True in said[word] and True in there[word] for word in shared)
        return cls(sum(map(weight, shared)), flipped, agrees)


def _prefixed(said: dict[str, set[bool]], there: dict[str, set[bool]]) -> list[str]:
    """``sensitive`` where the other side says ``insensitive``, and the reverse."""
    found = []
    for one, other in ((said, there), (there, said)):
        others = other.keys() - one.keys()
        for word, negated in one.items():
            against = next((prefix + word for prefix in _PREFIXES if prefix + word in others), None)
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


def _other_order(sentence: str, parts: Sequence[str]) -> list[str]:
    """What stands on either side of ``before``, ``into``, ``than``, changed over; ``first``, ``then`` orders too."""
    found = []
    for joint in _ORDERING:
        joints = (joint, "then", "afterward") if joint == "before" else (joint,)
        said = list(islice(_sides(sentence, joint), MOST_SAID))
        there = (
            sides
            for part in parts
            for each in joints
            if said and each.split()[0] in part
            for sides in _sides(part, each)
        )
        if any(_changed_over(own, sides) for sides in islice(there, MOST_THERE) for own in said):
            found.append(f'what is on either side of "{joint}" is the other way round there')
    return found


def _changed_over(said: _Sides, there: _Sides) -> bool:
    left, right = there[0] - there[1], there[1] - there[0]
    before, after = said[0] - said[1], said[1] - said[0]
    return bool(before & right and after & left) and not after & right


def _sides(text: str, joint: str) -> Iterator[_Sides]:
    """The words before and after each ``joint`` of ``text``, within its clause."""
    flat = " ".join(text.split())
    for match in re.finditer(rf"\b{joint}\b", flat, re.IGNORECASE):
        before = _CLAUSE_MARK.split(flat[max(0, match.start() - SIDE_CHARACTERS) : match.start()])[-1]
        after = _CLAUSE_MARK.split(flat[match.end() : match.end() + SIDE_CHARACTERS])[0]
        yield frozenset(meaning_words(before)), frozenset(meaning_words(after))


def _too_strong(sentence: str, window: str) -> list[str]:
    claimed = ((strong, strong.word.search(sentence)) for strong in _STRONG)
    return [f'"{match[0]}" is not said there' for strong, match in claimed if match and not strong.needs.search(window)]


def _polarity(text: str) -> dict[str, set[bool]]:
    """Each word's stem, and whether it stands under a negation; both, where it occurs with and without."""
    found: defaultdict[str, set[bool]] = defaultdict(set)
    scope = _Scope()
    words = [plain(part) for part in PARTS.findall(text)]
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if scope.reads(word, following) or word in CONNECTING or word in NEGATIONS:
            continue
        bare = stem(word)
        complement = _COMPLEMENTS.get(bare, bare)
        found[complement].add(scope.negates != (bare in _COMPLEMENTS))
        if scope.without:  # what is done without X may be told as what X set to None does
            found[complement].add(not scope.negates)
        scope.passes(bare)
    return dict(found)


class _Scope:
    """How far negations reach, word by word: to the end of the clause, or over the next noun."""

    def __init__(self) -> None:
        self.without = False
        self._clause = False
        self._noun = 0

    @property
    def negates(self) -> bool:
        """Whether the word at hand is negated."""
        return self._clause != (self._noun > 0)

    def reads(self, word: str, following: str) -> bool:
        """Takes in what opens or ends a scope; whether ``word`` did so."""
        if (word, following) in _OF_A_NOUN_TWO or word in _OF_A_NOUN:
            self._noun, self.without = NOUN_WORDS, word == "without"
        elif word in _ENDS_CLAUSE and not (word == "than" and self._noun == NOUN_WORDS):
            self._clause, self._noun, self.without = False, 0, False
        elif word in _TO_CLAUSE_END:
            self._clause = self._clause != ((word, following) != ("not", "only"))
        else:
            if word in _ENDS_NOUN and self._noun < NOUN_WORDS:
                self._noun, self.without = 0, False
            return False
        return True

    def passes(self, word: str) -> None:
        """A word with meaning was read."""
        if self._noun:
            self._noun -= 1
        self.without = self.without and self._noun > 0
        if word in _NEGATING_VERBS:
            self._clause = not self._clause
