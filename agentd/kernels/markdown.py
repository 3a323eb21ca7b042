"""Markdown (CommonMark's block structure, as far as chunks need it) by a line scanner, so that spans are exact.

Fenced code, tables, lists and front matter stay whole where they fit.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import partial
from itertools import pairwise

from agentd.kernels.chunks import Block, Source, Trail
from agentd.kernels.sections import Heading, section_tree

_LONGEST_TITLE = 500
"""Characters of a line that may be a title; minified text must not be looked at closely."""

_FENCE = re.compile(r"[ \t]*(?:>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+)*(`{3,}|~{3,})")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_NOT_PARAGRAPH = ("#", ">", "|", "- ", "* ", "+ ", "    ", "\t")


def markdown(source: Source) -> Block:
    """The file as sections; ATX headings, setext headings and front matter are known."""
    headings, starts = _scan(source.lines)
    return section_tree(len(source.lines), headings, partial(_body, starts))


def _body(starts: list[int], start: int, end: int, trail: Trail) -> list[Block]:
    cuts = [
        start,
        *(line for line in starts[bisect_left(starts, start) : bisect_left(starts, end)] if line > start),
        end,
    ]
    return [Block(low, high, trail) for low, high in pairwise(cuts)]


def _scan(lines: list[str]) -> tuple[list[Heading], list[int]]:
    """Headings, and the lines at which a block begins: after a heading or a blank line, outside of fences."""
    headings: list[Heading] = []
    starts: list[int] = []
    fence = ""
    fresh = True
    for number, line in enumerate(lines[(skipped := _front_matter(lines)) :], skipped):
        text = line.strip()
        if fence:
            if text.lstrip("> ").startswith(fence) and not text.lstrip("> ").strip(fence[0]):
                fence, fresh = "", True
            continue
        if not text:
            fresh = True
        elif (mark := _FENCE.match(line)) is not None:
            fence = mark[1]
            starts.append(number)
        elif (heading := _heading(lines, number, text, after_blank=fresh)) is not None:
            headings.append(heading)
            starts.append(heading.line)
            fresh = True
        elif fresh:
            starts.append(number)
            fresh = False
    return headings, starts


def _front_matter(lines: list[str]) -> int:
    """Lines of the YAML or TOML block at the top, 0 where there is none."""
    if not lines or lines[0].rstrip() not in {"---", "+++"}:
        return 0
    closing = {lines[0].rstrip(), "..."} if lines[0].startswith("-") else {"+++"}
    return next((number + 1 for number in range(1, min(len(lines), 200)) if lines[number].rstrip() in closing), 0)


def _heading(lines: list[str], number: int, text: str, *, after_blank: bool) -> Heading | None:
    if len(text) > _LONGEST_TITLE:
        return None
    if text[0] == "#" and not lines[number].startswith(("    ", "\t")):
        level = len(text) - len(text.lstrip("#"))
        title = text[level:]
        return Heading(number, level, _plain(title)) if level <= 6 and (not title or title[0] in " \t") else None
    if after_blank or text[0] not in "=-" or text.strip(text[0]):
        return None
    title = lines[number - 1]
    if len(title) > _LONGEST_TITLE or title.startswith(_NOT_PARAGRAPH):
        return None
    return Heading(number - 1, 1 if text[0] == "=" else 2, _plain(title))


def _plain(title: str) -> str:
    """A title without its marks: links keep their text, emphasis and code their words."""
    return _LINK.sub(r"\1", title.strip()).rstrip("#").replace("`", "").replace("**", "").strip()
