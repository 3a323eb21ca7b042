"""What is found in a sample of a language, as lines that a person can check against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tree_sitter import Parser

from agentd.kernels.edges import edges
from agentd.kernels.grammars import load
from agentd.kernels.query import capture
from agentd.kernels.symbols import symbols

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentd.domain import Edge, Symbol
    from agentd.kernels.captures import Use


class Report(NamedTuple):
    """Sections of what was found, each a block of lines in the order of the file; ``symbols`` by qualified name."""

    outline: str
    calls: str
    bases: str
    imports: str
    bindings: str
    edges: str
    symbols: dict[str, Symbol]


def report(language: str, path: str, source: str) -> Report:
    """Parse ``source`` as the file ``path`` and write down what its query, its symbols and its edges are.

    ``outline`` is ``kind qualified first-last``, a call or base ``receiver name``, an edge ``source kind name`` and
    where it leads: ``= symbol`` in the file, ``^ symbol member`` of its bases, ``module path`` elsewhere.
    """
    data = source.encode()
    tree = Parser(load(language)).parse(data)
    captures = capture(language, tree, data)
    found = symbols(captures, data, language)
    return Report(
        _lines(f"{symbol.kind} {symbol.qualified} {symbol.start_line}-{symbol.end_line}" for symbol in found),
        _uses(captures.calls),
        _uses(captures.bases),
        _lines(_words(item.module, item.name, item.alias, "*" * item.wildcard) for item in captures.imports),
        _lines(f"{item.name}: {item.type}" for item in captures.bindings),
        _lines(_edge(edge, found) for edge in edges(path, language, captures, found)),
        {symbol.qualified: symbol for symbol in reversed(found)},
    )


def _uses(found: Iterable[Use]) -> str:
    return _lines(_words(use.receiver, use.name) for use in found)


def _edge(edge: Edge, found: list[Symbol]) -> str:
    source = found[edge.source].qualified if edge.source >= 0 else "-"
    target = found[edge.target].qualified if edge.target >= 0 else ""
    leads = _words("^" if edge.path else "=", target) if target else edge.module
    return _words(source, edge.kind, edge.name, leads, edge.path)


def _words(*words: str) -> str:
    return " ".join(word for word in words if word)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
