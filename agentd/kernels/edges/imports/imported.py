"""The two values that every language's rules take and return."""

from __future__ import annotations

from typing import NamedTuple


class Importer(NamedTuple):
    """Where an import stands. ``inline`` counts the modules around it that are written in the same file (Rust), and
    ``declared`` are the modules that the file declares to be its children.
    """

    path: str
    language: str
    inline: int = 0
    declared: frozenset[str] = frozenset()


class Imported(NamedTuple):
    """``name`` is bound to what is called ``path`` in the module with the key ``module``; to the module itself where
    ``path`` is empty. ``*`` binds everything that is there, ``""`` nothing.
    """

    name: str
    module: str
    path: str = ""


def unquoted(text: str) -> str:
    """A module as it is meant, without the quotes or brackets it is written in."""
    return text.strip().strip("\"'`")
