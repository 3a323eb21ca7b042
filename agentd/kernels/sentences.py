"""Text in pieces that say one thing each: sentences, list items, rows, headings, blocks of code. Pure.

Nothing is lost: the pieces of a text, joined, are the text.
"""

from __future__ import annotations

import re
from itertools import pairwise

_FENCED = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)[^\n]*+\n(?:.*?^[ \t]*\1[^\n]*(?:\n|\Z)|.*\Z)", re.MULTILINE | re.DOTALL)
_STARTS = re.compile(
    r"\n[ \t]*\n\s*"  # a paragraph
    r"|\n(?=[ \t]*(?:[-*+\u2022]|\d{1,3}[.)]|#{1,6}|>|:\w[\w ]*:)\s)"  # a list item, a heading, a quotation, a field
    r"|\n(?=[ \t]*\|)"  # a row of a table
    r"|(?<=\|)[ \t]*\n"
    r"|(?<=\n)(?=[ \t]*#{1,6} )"
)
_HEADING_END = re.compile(r"^[ \t]*#{1,6} [^\n]*\n", re.MULTILINE)
_END = re.compile(
    r"[.!?\u2026]+[\"'\u201d\u2019)*_]*(?:[ \t]*\[[\d,; ]+\])*(?:\s+|\Z)(?=[\"'\u201c\u2018(\[*_`]*[A-Z0-9`:]|\Z)"
)
_INLINE = re.compile(r"(?<!`)(`+)(?!`)[^\n]{0,1000}?(?<!`)\1(?!`)")
"""Between as many backticks as it begins with, so that a single one may stand within two (CommonMark, code spans)."""
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|a\.k\.a|incl|resp|No|Nr|Fig|Mr|Mrs|Ms|Dr|Prof|St|[A-Z])$|^\s*\d{1,3}$"
)
LONGEST_ABBREVIATION = 12
"""Characters, with what stands before it: no more is looked at, since a text may consist of abbreviations alone."""


def pieces(text: str) -> list[str]:
    r"""The pieces of ``text`` in their order, each with the space that follows it.

    >>> pieces("It is so, e.g. here. It is not.\n\n- An item")
    ['It is so, e.g. here. ', 'It is not.\n\n', '- An item']
    """
    found: list[str] = []
    at = 0
    for block in _FENCED.finditer(text):
        found += _prose(text[at : block.start()])
        found.append(block[0])
        at = block.end()
    return [piece for piece in (*found, *_prose(text[at:])) if piece]


def is_code(piece: str) -> bool:
    """Whether a piece is a fenced block."""
    return _FENCED.match(piece) is not None


def without_code(text: str) -> str:
    """``text`` with code, in blocks and in lines, replaced by as many spaces: every other character keeps its place.

    >>> without_code("so `x[1]` is [2]")
    'so        is [2]'
    """
    return _INLINE.sub(_spaces, _FENCED.sub(_spaces, text))


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _prose(text: str) -> list[str]:
    cuts = {match.end() for match in _STARTS.finditer(text)} | {match.end() for match in _HEADING_END.finditer(text)}
    blocks = [text[start:end] for start, end in pairwise(sorted({0, *cuts, len(text)}))]
    return [piece for block in blocks for piece in _sentences(block)]


def _sentences(block: str) -> list[str]:
    """A dot within inline code ends nothing: such code is looked at as letters."""
    plain = _INLINE.sub(lambda match: match[1] + "x" * (len(match[0]) - 2 * len(match[1])) + match[1], block)
    found: list[str] = []
    start = 0
    for end in _END.finditer(plain):
        if not _abbreviates(plain, start, end):
            found.append(block[start : end.end()])
            start = end.end()
    return [*found, block[start:]]


def _abbreviates(text: str, start: int, end: re.Match[str]) -> bool:
    """Whether the dot at ``end`` belongs to the word before it, in a sentence that begins at ``start``."""
    if end[0].rstrip() != ".":
        return False
    return _ABBREVIATION.search(text[max(start, end.start() - LONGEST_ABBREVIATION) : end.start()]) is not None
