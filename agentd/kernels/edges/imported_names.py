"""The names that a file's imports bind, by the scope that holds the import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.domain import Certainty
from agentd.kernels.edges.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentd.kernels.edges.imports import Imported
    from agentd.kernels.edges.scopes import Scopes

_IMPORT = Certainty.IMPORT
"""Members of an enumeration are looked up once: in Python 3.11 each look takes 0.3 microseconds."""


class ImportedNames:
    """Of several imports of one name in one scope the first counts: an alternative comes behind what it replaces."""

    def __init__(self, scopes: Scopes, imports: Iterable[tuple[int, Imported]]) -> None:
        self._scopes = scopes
        self._places: dict[int, dict[str, Place]] = {}
        self._longest = 1
        for source, found in imports:
            if found.name not in ("", "*"):
                place = Place(-1, found.module, found.path, _IMPORT)
                self._places.setdefault(scopes.code(source), {}).setdefault(found.name, place)
                self._longest = max(self._longest, found.name.count(".") + 1)
        self._file = self._places.get(-1, {})
        self.nested = len(self._places) > (1 if self._file else 0)
        """Whether what a name is bound to depends on where it is used."""

    def name(self, ordinal: int, name: str) -> Place | None:
        """What ``name`` is bound to at ``ordinal``."""
        if self.nested:
            for place in self._scopes.outward(ordinal):
                found = self._places.get(place, {}).get(name)
                if found is not None:
                    return found
        return self._file.get(name)

    def longest(self, ordinal: int, root: str, rest: list[str]) -> tuple[Place | None, int]:
        """What the longest beginning of ``root.rest`` is bound to, and how many of ``rest`` that takes."""
        for taken in range(min(len(rest), self._longest - 1), 0, -1):
            found = self.name(ordinal, ".".join((root, *rest[:taken])))
            if found is not None:
                return found, taken
        return self.name(ordinal, root), 0
