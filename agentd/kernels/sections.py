"""Headings to a tree of sections, for every prose format that has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from agentd.kernels.chunks import Block, Trail

Body = Callable[[int, int, Trail], list[Block]]
"""Takes the lines of one section without its subsections apart: first line, end, trail."""

MAX_TITLE = 120


class Heading(NamedTuple):
    """A section begins at ``line`` (from 0). Level 1 is the outermost."""

    line: int
    level: int
    title: str


def section_tree(end: int, headings: Sequence[Heading], body: Body) -> Block:
    """The whole file, ``end`` lines, as sections within sections; a section's trail ends with its own title."""
    return Block(0, end, _shared(headings), parts=partial(_sections, 0, end, (), headings, body))


def _shared(headings: Sequence[Heading]) -> Trail:
    """A file that is one chunk is about its only outermost title."""
    top = min((heading.level for heading in headings), default=0)
    titles = [heading.title for heading in headings if heading.level == top]
    return (titles[0][:MAX_TITLE],) if len(titles) == 1 else ()


def _sections(start: int, end: int, trail: Trail, headings: Sequence[Heading], body: Body) -> list[Block]:
    """What stands before the first heading, then a block for each outermost heading with all that is below it."""
    first = headings[0].line if headings else end
    blocks = [Block(start, first, trail, parts=partial(body, start, first, trail))] if start < first else []
    for index, stop in _outermost(headings):
        heading = headings[index]
        inner = headings[index + 1 : stop]
        below = (*trail, heading.title[:MAX_TITLE])
        until = headings[stop].line if stop < len(headings) else end
        parts = partial(_sections, heading.line, until, below, inner, body)
        if not inner:
            parts = partial(body, heading.line, until, below)
        blocks.append(Block(heading.line, until, below, parts=parts))
    return blocks


def _outermost(headings: Sequence[Heading]) -> list[tuple[int, int]]:
    """Index ranges of ``headings``: each begins with one that no earlier one holds."""
    begins: list[int] = []
    for index, heading in enumerate(headings):
        if not begins or heading.level <= headings[begins[-1]].level:
            begins.append(index)
    return list(pairwise([*begins, len(headings)]))
