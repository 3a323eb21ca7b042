"""The sentences of an answer and what each cites. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from agentd.answer.marks import MARK, cited
from agentd.kernels.sentences import is_code, pieces

_BULLET = re.compile(r"^(?:[-*+>\u2022]\s+|\d{1,3}[.)]\s+)+")
_WORDS = re.compile(r"\w")
_ROW = re.compile(r"^\|.*\|?$")
_RULER = re.compile(r"^[|:\s-]+$")
_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?](?:\s|$))")


class Sentence(NamedTuple):
    """A sentence without its marks, and the numbers that it cites."""

    text: str
    citations: list[int]


def sentences(text: str) -> list[Sentence]:
    """The sentences, list items and rows of ``text``. Blocks of code, headings and rulers of tables claim nothing.

    >>> sentences("It is so [1, 3].")
    [Sentence(text='It is so.', citations=[1, 3])]
    """
    found = (_sentence(piece) for piece in pieces(text) if not is_code(piece))
    return [sentence for sentence in found if sentence is not None]


def _sentence(piece: str) -> Sentence | None:
    said = piece.strip()
    if said.startswith("#") or _RULER.match(said):
        return None
    plain = _BULLET.sub("", " ".join(MARK.sub("", said).split()))
    plain = " ".join(plain.strip("|").replace("|", ",").split()) if _ROW.match(said) else plain
    plain = _BEFORE_STOP.sub("", plain).strip()
    return Sentence(plain, cited(piece)) if _WORDS.search(plain) else None
