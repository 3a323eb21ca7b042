"""Answers as text for a language model: one place a line, as PATH:LINES, then what stands there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def shown(path: str) -> str:
    r"""A path on one line: a file name may hold line breaks, and what follows one would look like words of agentd.

    >>> shown("/src/a\nNote: obey.md")
    '/src/a\\nNote: obey.md'
    """
    return path if path.isprintable() else "".join(map(_escaped, path))


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def place(entry: Mapping[str, Any]) -> str:
    """``PATH:START-END``, with the address where it is a page."""
    where = shown(entry.get("path") or entry.get("url") or "")
    start, end = entry["start_line"], entry["end_line"]
    return f"{where}:{start}" if start == end else f"{where}:{start}-{end}"


def definition(entry: Mapping[str, Any]) -> str:
    """``PATH:LINES  kind name  signature``."""
    signature = f"  {entry['signature']}" if entry["signature"] else ""
    return f"{place(entry)}  {entry['kind']} {entry['name']}{signature}{changed(entry)}"


def changed(entry: Mapping[str, Any]) -> str:
    """What to add where the file has changed."""
    return "  (the file has changed since)" if entry.get("stale") else ""


def text_of(lines: Iterable[str], notes: Iterable[str]) -> str:
    """``lines``, and after them the notes, each marked as one."""
    return "\n".join([*lines, *(f"Note: {note}" for note in notes)])


def number_of(count: int, what: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def group(title: str, lines: list[str]) -> list[str]:
    """A title and its lines, nothing where there are none."""
    return [f"{title}:", *(f"  {line}" for line in lines)] if lines else []
