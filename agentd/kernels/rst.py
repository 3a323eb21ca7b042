"""reStructuredText by a line scanner: docutils is too slow for an index, and its nodes have no exact spans.

Sections follow the specification: a title is underlined, or over- and underlined, with one repeated punctuation
character, and each style's level is the order in which the file first uses it. What is indented belongs to what stands
above it, so directives, literal blocks and definitions keep their bodies; one that is too large falls into its own
paragraphs.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise

from agentd.kernels.chunks import Block, Source, Trail
from agentd.kernels.sections import MAX_TITLE, Heading, section_tree

ADORNMENTS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

_ROLE = re.compile(r":[a-zA-Z:+.-]{1,40}:`")

_SHORTEST = 3
"""Characters of an underline; docutils takes shorter ones for short titles only, prose has them by accident."""

_MAX_DEPTH = 40


def rst(source: Source) -> Block:
    """The file as sections, and their bodies as blocks by indentation."""
    return section_tree(len(source.lines), _headings(source.lines), partial(_body, source.lines, 0))


def _headings(lines: list[str]) -> list[Heading]:
    headings: list[Heading] = []
    levels: dict[tuple[str, bool], int] = {}
    last = -1  # the underline found last: it is no overline of what follows
    for number, line in enumerate(lines):
        mark = _adornment(line)
        if not mark or number - 1 <= last:
            continue
        title = lines[number - 1].rstrip()
        if not title.strip() or _adornment(title):
            continue
        over = number - 2 > last and _adornment(lines[number - 2]) == mark
        alone = over or number < 2 or number - 2 == last or not lines[number - 2].strip()
        if alone and (over or not title[0].isspace()) and len(title.strip()) <= max(len(line.rstrip()) + 2, 4):
            level = levels.setdefault((mark, over), len(levels) + 1)
            headings.append(Heading(number - 2 if over else number - 1, level, _plain(title)))
            last = number
    return headings


def _plain(title: str) -> str:
    """A title without its marks: roles, backquotes and the backslashes that end an inline mark."""
    return _ROLE.sub("`", title[:MAX_TITLE]).replace("`", "").replace("\\", "").strip()


def _adornment(line: str) -> str:
    """The character that the whole line repeats, or nothing."""
    if line[:1] not in ADORNMENTS or line[:2] != line[:1] * 2:
        return ""
    text = line.rstrip()
    return line[0] if len(text) >= _SHORTEST and text == line[0] * len(text) else ""


def _body(lines: list[str], depth: int, start: int, end: int, trail: Trail) -> list[Block]:
    """Blocks that begin after a blank line and are indented no deeper than the first; each opens into its own."""
    starts = [start]
    base = -1
    fresh = True
    for number in range(start, end):
        line = lines[number]
        text = line.lstrip()
        if not text:
            fresh = True
            continue
        indent = len(line) - len(text)
        if base < 0:
            base = indent
        elif fresh and indent <= base:
            starts.append(number)
            base = indent
        fresh = False
    return [
        Block(low, high, trail, parts=partial(_inner, lines, depth + 1, low, high, trail))
        for low, high in pairwise([*starts, end])
    ]


def _inner(lines: list[str], depth: int, start: int, end: int, trail: Trail) -> list[Block]:
    """The first paragraph, then what is indented below it. Nothing to take apart: no parts, cut by lines."""
    blank = next((number for number in range(start, end) if not lines[number].strip()), end)
    rest = next((number for number in range(blank, end) if lines[number].strip()), end)
    if rest == end or depth > _MAX_DEPTH:
        return []
    return [Block(start, rest, trail), *_body(lines, depth, rest, end, trail)]
