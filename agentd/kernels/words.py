"""The words of a sentence that carry meaning, without their endings: for comparing two texts word by word. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

PARTS = re.compile(r"[^\W_]+(?:[\u2019']t)?|[.,;:()]")
"""Words, and the marks that end what a negation is about."""


def word_set(text: str) -> frozenset[str]:
    """Words written one after the other."""
    return frozenset(text.split())


NEGATIONS = word_set(
    "not no non never without cannot neither nor except isnt arent doesnt dont didnt wont cant couldnt wasnt"
)
CONNECTING = word_set(
    "a an the to be been being is are was were it its of in on by for with as and or any this that these those only"
    " also if unless so do does did will can could would should may might has have had from at than then when which who"
    " where there their they them you your we i one"
)

_ENDINGS = (("ies", "i"), ("ied", "i"), ("ing", ""), ("edly", ""), ("ed", ""), ("es", ""), ("ly", ""), ("s", ""))
_IRREGULAR = {
    "kept": "keep", "sent": "send", "gave": "give", "given": "give", "made": "make", "ran": "run", "took": "take",
    "taken": "take", "found": "find", "held": "hold", "wrote": "write", "written": "write", "chosen": "choose",
    "children": "child", "began": "begin", "built": "build", "lost": "lose", "thrown": "throw", "lower": "low",
    "higher": "high", "slower": "slow", "faster": "fast", "larger": "large",
    "used": "use", "uses": "use", "using": "use", "smaller": "small",
}  # fmt: skip


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without its usual endings: crude, but the same on both sides.

    >>> [stem(word) for word in ("copied", "copies", "copy", "raising", "stopped", "kept")]
    ['copi', 'copi', 'copi', 'rais', 'stop', 'keep']
    """
    word = _IRREGULAR.get(word, word)
    for ending, put in _ENDINGS:
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= 3 and not word.endswith(("ss", "us", "is", "eed")):
            word = bare + put
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    word = word[:-1] if len(word) > 3 and word.endswith("e") else word
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


def plain(part: str) -> str:
    """A word of ``PARTS`` without apostrophes and capitals."""
    return part.replace("\u2019", "").replace("'", "").casefold()


def content_words(text: str) -> list[str]:
    """Stems of the words of ``text`` that carry meaning, in order."""
    words = map(plain, PARTS.findall(text))
    return [stem(word) for word in words if word[:1].isalnum() and word not in CONNECTING and word not in NEGATIONS]
