"""Small numbers that stand for words in the tables of symbols and edges, where there are rows by the hundred thousand.

The numbers are in people's databases: append, never reorder.
"""

from __future__ import annotations

from enum import IntEnum

from agentd.domain import Certainty, EdgeKind, SymbolKind

SYMBOL_KINDS = (
    SymbolKind.MODULE, SymbolKind.CLASS, SymbolKind.STRUCT, SymbolKind.ENUM, SymbolKind.INTERFACE, SymbolKind.TRAIT,
    SymbolKind.TYPE, SymbolKind.FUNCTION, SymbolKind.METHOD, SymbolKind.MACRO, SymbolKind.CONSTANT,
    SymbolKind.VARIABLE, SymbolKind.FIELD,
)  # fmt: skip
EDGE_KINDS = (EdgeKind.IMPORTS, EdgeKind.CALLS, EdgeKind.INHERITS)
CERTAINTIES = (Certainty.EXACT, Certainty.IMPORT, Certainty.UNIQUE, Certainty.NAME)

SYMBOL_KIND_CODES = {kind: code for code, kind in enumerate(SYMBOL_KINDS)}
EDGE_KIND_CODES = {kind: code for code, kind in enumerate(EDGE_KINDS)}
CERTAINTY_CODES = {certainty: code for code, certainty in enumerate(CERTAINTIES)}

IMPORTS, CALLS, INHERITS = range(3)
EXACT, IMPORT, UNIQUE, NAME = range(4)

TYPES = (1, 2, 3, 4, 5, 6)
"""Kinds of symbols that have members and bases."""
CALLABLE = (*TYPES, 7, 8, 9)
"""Kinds of symbols that a call by name may mean: functions, methods, macros, and what is constructed."""
CONSTRUCTORS = ("__init__", "__new__", "constructor", "initialize", "__construct", "init")
"""What constructors are called; in Java, C# and C++ they have the name of their class."""


class Way(IntEnum):
    """How an edge is to be followed."""

    LOCAL = 0
    MEMBER = 1
    MODULE = 2
    NAME = 3


class News(IntEnum):
    """What changed in one document and may concern others."""

    NAME = 0
    MODULE = 1
    CLASS = 2


_FAMILIES = (
    ("python", "cython"),
    ("javascript", "typescript", "tsx", "vue", "svelte"),
    ("c", "cpp", "objective-c", "cuda"),
    ("java", "kotlin", "scala", "groovy"),
    ("csharp",),
    ("go",),
    ("rust",),
    ("ruby",),
    ("php",),
    ("swift",),
    ("lua",),
    ("bash",),
)
_FAMILY_CODES = {language: code for code, family in enumerate(_FAMILIES, start=1) for language in family}

PYTHON = _FAMILY_CODES["python"]


def family(language: str) -> int:
    """The languages that can use what a file in ``language`` defines, as a number; 0 for none that is known."""
    return _FAMILY_CODES.get(language, 0)
