"""Definitions as symbols: nested by their byte ranges, with qualified names, signatures and docs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.domain import Symbol, SymbolKind
from agentd.kernels.comments import comment_text, docstring, lead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.kernels.captures import Captures, Definition

MAX_SIGNATURE = 300
"""Characters; one that is generated can be any length."""

MAX_DOC = 1000
"""Characters of a doc comment that are kept."""

MAX_NESTING = 64
"""Definitions within definitions; what is nested deeper belongs to the one at this depth."""

HOLDERS = frozenset(
    {SymbolKind.CLASS, SymbolKind.STRUCT, SymbolKind.ENUM, SymbolKind.INTERFACE, SymbolKind.TRAIT, SymbolKind.TYPE}
)
"""Kinds whose functions are methods and whose variables are fields."""

_FUNCTION = SymbolKind.FUNCTION
_METHOD = SymbolKind.METHOD
_VARIABLE = SymbolKind.VARIABLE
_FIELD = SymbolKind.FIELD
_CONSTANT = SymbolKind.CONSTANT
"""Members of an enumeration are looked up once: in Python 3.11 each look takes 0.3 microseconds."""

VALUES = frozenset({_CONSTANT, _VARIABLE, _FIELD})

_KINDS = {str(kind): kind for kind in SymbolKind}
"""``SymbolKind(...)`` is a call in Python; there is one for each definition."""

_ECMASCRIPT = frozenset({"javascript", "typescript", "tsx"})
_NO_SCOPE = frozenset({"module", "exports", "prototype", "this"})
"""Parts of what ECMAScript assigns to that no reader would name: ``module.exports.f``, ``Store.prototype.fetch``."""


def symbols(captures: Captures, data: bytes, language: str) -> list[Symbol]:
    """One symbol for each of ``captures.definitions``, in their order; bytes are those of ``data`` (UTF-8).

    A parent's span holds those of its children, and no parent comes after its children.
    """
    found: list[Symbol] = []
    around: list[int] = []  # ordinals of the definitions that are open, outermost first
    previous = floor = 0
    for at, definition in enumerate(captures.definitions):
        while around and not _holds(captures.definitions[around[-1]], definition):
            floor = max(floor, captures.definitions[around.pop()].end)
        parent = around[-1] if around else -1
        start, rows = lead(data, definition.start, max(previous, floor), language)
        found.append(_symbol(definition, parent, start, rows, found, data, language))
        if len(around) < MAX_NESTING:
            around.append(at)
        previous = definition.start
    return found


def _holds(outer: Definition, inner: Definition) -> bool:
    return inner.end <= outer.end and (outer.start, outer.end) != (inner.start, inner.end)


def _symbol(
    definition: Definition,
    parent: int,
    start: int,
    rows: int,
    found: Sequence[Symbol],
    data: bytes,
    language: str,
) -> Symbol:
    scope = definition.scope and _scope(definition.scope, language)
    name, body = definition.name, definition.body
    holder = found[parent] if parent >= 0 else None
    above = f"{holder.qualified}." if holder else ""
    if scope:
        above = f"{above}{scope}."
    doc = docstring(data, body, MAX_DOC) if language == "python" and body >= 0 else ""
    if not doc and start < definition.start:
        doc = comment_text(data[start : definition.start], language, MAX_DOC)
    return Symbol(
        _kind(_KINDS[definition.kind], name, holder, scope),
        name,
        above + name,
        parent,
        _signature(definition, data),
        doc,
        definition.start_row - rows + 1,
        definition.end_row + 1,
        start,
        definition.end,
    )


def _kind(kind: SymbolKind, name: str, holder: Symbol | None, scope: str) -> SymbolKind:
    """A function of a class is a method, a variable in capitals a constant."""
    within = bool(scope) or (holder is not None and holder.kind in HOLDERS)
    if kind is _FUNCTION:
        return _METHOD if within else kind
    if kind is _VARIABLE or kind is _FIELD:
        return _CONSTANT if name.isupper() else _FIELD if within else kind
    return kind


def _scope(scope: str, language: str) -> str:
    if scope and language in _ECMASCRIPT:
        return ".".join(part for part in scope.split(".") if part not in _NO_SCOPE)
    return scope


def _signature(definition: Definition, data: bytes) -> str:
    """The head in one line: up to the body, or where there is none the first line."""
    head = definition.head
    end = definition.body if definition.body > head else definition.end
    text = data[head : min(end, head + 2 * MAX_SIGNATURE)]
    if definition.body <= head:
        text = text.partition(b"\n")[0]
    return " ".join(text.decode(errors="ignore").split()).rstrip(" :{=,;")[:MAX_SIGNATURE]
