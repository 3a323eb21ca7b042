"""What the query of a language finds in a tree, as plain records: the way from grammars to symbols and edges.

Each language has one small file of queries, ``queries/LANGUAGE.scm``, in tree-sitter's own language, with the capture
names of its tags convention where there is one:

- ``@definition.KIND`` (a ``SymbolKind``) around ``@name``; ``@scope`` beside ``@name`` where a definition stands
  outside of what it belongs to (the receiver of a Go method, the type of a Rust ``impl``, ``Type::`` of C++);
- ``@reference.call`` around ``@name`` and, where it is called on something, ``@receiver``;
- ``@reference.inherits`` around ``@name``: a base class, an interface, a trait, with or without its path;
- ``@import`` around ``@module``, ``@name`` (what is taken from it) and ``@alias`` (what it is called here), each
  optional; ``@wildcard`` where all names are taken;
- ``@binding`` around ``@name`` and ``@type``: a variable, parameter or field whose type is written down or constructed.
"""

from __future__ import annotations

from typing import NamedTuple


class Definition(NamedTuple):
    """A node that defines a name. Bytes are half open, rows count from 0; ``scope`` is '' or the type it belongs to."""

    kind: str
    name: str
    scope: str
    start: int
    end: int
    start_row: int
    end_row: int
    name_start: int


class Use(NamedTuple):
    """A call or a base. ``receiver`` is the text before the name, '' for none: ``self``, ``a.b``, ``Type``."""

    name: str
    receiver: str
    start: int
    row: int


class Import(NamedTuple):
    """An import: all as written. ``name`` and ``alias`` may be '', ``wildcard`` takes everything."""

    module: str
    name: str
    alias: str
    wildcard: bool
    start: int
    row: int


class Binding(NamedTuple):
    """``name`` is bound to a value of ``type`` (as written) at byte ``start``; ``name`` may be ``self.x``."""

    name: str
    type: str
    start: int


class Captures(NamedTuple):
    """Everything the query found, each list in the order of the file."""

    definitions: list[Definition]
    calls: list[Use]
    bases: list[Use]
    imports: list[Import]
    bindings: list[Binding]
