"""Which type the variables and fields of a file are known to have."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from agentd.kernels.edges.scopes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.kernels.captures import Binding
    from agentd.kernels.edges.rules import Rules
    from agentd.kernels.edges.scopes import Scopes


class Bindings:
    """Which type each variable and field of a file is known to have, as written."""

    def __init__(self, scopes: Scopes, bindings: Sequence[Binding], rules: Rules) -> None:
        self._scopes = scopes
        self._rules = rules
        self._variables: dict[tuple[int, str], tuple[list[int], list[str]]] = {}
        self._fields: dict[tuple[str, str], str] = {}
        self.names: set[str] = set()
        around = scopes.enclosing([binding.start for binding in bindings])
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
