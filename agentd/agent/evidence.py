"""What tools found, as the model is shown it: passages under numbers that hold for the whole run, between lines that
begin with a marker which is drawn at random for each run. All of it is data, whoever wrote it.

A passage has a block of its own, whose lines cost some 40 tokens; proofs of a line or two stand in the list that they
prove, behind ``| source N:``, which nothing else in a list can say.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, NamedTuple

from agentd.agent.contracts import Row, Told
from agentd.answer.prompt import block, fit, neutral, one_line, span
from agentd.retrieval.budget import estimate_tokens, head_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.agent.contracts import ToolResult
    from agentd.agent.outcomes import Failure
    from agentd.answer.contracts import Passage

MOST_NOTES = 8
MOST_PLACES = 4
"""Places of passages that are named where there is no room for the passages."""
TEXT_SHARE = 2
"""Beside passages, text may take one part in so many of the room."""
FRAME_TOKENS = 60
"""Of the lines around text and notes."""
MISSING_TOKENS = 80
"""Of notes about what there is no room for."""
LONGEST_NOTE = 240
"""Characters."""
NOTES_SHARE = 3
"""The tool's own notes may take one part in so many of all."""
MARK_TOKENS = 8
"""Of ``| source N:``, and of the end of a line."""

_MARK = re.compile(r"(?<=\bsource)\s+(?=\d)", re.IGNORECASE)
"""In what a file or its name says, which may look like the number of a source."""

ADVICE = {
    "retry": "Try again with other arguments, or another tool.",
    "timed_out": "Ask for less, or use another tool.",
    "final": "This will not work in this run: go on without it.",
}
"""By outcome."""

_Key = tuple[str, int, int, str]


class _Fitted(NamedTuple):
    """What there is room for: text, passages, and sentences about what is missing."""

    text: str
    passages: list[Passage]
    rows: list[Row]
    notes: list[str]


class Evidence:
    """Numbers the passages of a run. ``passages`` are all that the model was shown, in the order of their numbers."""

    def __init__(self) -> None:
        self.boundary = secrets.token_hex(8)
        self.passages: list[Passage] = []
        self._numbers: dict[_Key, int] = {}

    def told(self, tool: str, result: ToolResult, tokens: int) -> Told:
        """``result`` of ``tool`` within ``tokens`` by our estimate, and what it comes down to."""
        fitted = self._fitted(result, tokens)
        numbers = [self._number(each) for each in fitted.passages]
        blocks = [block(*each, self.boundary) for each in zip(numbers, fitted.passages, strict=True)]
        shown: set[int] = set()
        rows = [self._line(each, shown) for each in fitted.rows]
        text = "\n".join([*filter(None, [fitted.text]), *rows])
        if text or fitted.notes or not blocks:
            blocks.append(self._frame(tool, text, fitted.notes))
        named = [f"[{number}] {place(each)}" for number, each in zip(numbers, fitted.passages, strict=True)]
        named += self._by_file([each for row in fitted.rows for each in row.proofs])
        found = f"{result.found} found{': ' if named else ''}{', '.join(named)}"
        return Told("\n".join(blocks), neutral(one_line(found), self.boundary))

    def failed(self, tool: str, failure: Failure) -> Told:
        """What the model is told of a call that failed: its message may repeat names of files and words of servers."""
        text = self._frame(tool, neutral(failure.message, self.boundary), [], what="failure")
        advice = ADVICE.get(failure.outcome, "")
        line = one_line(f"failed: {failure.message}")
        return Told(f"{text}\n{advice}".rstrip(), neutral(line[:200], self.boundary))

    def _fitted(self, result: ToolResult, tokens: int) -> _Fitted:
        said = [neutral(one_line(each)[:LONGEST_NOTE], self.boundary) for each in result.notes[:MOST_NOTES]]
        notes = cut("\n".join(said), tokens // NOTES_SHARE)[0].splitlines()
        room = tokens - FRAME_TOKENS - MISSING_TOKENS - estimate_tokens("\n".join(notes))
        text, unsaid = cut(neutral(result.text, self.boundary), room // TEXT_SHARE if result.passages else room)
        if unsaid:
            notes.append(f"{unsaid} more lines did not fit: ask for less")
        room -= estimate_tokens(text)
        rows = self._within(result.rows, room // TEXT_SHARE if result.passages else room)
        if missing := len(result.rows) - len(rows):
            notes.append(f"{missing} more lines did not fit: ask for less")
        room -= sum(map(self._cost, rows))
        passages, shortened = fit(result.passages, room, self.boundary)
        if shortened:
            notes.append("the last source was cut short")
        if left := result.passages[len(passages) :]:
            notes.append(neutral(one_line(f"no room for {places(left)}")[:LONGEST_NOTE], self.boundary))
        return _Fitted(text, passages, rows, notes)

    def _within(self, rows: Sequence[Row], room: int) -> list[Row]:
        """The first of ``rows`` that cost ``room`` tokens together; one without its proofs where they do not fit."""
        shown: list[Row] = []
        for row in rows:
            fitting = (each for each in (row, Row(row.plain)) if self._cost(each) <= room)
            fits = next(fitting, None)
            if fits is None:
                break
            shown.append(fits)
            room -= self._cost(fits)
        return shown

    def _cost(self, row: Row) -> int:
        """Tokens of a row, at most: its numbers are not given yet."""
        said = self._said(row) + "".join(self._code(each) for each in row.proofs)
        return estimate_tokens(said) + MARK_TOKENS * (1 + len(row.proofs))

    def _line(self, row: Row, shown: set[int]) -> str:
        """A row, with its proofs under their numbers; one that another row has ``shown`` is not shown again."""
        line = self._said(row)
        for each in row.proofs:
            number = self._number(each)
            line += f" | source {number}" + ("" if number in shown else f": {self._code(each)}")
            shown.add(number)
        return line

    def _said(self, row: Row) -> str:
        text = row.text if row.proofs else row.plain
        return _MARK.sub("-", neutral(" ".join(text.splitlines()), self.boundary))

    def _code(self, proof: Passage) -> str:
        return _MARK.sub("-", neutral(one_line(proof.text), self.boundary))

    def _by_file(self, proofs: Sequence[Passage]) -> list[str]:
        """Each file once, with numbers and first lines: of one-line sources there are many."""
        found: dict[str, list[str]] = {}
        for each in proofs:
            found.setdefault(each.place, []).append(f"[{self._number(each)}] line {each.start_line}")
        return [f"{path} {', '.join(dict.fromkeys(numbered))}" for path, numbered in found.items()]

    def _frame(self, tool: str, text: str, notes: Sequence[str], what: str = "result") -> str:
        body = [text] if text.strip() else []
        body += [f"Note: {each}" for each in notes]
        lines = "\n".join(body) or "Nothing was found."
        return f"{self.boundary} {what} of {one_line(tool)[:64]}\n{lines}\n{self.boundary} end of {what}"

    def _number(self, passage: Passage) -> int:
        """That of the same text at the same place, else the next."""
        key = (passage.place, passage.start_line, passage.end_line, passage.text)
        number = self._numbers.get(key)
        if number is None:
            self.passages.append(passage)
            number = self._numbers[key] = len(self.passages)
        return number


def place(passage: Passage) -> str:
    """Path or address, and lines."""
    return f"{passage.place}:{span(passage.start_line, passage.end_line)}"


def places(passages: Sequence[Passage]) -> str:
    """The first few of them, and how many others there are."""
    named = ", ".join(map(place, passages[:MOST_PLACES]))
    others = len(passages) - MOST_PLACES
    return f"{named} and {others} others" if others > 0 else named


def cut(text: str, tokens: int) -> tuple[str, int]:
    """The first lines of ``text`` that cost at most ``tokens``, and how many lines are left out."""
    if estimate_tokens(text) <= tokens:
        return text, 0
    head = head_within(text, tokens)
    return head, text.count("\n") + 1 - (head.count("\n") + 1 if head else 0)
