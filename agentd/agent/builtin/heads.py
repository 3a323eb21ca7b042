"""Which lines of a file are the head of a definition, an import, a call: in any language, by how they look. Pure.

Nothing is parsed here: the index says where to look, and a line that does not look right is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LINES = 3
"""Of one proof: the head of a definition may go on for long."""

_ASIDE = re.compile(r"\s*(?:#|//|/?\*|--|@)")
"""How comments and decorators begin, which may hold a name, too."""
_IMPORT = re.compile(r"\b(?:import|from|export|require|include|include_once|require_once|use|using|mod|load|source)\b")
"""What a line that imports has in it, in any language: the file that has it may have changed unnoticed."""


def head_of(lines: Sequence[str], name: str, signature: str, through: int) -> range:
    """The head of what is called ``name`` in its ``lines``, and on to the place ``through`` where that is near.

    >>> head_of(["# runs", "@cached", "def run(", "    it,", "):"], "A.run", "def run( it, )", 9)
    range(2, 5)
    """
    bare = name.rpartition(".")[2]
    named = _word(bare).search(signature)
    at = _first(lines, signature[: named.end()]) if named else None
    if at is None:
        at = _first(lines, bare)
    if at is None:
        return range(0)
    end = _closed(lines, at)
    return range(at, max(end, through + 1) if through < at + MOST_LINES else end)


def import_of(lines: Sequence[str]) -> range:
    """The first of ``lines`` where it imports, with what its brackets hold."""
    return range(_closed(lines, 0)) if lines and _IMPORT.search(lines[0]) else range(0)


def filled(lines: Sequence[str]) -> range:
    """The first of ``lines``, unless nothing stands in it."""
    return range(1 if lines and lines[0].strip() else 0)


def _first(lines: Sequence[str], words: str) -> int | None:
    """Which of ``lines`` holds ``words``, however they are set apart; none that stands aside, unless ``words`` do."""
    pattern, aside = _word(words), _ASIDE.match(words)
    fits = (at for at, line in enumerate(lines) if pattern.search(" ".join(line.split())))
    return next((at for at in fits if aside or not _ASIDE.match(lines[at])), None)


def _word(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")


def _closed(lines: Sequence[str], at: int) -> int:
    """Where the brackets that are opened in line ``at`` are closed, at most so far on; the place behind."""
    opened = 0
    for end in range(at, min(at + MOST_LINES, len(lines))):
        opened += sum(map(lines[end].count, "([{")) - sum(map(lines[end].count, ")]}"))
        if opened <= 0:
            return end + 1
    return min(at + MOST_LINES, len(lines))
