"""String literals that go on in the next line: what stands before and after the seam is one text. Pure.

::

    token = "ghp_..."      # the seam is from this quote
            "..."          # to this one
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEAM = re.compile(r"([\"'`])[ \t]{0,8}[+.\\]?[ \t]{0,8}\r?\n[ \t]{0,120}(?:[+.][ \t]{0,8})?[brfuBRFU]{0,2}\1")
BEFORE = 200
"""Characters before the first seam: the beginning of the literal, and the name it is given to."""
AFTER = 300
NEAR = 600
"""Characters between two seams that belong to one text."""


class Joined(NamedTuple):
    """``text`` without its seams. ``parts`` are (where it begins in ``text``, where in the whole, length)."""

    text: str
    parts: list[tuple[int, int, int]]

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """Where characters ``start`` to ``end`` stand in the whole: one span for each part."""
        first = bisect_right(self.parts, start, key=itemgetter(0)) - 1
        after = bisect_left(self.parts, end, key=itemgetter(0))
        return [
            (origin + max(0, start - begin), origin + min(length, end - begin))
            for begin, origin, length in self.parts[first:after]
            if start < begin + length
        ]


def joined_texts(text: str) -> Iterator[Joined]:
    """The surroundings of each row of seams, joined."""
    row: list[tuple[int, int]] = []
    for match in _SEAM.finditer(text):
        seam = match.span()  # from the closing quote to behind the opening one
        if row and seam[0] - row[-1][1] > NEAR:
            yield joined(text, row)
            row = []
        row.append(seam)
    if row:
        yield joined(text, row)


def joined(text: str, row: list[tuple[int, int]]) -> Joined:
    """The text around ``row`` without it."""
    starts = [max(0, row[0][0] - BEFORE), *(end for _, end in row)]
    ends = [*(start for start, _ in row), min(len(text), row[-1][1] + AFTER)]
    parts: list[tuple[int, int, int]] = []
    begin = 0
    for start, end in zip(starts, ends, strict=True):
        parts.append((begin, start, end - start))
        begin += end - start
    return Joined("".join(text[start:end] for start, end in zip(starts, ends, strict=True)), parts)
