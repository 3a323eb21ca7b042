"""Where a name leads, as far as one file tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.domain import Certainty
from agentd.kernels.edges.place import FROM_BASES, NOWHERE, UNKNOWN, Place
from agentd.kernels.edges.rules import rules_of
from agentd.kernels.edges.scopes import CLASSES, DATA, FUNCTIONS
from agentd.kernels.edges.spelling import class_of, is_class_itself, returned

if TYPE_CHECKING:
    from agentd.kernels.edges.bindings import Bindings
    from agentd.kernels.edges.imported_names import ImportedNames
    from agentd.kernels.edges.scopes import Scopes

_EXACT = Certainty.EXACT
_IMPORT = Certainty.IMPORT
"""Members of an enumeration are looked up once: in Python 3.11 each look takes 0.3 microseconds."""

MAX_STEPS = 8
"""Types that are followed from one to the next: ``a.b.c`` takes three, and types may name each other in a circle."""

_END = 1 << 62
"""Behind every byte: where the order of statements says nothing."""


class Resolver:
    """Follows names through the scopes, imports and bindings of one file.

    ``own`` is the file's module key. ``bases`` are those of its classes, by ordinal: what a class does not define
    itself may come from there.
    """

    def __init__(self, language: str, own: str, scopes: Scopes, imports: ImportedNames, bindings: Bindings) -> None:
        self._language = language
        self._rules = rules_of(language)
        self._own = own
        self._scopes = scopes
        self._imports = imports
        self._bindings = bindings
        self.bases: dict[int, list[Place]] = {}

    def use(self, holder: Place, name: str) -> Place:
        """Where a call of ``name`` on something that has the members of ``holder`` leads."""
        found = self.member(holder, name) if holder is not UNKNOWN else UNKNOWN
        return self.named(name) if found is UNKNOWN else self._held(holder, found, name)

    def bare(self, ordinal: int, name: str, at: int) -> Place:
        """Where a call of ``name`` leads: a variable of the function, a definition, an import, a member, a package."""
        bound = self._bindings.variable(ordinal, name, at)
        if bound is not None and (bound[1] >= 0 or self._scopes.look_up(-1, name) < 0):
            return self._constructed(*bound, at)
        found = self._defined(ordinal, name)
        if found is UNKNOWN and name in self._rules.builtins:
            return NOWHERE
        return found if found is not UNKNOWN else self._around(ordinal, name)

    def base(self, ordinal: int, receiver: str, name: str) -> Place:
        """Where a base of the class ``ordinal`` leads, as seen from around the class; a base is never the class."""
        around = self._scopes.parent(ordinal) if ordinal >= 0 else -1
        whole = class_of(f"{receiver}.{name}" if receiver else name, self._language)
        found = self._class(around, whole, at=_END) if whole else UNKNOWN
        if found.target != ordinal or found.target < 0:
            return found
        other = self._scopes.look_up(around, whole, but=ordinal)
        if other >= 0:
            return Place(other, certainty=_EXACT)
        return self._imports.name(around, whole) or UNKNOWN

    def value(self, ordinal: int, spelled: str, at: int, steps: int = MAX_STEPS) -> Place:
        """The class, module or definition whose members the dotted expression ``spelled`` has."""
        called = spelled.endswith("()") and spelled not in self._rules.parents
        root, *rest = (spelled[:-2] if called else spelled).split(".")
        if steps <= 0:
            return UNKNOWN
        if root in self._rules.selves or root in self._rules.parents:
            found = self._around_class(ordinal, heir=root in self._rules.parents)
        else:
            found, rest = self._root(ordinal, root, rest, at, steps)
        for attribute in rest:
            if found is UNKNOWN:
                break
            found = self._attribute(found, attribute, steps)
        return self._result(found, steps) if called else found

    def member(self, holder: Place, name: str) -> Place:
        """What is called ``name`` in ``holder``: itself in this file, or the path to it from elsewhere."""
        if holder is NOWHERE:
            return NOWHERE
        if holder.target < 0:
            return self._elsewhere(holder, name)
        if holder.path == FROM_BASES:
            return Place(holder.target, "", name, _IMPORT) if holder.target in self.bases else UNKNOWN
        if holder.path:
            return UNKNOWN
        found = self._scopes.defined.get(f"{self._scopes.symbols[holder.target].qualified}.{name}", -1)
        if found >= 0:
            return Place(found, certainty=_EXACT)
        return Place(holder.target, "", name, _IMPORT) if holder.target in self.bases else UNKNOWN

    def _held(self, holder: Place, found: Place, name: str) -> Place:
        """The class that an attribute holds, where its type says so: calling the attribute constructs it."""
        if holder.target < 0 or found.path or not self._is_data(found.target):
            return found
        text = self._field(self._scopes.symbols[holder.target].qualified, name)
        held = self._typed(text, holder.target, _END, MAX_STEPS) if is_class_itself(text) else UNKNOWN
        return found if held is UNKNOWN else held

    def _elsewhere(self, holder: Place, name: str) -> Place:
        """A member of a module, or of a class in one; a class of this module may have members in this file, too."""
        path = f"{holder.path}.{name}" if holder.path else name
        here = self._scopes.defined.get(path, -1) if holder.path and holder.module == self._own else -1
        if here >= 0:
            return Place(here, certainty=_EXACT)
        return Place(-1, holder.module, path, holder.certainty) if holder.module else UNKNOWN

    def named(self, name: str) -> Place:
        """A method of nobody knows what."""
        dull = name in self._rules.methods and name not in self._scopes.names
        return NOWHERE if dull else UNKNOWN

    def _root(self, ordinal: int, root: str, rest: list[str], at: int, steps: int) -> tuple[Place, list[str]]:
        """What a dotted expression begins with, and what of it is left."""
        bound = self._bindings.variable(ordinal, root, at)
        if bound is not None:
            return self._typed(*bound, at, steps), rest
        found = self._scopes.look_up(ordinal, root)
        if found >= 0 and not self._is_data(found):
            return Place(found, certainty=_EXACT), rest
        imported, taken = self._imports.longest(ordinal, root, rest)
        if imported is not None:
            return imported, rest[taken:]
        if self._rules.members and (field := self._field(self._scopes.owner(ordinal), root)):
            return self._typed(field, ordinal, at, steps), rest
        return Place(found, certainty=_EXACT) if found >= 0 else self._beyond(root), rest

    def _beyond(self, root: str) -> Place:
        """What begins an expression and is nothing that the file names: a built-in, or a class of the package."""
        if root in self._rules.builtins:
            return NOWHERE
        return self._package(root) if root[:1].isupper() else UNKNOWN

    def _defined(self, ordinal: int, name: str) -> Place:
        """A definition, or an import: a variable of the same name only holds what is imported, or stands in for it."""
        found = self._scopes.look_up(ordinal, name)
        imported = self._imports.name(ordinal, name) if found < 0 or self._is_data(found) else None
        if imported is None:
            return Place(found, certainty=_EXACT) if found >= 0 else UNKNOWN
        return imported if imported.path else imported._replace(path=name)  # a module that is called: its default

    def _around(self, ordinal: int, name: str) -> Place:
        """A name that the file does not define: inherited, or of the package."""
        if self._rules.members and not name[:1].isupper():
            holder = self._around_class(ordinal, heir=False)
            inherited = self.member(holder, name) if holder is not UNKNOWN else UNKNOWN
            if inherited is not UNKNOWN:
                return inherited
        return self._package(name)

    def _is_data(self, ordinal: int) -> bool:
        return self._scopes.symbols[ordinal].kind in DATA

    def _package(self, name: str) -> Place:
        if not self._rules.package:
            return UNKNOWN
        return Place(-1, self._own, name, _EXACT if self._rules.certain else _IMPORT)

    def _around_class(self, ordinal: int, *, heir: bool) -> Place:
        """The class around ``ordinal``, or what stands for its bases. It may be in another file of the package."""
        owner = self._scopes.owner(ordinal)
        target = self._scopes.defined.get(owner, -1) if owner else -1
        if target >= 0:
            return Place(target, "", FROM_BASES if heir else "", _EXACT)
        return Place(-1, self._own, owner, _IMPORT) if owner and self._own and not heir else UNKNOWN

    def _attribute(self, holder: Place, name: str, steps: int) -> Place:
        """The class of an attribute of ``holder``, or what is defined in it."""
        here = holder.target >= 0 and not holder.path
        owner = self._scopes.symbols[holder.target].qualified if here else holder.path
        if (here or holder.module == self._own) and (field := self._field(owner, name)):
            return self._typed(field, holder.target if here else -1, _END, steps)
        found = self.member(holder, name)
        if found.target < 0:
            return found
        property_ = not found.path and self._scopes.symbols[found.target].kind in FUNCTIONS
        return self._result(found, steps) if property_ else found if not found.path else UNKNOWN

    def _field(self, owner: str, name: str, depth: int = MAX_STEPS) -> str:
        """The type, as written, of a field of the class ``owner`` or of the bases that it has in this file."""
        found = self._bindings.field(owner, name) if owner else ""
        if found or depth <= 0:
            return found
        for base in self.bases.get(self._scopes.defined.get(owner, -1), ()):
            if base.target >= 0 and (
                field := self._field(self._scopes.symbols[base.target].qualified, name, depth - 1)
            ):
                return field
        return ""

    def _typed(self, text: str, scope: int, at: int, steps: int) -> Place:
        name = class_of(text, self._language)
        return self._class(scope, name, at, steps - 1) if name else UNKNOWN

    def _class(self, scope: int, name: str, at: int, steps: int = MAX_STEPS) -> Place:
        """The class called ``name`` at ``scope``; what a function of that name returns, as far as it says so."""
        if name in self._rules.selves or name.rpartition(".")[2] == "Self":
            return self._around_class(scope, heir=False)
        root, *rest = name.removesuffix("()").split(".")
        found = self._dotted_class(scope, name, at, steps) if rest else self._bare_class(scope, root)
        if found.target >= 0 and not found.path and self._scopes.symbols[found.target].kind in FUNCTIONS:
            return self._result(found, steps)
        last = found.path.rpartition(".")[2]
        return UNKNOWN if found.module and last[:1].islower() and self._language == "python" else found

    def _dotted_class(self, scope: int, name: str, at: int, steps: int) -> Place:
        """``disk.Disk``: of an import before a variable, since a field is often named like the module of its type."""
        root, *rest = name.removesuffix("()").split(".")
        found, taken = self._imports.longest(scope, root, rest)
        if found is None:
            return self.value(scope, name, at, steps)
        for part in rest[taken:]:
            found = self.member(found, part)
        return found

    def _bare_class(self, scope: int, name: str) -> Place:
        found = self._defined(scope, name)
        if found is not UNKNOWN:
            return found
        return NOWHERE if name in self._rules.builtins else self._package(name)

    def _result(self, callee: Place, steps: int) -> Place:
        """What has the members of a call's value: the class that is called, or the one that the function returns."""
        if callee.target < 0 or callee.path:
            last = callee.path.rpartition(".")[2]
            return callee if last[:1].isupper() else UNKNOWN
        symbol = self._scopes.symbols[callee.target]
        if symbol.kind in CLASSES:
            return callee
        name = returned(symbol.signature, self._language)
        return self._class(callee.target, name, symbol.end_byte, steps - 1) if name and steps > 0 else UNKNOWN

    def _constructed(self, text: str, scope: int, at: int) -> Place:
        """What calling a variable leads to: a class where it holds one, else nothing that is known."""
        return self._typed(text, scope, at, MAX_STEPS) if is_class_itself(text) else NOWHERE
