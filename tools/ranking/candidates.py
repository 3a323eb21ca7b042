"""What a file offers as a query, and the edit of its copy that keeps the query's own words away from the gold."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEWEST_WORDS, MOST_WORDS = 4, 40
ROLE = re.compile(r":[\w:+.-]+:`~?([^`<]*?)(?:\s*<[^>]*>)?`")
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)|`([^`<]+?)\s*<[^>]*>`_+")
MARKUP = re.compile(r"[`*|]+")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
PARAGRAPH_END = re.compile(r"\n\s*(?:\n|:\w+[ :]|\.\. )")
"""A blank line, or a field or directive of reStructuredText right below."""
WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|\d+")


class Edit(Struct, frozen=True):
    """Lines ``start_line`` to ``end_line`` (both included) become ``lines``."""

    start_line: int
    end_line: int
    lines: tuple[str, ...] = ()


class Candidate(Struct, frozen=True):
    """A possible query. Lines are those of the original file; ``edit`` is made in the copy if the query is taken.
    ``end_line`` 0 means the whole file.
    """

    kind: str
    query: str
    path: str
    start_line: int
    end_line: int
    edit: Edit | None = None


def without_overlaps(edits: Iterable[Edit]) -> list[Edit]:
    """The edits in order, each that touches one before it left out."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda each: (each.start_line, each.end_line)):
        if not kept or edit.start_line > kept[-1].end_line:
            kept.append(edit)
    return kept


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text after ``edits``, which are in order and do not overlap."""
    lines = text.splitlines(keepends=True)
    for edit in reversed(edits):
        lines[edit.start_line - 1 : edit.end_line] = [f"{line}\n" for line in edit.lines]
    return "".join(lines)


class LineMap:
    """Where lines of the original lie after edits, which are in order and do not overlap."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._starts = [edit.start_line for edit in edits]
        self._edits = edits
        self._before = [0]
        for edit in edits:
            self._before.append(self._before[-1] + len(edit.lines) - (edit.end_line - edit.start_line + 1))

    def __call__(self, line: int) -> int:
        """The new number of a line; of one that was edited, that of what stands in its place or after it."""
        index = bisect_right(self._starts, line)
        if index and line <= self._edits[index - 1].end_line:
            edit = self._edits[index - 1]
            return edit.start_line + self._before[index - 1] + min(line - edit.start_line, len(edit.lines))
        return line + self._before[index]


def plain(text: str) -> str:
    """Prose without the markup of reStructuredText and Markdown, on one line."""
    text = LINK.sub(lambda match: match[1] or match[2], ROLE.sub(r"\1", text))
    return " ".join(MARKUP.sub("", text).split())


def first_sentence(text: str) -> str:
    """The first sentence of the first paragraph of prose, without its full stop."""
    paragraph = PARAGRAPH_END.split(text.strip(), maxsplit=1)[0]
    return SENTENCE.split(plain(paragraph), maxsplit=1)[0].rstrip(" .:")


def usable(query: str, fewest: int = FEWEST_WORDS) -> bool:
    """Whether a text is of a length that a person would type."""
    return fewest <= len(query.split()) <= MOST_WORDS


def words(name: str) -> list[str]:
    """The words of an identifier: ``getUserByID`` -> get, user, by, id."""
    return [word.lower() for word in WORD.findall(name)]
