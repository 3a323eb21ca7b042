"""Where the calls of a file lead, each found once for all places where it means the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.edges.place import NOWHERE, Place
from agentd.kernels.edges.rules import rules_of
from agentd.kernels.edges.spelling import dotted, is_literal

if TYPE_CHECKING:
    from agentd.kernels.edges.bindings import Bindings
    from agentd.kernels.edges.imported_names import ImportedNames
    from agentd.kernels.edges.resolve import Resolver
    from agentd.kernels.edges.scopes import Scopes


LINE, SCOPE, CLASS, FILE, LITERAL, OTHER = range(6)
"""How far an expression means the same; a variable may hold something else on each line. ``LITERAL`` and ``OTHER`` are
no dotted expressions.
"""


class Receiver(NamedTuple):
    """What is called on, as a dotted expression, and how far that means the same."""

    spelled: str
    varies: int


class Uses:
    """Asks ``resolver`` what is not known yet. Its ``bases`` must be complete."""

    def __init__(
        self, language: str, scopes: Scopes, imports: ImportedNames, bindings: Bindings, resolver: Resolver
    ) -> None:
        self._language = language
        self._rules = rules_of(language)
        self._scopes = scopes
        self._variables = bindings.names
        self._resolver = resolver
        self._receivers: dict[str, Receiver] = {}
        self._holders: dict[tuple[int | str, str], Place] = {}
        self._members: dict[tuple[int | str, str, str], Place] = {}
        self._bare: dict[str, Place] = {}
        self._scoped = self._rules.members or imports.nested

    def place(self, ordinal: int, receiver: str, name: str, at: int) -> Place:
        """Where ``receiver.name``, written at byte ``at`` in ``ordinal``, leads."""
        if not receiver:
            return self._name(ordinal, name, at)
        spelled, varies = self._receivers.get(receiver) or self._received(receiver)
        if varies == FILE:
            seat: int | str = -1
        elif varies == CLASS:
            seat = self._scopes.owner(ordinal)
        elif varies == SCOPE:
            seat = ordinal
        elif varies == LINE:
            return self._resolver.use(self._resolver.value(ordinal, spelled, at), name)
        else:
            return NOWHERE if varies == LITERAL else self._resolver.named(name)
        question = (seat, spelled, name)
        found = self._members.get(question)
        if found is None:
            holder = self._holder(seat, ordinal, spelled, at)
            found = self._members[question] = self._resolver.use(holder, name)
        return found

    def _name(self, ordinal: int, name: str, at: int) -> Place:
        if self._varies(name) != FILE:
            return self._resolver.bare(ordinal, name, at)
        found = self._bare.get(name)
        if found is None:
            found = self._bare[name] = self._resolver.bare(ordinal, name, at)
        return found

    def _holder(self, seat: int | str, ordinal: int, spelled: str, at: int) -> Place:
        found = self._holders.get((seat, spelled))
        if found is None:
            found = self._holders[seat, spelled] = self._resolver.value(ordinal, spelled, at)
        return found

    def _received(self, receiver: str) -> Receiver:
        spelled = dotted(receiver, self._language)
        root = spelled.partition(".")[0]
        if not spelled:
            found = Receiver("", LITERAL if is_literal(receiver) else OTHER)
        elif root in self._rules.selves or root in self._rules.parents:
            found = Receiver(spelled, CLASS)
        else:
            found = Receiver(spelled, self._varies(root.removesuffix("()")))
        self._receivers[receiver] = found
        return found

    def _varies(self, name: str) -> int:
        if name in self._variables:
            return LINE
        return SCOPE if self._scoped or name in self._scopes.names else FILE
