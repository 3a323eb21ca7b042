"""How much of an answer a model is given: estimates of tokens, and what was left out in words. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    Entry = TypeVar("Entry")

BYTES_A_TOKEN = 3.2
"""Of UTF-8: code and JSON have some 3 to 4, so that this rather counts too many."""
LINE_END = 1


class Room:
    """What is left of a budget of tokens; ``notes`` say what found none."""

    def __init__(self, tokens: int) -> None:
        self.left = float(tokens)
        self.notes: list[str] = []

    def take(self, entries: Sequence[Entry], what: str) -> list[Entry]:
        """The first of ``entries`` that there is room for, each counted as the JSON that it becomes, but always one."""
        for count, entry in enumerate(entries):
            self.left -= estimate(json.dumps(entry, ensure_ascii=False))
            if self.left < 0 and count:
                self.notes.append(f"{len(entries) - count} more {what} left out for room; raise max_tokens or narrow")
                return list(entries[:count])
        return list(entries)

    def lines(self, text: str) -> str:
        """The first lines of ``text`` that there is room for, but always one, cut where it is longer than all."""
        lines = text.split("\n")
        for count, line in enumerate(lines):
            cost = estimate(line) + LINE_END
            if cost > self.left:
                return "\n".join(lines[:count]) if count else line[: round(self.left * BYTES_A_TOKEN)]
            self.left -= cost
        return text


def estimate(text: str) -> float:
    """About how many tokens ``text`` is for a language model."""
    return len(text.encode(errors="replace")) / BYTES_A_TOKEN
