"""Which grammar parses a language. Grammars are loaded on first use: a worker that reads only prose loads none."""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from typing import NamedTuple

from tree_sitter import Language


class Grammar(NamedTuple):
    """The module of a grammar's wheel and its function that hands the grammar over."""

    module: str
    function: str = "language"


GRAMMARS = {
    "bash": Grammar("tree_sitter_bash"),
    "c": Grammar("tree_sitter_c"),
    "cpp": Grammar("tree_sitter_cpp"),
    "csharp": Grammar("tree_sitter_c_sharp"),
    "go": Grammar("tree_sitter_go"),
    "java": Grammar("tree_sitter_java"),
    "javascript": Grammar("tree_sitter_javascript"),
    "kotlin": Grammar("tree_sitter_kotlin"),
    "lua": Grammar("tree_sitter_lua"),
    "php": Grammar("tree_sitter_php", "language_php"),
    "python": Grammar("tree_sitter_python"),
    "ruby": Grammar("tree_sitter_ruby"),
    "rust": Grammar("tree_sitter_rust"),
    "scala": Grammar("tree_sitter_scala"),
    "swift": Grammar("tree_sitter_swift"),
    "tsx": Grammar("tree_sitter_typescript", "language_tsx"),
    "typescript": Grammar("tree_sitter_typescript", "language_typescript"),
}


@cache
def load(language: str) -> Language:
    """The compiled grammar of a language in ``GRAMMARS``."""
    grammar = GRAMMARS[language]
    pointer = getattr(import_module(grammar.module), grammar.function)()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # some wheels hand over a plain int, not a capsule
        return Language(pointer)
