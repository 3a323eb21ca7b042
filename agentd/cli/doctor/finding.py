"""What a check found."""

from __future__ import annotations

from typing import NamedTuple

OK, WARNING, PROBLEM, SKIPPED = "ok", "warning", "problem", "skipped"


class Finding(NamedTuple):
    """``name`` is stable and begins with its group: ``socket.answers``. ``mend`` is a command, or a sentence."""

    name: str
    result: str
    found: str
    expected: str = ""
    mend: str = ""

    @property
    def group(self) -> str:
        """What comes before the dot."""
        return self.name.partition(".")[0]


def ok(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name, OK, found)


def warning(name: str, found: str, expected: str, mend: str = "") -> Finding:
    """It works, but worse than it could, or not for long."""
    return Finding(name, WARNING, found, expected, mend)


def problem(name: str, found: str, expected: str, mend: str = "") -> Finding:
    """Something does not work."""
    return Finding(name, PROBLEM, found, expected, mend)


def skipped(name: str, why: str, mend: str = "") -> Finding:
    """It could not be looked at, or does not concern this machine."""
    return Finding(name, SKIPPED, why, mend=mend)


def some(names: list[str], most: int = 3) -> str:
    """The first few, and how many more: ``a, b, c and 4 more``.

    >>> some(["a", "b"]), some(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
