"""What stands on a terminal after a program has written to it: for tests, and for pictures of what people see.

It knows what agentctl and rich send: text, CR, LF, SGR, links, moves up, erasing a line. It refuses what it does not
know, so that it never shows anything else than a terminal would.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rich.cells import cell_len

_TOKEN = re.compile(
    r"\x1b\[(?P<values>[0-9;?]*)(?P<letter>[A-Za-z])"
    r"|\x1b\](?P<command>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|(?P<other>[\s\S])"
)


class Cell(NamedTuple):
    """A letter, its style as parameters of SGR, and what it links to. The right half of a wide letter is empty."""

    letter: str = " "
    style: str = ""
    link: str = ""


BLANK = Cell()


class TerminalScreen:
    """A terminal of ``columns`` by ``rows``; ``lines`` are all that it holds, those that scrolled away too."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.columns, self.rows = columns, rows
        self.lines: list[list[Cell]] = [[]]
        self._row = self._column = 0
        self._style = self._link = ""

    def write(self, text: str) -> None:
        """What the program wrote.

        Raises:
            ValueError: a sequence that is not known here.
        """
        for token in _TOKEN.finditer(text):
            if token["letter"]:
                self._control(token["letter"], token["values"])
            elif token["command"] is not None:
                self._operate(token["command"])
            else:
                self._take(token["other"])

    def text(self) -> str:
        """All lines without their styles and the spaces at their ends."""
        return "\n".join("".join(cell.letter for cell in line).rstrip() for line in self.lines).rstrip("\n")

    def ansi(self) -> str:
        """All lines with their styles and links."""
        return "\n".join(map(_painted, self.lines)).rstrip("\n")

    def _take(self, letter: str) -> None:
        match letter:
            case "\r":
                self._column = 0
            case "\n":
                self._row += 1
                self.lines += [[]] * (self._row + 1 - len(self.lines))
            case _ if letter.isprintable() or (cell_len(letter) == 0 and ord(letter) > 0x9F):
                self._put(letter)
            case _:
                raise ValueError(f"expected text, found {letter!r}")

    def _put(self, letter: str) -> None:
        wide = cell_len(letter)
        if self._column + wide > self.columns:
            self._take("\n")
            self._column = 0
        line = [*self.lines[self._row]]
        line += [BLANK] * (self._column + wide - len(line))
        cells = [Cell(letter, self._style, self._link), *[Cell("", self._style, self._link)] * (wide - 1)]
        line[self._column : self._column + wide] = cells[:wide]
        self.lines[self._row] = line
        self._column += wide

    def _control(self, letter: str, values: str) -> None:
        match letter:
            case "m":
                self._style = "" if values in {"", "0"} else f"{self._style};{values}".removeprefix(";")
            case "A":  # no further up than what is on the screen
                self._row = max(self._row - int(values or 1), len(self.lines) - self.rows, 0)
            case "K" if values == "2":
                self.lines[self._row] = []
            case "h" | "l" if values == "?25":
                pass  # the cursor, hidden and shown
            case _:
                raise ValueError(f"expected a sequence of agentctl, found CSI {values}{letter}")

    def _operate(self, command: str) -> None:
        if not command.startswith("8;"):
            raise ValueError(f"expected a link, found OSC {command!r}")
        self._link = command.split(";", 2)[2]


def _painted(line: list[Cell]) -> str:
    painted, before = "", BLANK
    for cell in [*line, BLANK]:
        if cell.link != before.link:
            painted += f"\x1b]8;;{cell.link}\x1b\\"
        if cell.style != before.style:
            painted += f"\x1b[0;{cell.style}m".replace(";m", "m")
        painted, before = painted + cell.letter, cell
    return painted[: -len(BLANK.letter)].rstrip()
