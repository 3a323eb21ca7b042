"""How text reaches the person or the pipe: colour, links and width on a terminal, plain text elsewhere."""

from __future__ import annotations

import json
import os
import sys
from itertools import accumulate

from agentd.config import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TextIO

DOT = " · "
BOLD, DIM, RED, GREEN, YELLOW, MAGENTA, CYAN = "1", "2", "1;31", "32", "33", "35", "36"

# What a file holds must not be able to drive the terminal: control characters (C0, DEL, C1) and those that turn the
# direction of writing (CVE-2021-42574) are shown as signs. Tab and newline are the caller's.
_SIGNS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"}
_SIGNS |= dict.fromkeys((*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F), "\ufffd")


class Screen:
    """Standard output, and what it can show."""

    def __init__(
        self, *, is_terminal: bool, colour: bool = False, links: bool = False, columns: int = 80, rows: int = 24
    ) -> None:
        self.is_terminal = is_terminal
        self.colour = colour
        self.links = links
        self.columns = columns
        self.rows = rows

    def paint(self, text: str, style: str) -> str:
        """``text`` in a style (parameters of SGR, ECMA-48 8.3.117), where colour is welcome."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour and text else text

    def link(self, text: str, path: str) -> str:
        """``text`` as a link to a file (OSC 8), where the terminal knows links."""
        if not self.links:
            return text
        from urllib.parse import quote  # noqa: PLC0415  # only a terminal pays for it

        return f"\x1b]8;;file://{quote(path, errors='surrogateescape')}\x1b\\{text}\x1b]8;;\x1b\\"

    def fit(self, text: str, used: int = 0) -> str:
        """``text`` cut to the columns that ``used`` leaves, with a sign where it was cut."""
        return shortened(text, max(self.columns - used, 8))


def screen(stream: TextIO | None = None) -> Screen:
    """What ``stream`` (standard output) can show."""
    if not (stream or sys.stdout).isatty():
        return Screen(is_terminal=False)
    columns, rows = dimensions()
    return Screen(
        is_terminal=True, colour=terminal.wants_colour(), links=terminal.knows_links(), columns=columns, rows=rows
    )


def width() -> int:
    """Columns of the terminal."""
    return dimensions()[0]


def dimensions() -> tuple[int, int]:
    """Columns and rows of the terminal; 80 by 24 where there is none or it does not say."""
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return 80, 24
    return columns or 80, rows or 24


def clean(text: str) -> str:
    """``text`` without what could drive a terminal."""
    return text.translate(_SIGNS)


def cells(text: str) -> int:
    """Columns that clean ``text`` takes: wide letters and emoji (UAX 11) take two, marks that join others none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(letter: str) -> int:
    from unicodedata import category, east_asian_width  # noqa: PLC0415  # plain English needs neither

    return 0 if category(letter) in {"Mn", "Me", "Cf"} else 2 if east_asian_width(letter) in "WF" else 1


def shortened(text: str, room: int) -> str:
    """``text`` in no more than ``room`` columns, with a sign where it was cut."""
    if cells(text) <= room:
        return text
    kept = sum(used < room for used in accumulate(map(cells, text)))  # the sign needs a column
    return text[:kept] + "…"


def lines_of(text: str) -> list[str]:
    """The lines of a file's text, by newline alone as the index counts them, safe to print."""
    return [clean(line.removesuffix("\r")) for line in text.removesuffix("\n").split("\n")]


def short_path(path: str) -> str:
    """``path`` as seen from the current directory, where that is shorter."""
    try:
        return clean(min(os.path.relpath(path), path, key=len))
    except OSError:  # the current directory is gone
        return clean(path)


def span(start: int, end: int) -> str:
    """Lines of a file as they follow its path: ``3-9``, of a single one ``3``."""
    return str(start) if start == end else f"{start}-{end}"


def say(*lines: str) -> None:
    """Print lines to standard output."""
    print("\n".join(lines))


def note(*lines: str) -> None:
    """Print lines to standard error: what a person should know and a pipe should not carry."""
    sys.stdout.flush()
    print("\n".join(lines), file=sys.stderr)


def flush() -> None:
    """Hand what was printed to the pipe now."""
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Print a value as one line of JSON; ASCII, so that no locale and no terminal minds."""
    print(json.dumps(value, separators=(",", ":")))


def size(count: float) -> str:
    """Bytes for people, in powers of 1024."""
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def duration(seconds: float) -> str:
    """A time for people, to the two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def took(milliseconds: float) -> str:
    """A short time for people."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 60_000 else duration(milliseconds / 1000)


def number_of(count: int, what: str) -> str:
    """``1 call``, ``2 calls``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def left_to_do(files: int, vectors: int) -> str:
    """``31 files to read, 4 vectors to compute``, without what there is none of."""
    parts = [f"{number_of(files, 'file')} to read"] if files else []
    parts += [f"{number_of(vectors, 'vector')} to compute"] if vectors else []
    return ", ".join(parts)


def joined(parts: Iterable[str], columns: int) -> list[str]:
    """Parts beside each other, a dot between two, in as many lines as ``columns`` make necessary."""
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + cells(DOT) + cells(part) <= columns:
            lines[-1] += DOT + part
        else:
            lines.append(part)
    return lines


def counts(values: dict[str, int]) -> str:
    """Counts by reason: ``12 binary, 3 too large``."""
    largest_first = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {clean(name).replace('_', ' ')}" for name, count in largest_first)


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows with their columns aligned."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows]
