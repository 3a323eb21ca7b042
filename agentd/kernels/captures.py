"""What the query of a language finds in a tree, as plain records: the way from grammars to symbols and edges.

Each language has one small file of queries, ``queries/LANGUAGE.scm``, in tree-sitter's own language, with the capture
names of its tags convention where there is one:

- ``@definition.KIND`` (a ``SymbolKind``) around ``@name``; ``@scope`` beside ``@name`` where a definition stands
  outside of what it belongs to (the receiver of a Go method, the type of a Rust ``impl``, ``Type::`` of C++), ``@body``
  what no head shows. Where several patterns find the same name, the kind of the first in the file stands;
- ``@extent`` around a definition that ends with it and begins before it: decorators, ``template <...>``, ``export``;
- ``@reference.call`` around ``@name`` and, where it is called on something, ``@receiver``; or around ``@path``, both
  with a dot between: one node to look at in place of two;
- ``@reference.inherits`` around ``@name``: a base class, an interface, a trait, with or without its path; ``@scope`` is
  what inherits, where the base does not stand in its definition (``impl Trait for Type`` of Rust);
- ``@import`` around ``@module``, ``@name`` (what is taken from it) and ``@alias`` (what it is called here), each
  optional; ``@wildcard`` where all names are taken, ``@default`` in place of ``@alias`` for what a module of ECMAScript
  exports by default (its ``name`` is then ``default``). A ``@module`` with braces is a tree of names, as Rust has it;
- ``@binding`` around ``@name`` and ``@type``: a variable, parameter or field whose type is written down or constructed.

Predicates (``#eq?``) cost a call for each match of their pattern, so only patterns that seldom match have one.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Definition(Struct, frozen=True, gc=False):
    """A node that defines a name. Bytes are half open, of the text in UTF-8; rows count from 0, the last one included.

    ``scope`` is '' or the type it belongs to. ``head`` is where it begins without what ``@extent`` adds, ``body`` where
    its body begins, -1 for none.
    """

    kind: str
    name: str
    scope: str
    start: int
    end: int
    start_row: int
    end_row: int
    name_start: int
    head: int = -1
    body: int = -1


class Use(Struct, frozen=True, gc=False):
    """A call or a base. ``receiver`` is the text before the name, '' for none: ``self``, ``a.b``, ``Type``; one that is
    too long to say anything is ``...``. ``start`` is that of the name. ``scope`` is set where a base is named apart
    from the type that inherits.
    """

    name: str
    receiver: str
    start: int
    row: int
    scope: str = ""


class Import(NamedTuple):
    """An import: all as written, without quotes. ``name`` and ``alias`` may be '', ``wildcard`` takes everything."""

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
    """Everything the query found, each list in the order of the file, outer definitions before those they hold.

    ``notes`` say what was cut: ``symbols_cut``, ``edges_cut``.
    """

    definitions: list[Definition]
    calls: list[Use]
    bases: list[Use]
    imports: list[Import]
    bindings: list[Binding]
    notes: tuple[str, ...] = ()
