"""What a file defines and binds, by scope."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from agentd.domain import SymbolKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.domain import Symbol
    from agentd.kernels.captures import Binding
    from agentd.kernels.edges.rules import Rules

CLASSES = frozenset(
    (SymbolKind.CLASS, SymbolKind.STRUCT, SymbolKind.ENUM, SymbolKind.INTERFACE, SymbolKind.TRAIT, SymbolKind.TYPE)
)
DATA = frozenset((SymbolKind.CONSTANT, SymbolKind.VARIABLE, SymbolKind.FIELD))
FUNCTIONS = frozenset((SymbolKind.FUNCTION, SymbolKind.METHOD, SymbolKind.MACRO))


def enclosing(symbols: Sequence[Symbol], starts: Iterable[int]) -> list[int]:
    """The ordinal of the innermost symbol around each of ``starts``, which ascend; -1 for none."""
    begins = [symbol.start_byte for symbol in symbols]
    ends = [symbol.end_byte for symbol in symbols]
    begins.append(1 << 62)
    found: list[int] = []
    stack = [-1]
    ends.append(1 << 62)  # that of -1: the file has no end
    coming = 0
    for start in starts:
        while begins[coming] <= start:
            stack.append(coming)
            coming += 1
        while ends[stack[-1]] <= start:
            stack.pop()
        found.append(stack[-1])
    return found


class Scopes:
    """Where names of one file are defined. Ordinals are those of ``symbols``, -1 is the file."""

    def __init__(self, symbols: Sequence[Symbol], rules: Rules) -> None:
        self.symbols = symbols
        self._rules = rules
        self._chains: dict[int, tuple[str, ...]] = {}
        self.defined: dict[str, int] = {}
        """By qualified name: the last definition counts, as it does where modules are run; data yields to the rest."""
        for ordinal, symbol in enumerate(symbols):
            if symbol.kind not in DATA or symbol.qualified not in self.defined:
                self.defined[symbol.qualified] = ordinal
        self.names = {symbol.name for symbol in symbols}

    def parent(self, ordinal: int) -> int:
        """The scope around ``ordinal``; a damaged record cannot make it run in circles."""
        parent = self.symbols[ordinal].parent
        return parent if -1 <= parent < ordinal else -1

    def code(self, ordinal: int) -> int:
        """``ordinal``, or the scope around it where that is a variable: what its value is made of stands there."""
        while ordinal >= 0 and self.symbols[ordinal].kind in DATA:
            ordinal = self.parent(ordinal)
        return ordinal

    def outward(self, ordinal: int) -> Iterable[int]:
        """``ordinal`` and the scopes around it, without the file."""
        while ordinal >= 0:
            yield ordinal
            ordinal = self.parent(ordinal)

    def owner(self, ordinal: int) -> str:
        """The qualified name of the class around ``ordinal``, which may be defined in another file; ``""`` for none."""
        for place in self.outward(ordinal):
            symbol = self.symbols[place]
            if symbol.kind in CLASSES:
                return symbol.qualified
            if symbol.kind is SymbolKind.METHOD and symbol.parent < 0:
                return symbol.qualified.rpartition(".")[0]
        return ""

    def look_up(self, ordinal: int, name: str, but: int = -1) -> int:
        """What the bare ``name`` means at ``ordinal``, other than ``but``; -1 where the file does not define it."""
        chain = self._chains.get(ordinal)
        if chain is None:
            chain = self._chains[ordinal] = tuple(self._chain(ordinal))
        for prefix in chain:
            found = self.defined.get(prefix + name, -1)
            if found not in (-1, but):
                return found
        return -1

    def _chain(self, ordinal: int) -> Iterable[str]:
        """What to put before a name, innermost scope first. Class bodies are seen from functions in some languages."""
        crossed = False
        for place in self.outward(ordinal):
            symbol = self.symbols[place]
            if symbol.kind in DATA or (symbol.kind in CLASSES and crossed and not self._rules.members):
                continue
            yield f"{symbol.qualified}."
            crossed = crossed or symbol.kind in FUNCTIONS
            if symbol.parent < 0 and self._rules.members:
                yield from _outer_names(symbol.qualified)
        yield ""


def _outer_names(qualified: str) -> Iterable[str]:
    """``a.b.`` and ``a.`` of ``a.b.c``: the scopes of what is defined outside of them."""
    while "." in qualified:
        qualified = qualified.rpartition(".")[0]
        yield f"{qualified}."


class Bindings:
    """Which type each variable and field of a file is known to have, as written."""

    def __init__(self, scopes: Scopes, bindings: Sequence[Binding], rules: Rules) -> None:
        self._scopes = scopes
        self._rules = rules
        self._variables: dict[tuple[int, str], tuple[list[int], list[str]]] = {}
        self._fields: dict[tuple[str, str], str] = {}
        self.names: set[str] = set()
        around = enclosing(scopes.symbols, [binding.start for binding in bindings])
        for binding, source in zip(bindings, around, strict=True):
            self._add(binding, scopes.code(source))

    def _add(self, binding: Binding, scope: int) -> None:
        head, dot, field = binding.name.partition(".")
        if dot and head in self._rules.selves:
            self._fields.setdefault((self._scopes.owner(scope), field), binding.type)
            return
        self.names.add(binding.name)
        starts, types = self._variables.setdefault((scope, binding.name), ([], []))
        starts.append(binding.start)
        types.append(binding.type)
        if scope >= 0 and self._scopes.symbols[scope].kind in CLASSES:
            self._fields.setdefault((self._scopes.symbols[scope].qualified, binding.name), binding.type)

    def variable(self, ordinal: int, name: str, at: int) -> tuple[str, int] | None:
        """Type of the variable and the scope that holds it. In the scope of the use the last binding before it counts,
        in those around it the last one.
        """
        if name not in self.names:
            return None
        own = self._scopes.code(ordinal)
        for place in (*self._scopes.outward(own), -1):
            found = self._variables.get((place, name))
            if found is not None and self._visible(place, own):
                starts, types = found
                number = bisect_right(starts, at) - 1 if place == own else len(types) - 1
                return types[max(number, 0)], place
        return None

    def _visible(self, place: int, own: int) -> bool:
        inside = place < 0 or place == own or self._rules.members
        return inside or self._scopes.symbols[place].kind not in CLASSES

    def field(self, owner: str, name: str) -> str:
        """Type of a field of the class ``owner``, or of the parameter of its constructor that has the same name."""
        found = self._fields.get((owner, name), "")
        if found or name not in self.names:
            return found
        for constructor in (*self._rules.constructors, owner.rpartition(".")[2]):
            scope = self._scopes.defined.get(f"{owner}.{constructor}", -1)
            if scope >= 0 and (parameter := self._variables.get((scope, name))) is not None:
                return parameter[1][0]
        return ""
