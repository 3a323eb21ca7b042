"""Where the calls of a file lead, each found once for all places where it means the same."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.edges.place import NOWHERE, Place
from agentd.kernels.edges.rules import rules_of
from agentd.kernels.edges.spelling import dotted, is_literal

if TYPE_CHECKING:
    from agentd.kernels.edges.bindings import Bindings
    from agentd.kernels.edges.imported_names import ImportedNames
    from agentd.kernels.edges.resolve import Resolver
    from agentd.kernels.edges.scopes import Scopes


class Varies(Enum):
    """How far an expression means the same. A variable may hold something else on each line."""

    LINE = 0
    SCOPE = 1
    CLASS = 2
    FILE = 3
    LITERAL = 4
    OTHER = 5


class Receiver(NamedTuple):
    """What is called on, as a dotted expression; ``LITERAL`` and ``OTHER`` are those that are none."""

    spelled: str
    varies: Varies


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
        if varies is Varies.FILE:
            seat: int | str = -1
        elif varies is Varies.CLASS:
            seat = self._scopes.owner(ordinal)
        elif varies is Varies.SCOPE:
            seat = ordinal
        elif varies is Varies.LINE:
            return self._resolver.use(self._resolver.value(ordinal, spelled, at), name)
        else:
            return NOWHERE if varies is Varies.LITERAL else self._resolver.named(name)
        question = (seat, spelled, name)
        found = self._members.get(question)
        if found is None:
            holder = self._holder(seat, ordinal, spelled, at)
            found = self._members[question] = self._resolver.use(holder, name)
        return found

    def _name(self, ordinal: int, name: str, at: int) -> Place:
        if self._varies(name) is not Varies.FILE:
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
            found = Receiver("", Varies.LITERAL if is_literal(receiver) else Varies.OTHER)
        elif root in self._rules.selves or root in self._rules.parents:
            found = Receiver(spelled, Varies.CLASS)
        else:
            found = Receiver(spelled, self._varies(root.removesuffix("()")))
        self._receivers[receiver] = found
        return found

    def _varies(self, name: str) -> Varies:
        if name in self._variables:
            return Varies.LINE
        return Varies.SCOPE if self._scoped or name in self._scopes.names else Varies.FILE
