"""What a person means by a symbol: a name, qualified or not, ``PATH:NAME`` or ``PATH:LINE``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from agentd.domain import Filter, SymbolKind, name_parts
from agentd.errors import SymbolNotFoundError
from agentd.retrieval.places import Place, Places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.retrieval.places import IndexedRoots
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import SymbolRow

MAX_MEANT = 50
"""Definitions that one name stands for at most; the answer says when there are more."""
NEAREST = 5
MAX_DIGITS = 9
"""No file has a line of more digits, and int() refuses thousands of them."""
SHOWN = 200
"""Characters of a name that an error repeats."""

MINOR = frozenset({SymbolKind.CONSTANT, SymbolKind.VARIABLE, SymbolKind.FIELD, SymbolKind.MODULE})


class Subject(NamedTuple):
    """The definitions that were meant; ``more`` says that the name has others."""

    symbols: list[SymbolRow]
    more: bool = False

    @property
    def ids(self) -> list[int]:
        """Ids of the definitions."""
        return [symbol.id for symbol in self.symbols]

    def cut(self) -> list[str]:
        """What is to be said about the others."""
        return [f"definitions beyond the first {MAX_MEANT} of that name: qualify it"] if self.more else []


class Subjects:
    """Finds what is meant."""

    def __init__(self, catalogue: Catalogue, index: IndexedRoots) -> None:
        self._catalogue = catalogue
        self._places = Places(catalogue, index)

    async def meant(self, text: str, roots: Sequence[int]) -> Subject:
        """The definitions that ``text`` means in ``roots`` (none: in all).

        Raises:
            SymbolNotFoundError: none.
            OutsideRootsError: an absolute path that no root holds.
            NotFoundError: an absolute path that the index does not know.
        """
        head, colon, rest = text.rpartition(":")
        if colon and rest and head and not head.endswith(":"):
            place = await self._place(head, roots)
            if place is not None:
                return await self._in_file(place, rest)
        only = Filter(roots=tuple(roots))
        found = await self._catalogue.symbols.find(text, only, MAX_MEANT + 1)
        if found:
            return Subject(weighty(found)[:MAX_MEANT], len(found) > MAX_MEANT)
        raise not_found(text, await self._catalogue.symbols.nearest(text, only, NEAREST))

    async def file(self, path: str) -> Place:
        """The file at an absolute path, which is read first where the index does not know it yet.

        Raises:
            OutsideRootsError: no root holds the path.
            NotFoundError: the index knows no such file.
        """
        return await self._places.file(path)

    async def _place(self, path: str, roots: Sequence[int]) -> Place | None:
        """The file at a path, absolute or relative to a root; None where no root has it, so that it is a name."""
        if path.startswith("/"):
            return await self.file(path)
        path = os.path.normpath(path)  # noqa: ASYNC240 pure text, no disk
        for root in await self._catalogue.roots.all():
            place = Place(root.id, root.path, path)
            if (not roots or root.id in roots) and await self._places.knows(place):
                return place
        return None

    async def _in_file(self, place: Place, rest: str) -> Subject:
        if rest.isdecimal():
            line = int(rest) if len(rest) <= MAX_DIGITS else 0
            around = await self._catalogue.symbols.at(place.root_id, place.path, line)
            if around:
                return Subject(around[-1:])
            raise SymbolNotFoundError(f"no definition is around line {rest[:SHOWN]} of {place.absolute}", nearest=[])
        defined = await self._catalogue.symbols.of_document(place.root_id, place.path)
        wanted = ".".join(name_parts(rest))
        found = [row for row in defined if f".{row.qualified}".endswith(f".{wanted}")]
        if found:
            return Subject(found[:MAX_MEANT], len(found) > MAX_MEANT)
        near = [row.qualified for row in defined if row.name.lower().startswith(wanted[:2].lower())]
        raise not_found(f"{place.path}:{rest}", near[:NEAREST])


def weighty(found: Sequence[SymbolRow]) -> list[SymbolRow]:
    """Functions and types where there are any: a field of the same name is hardly meant beside them."""
    return [row for row in found if row.kind not in MINOR] or list(found)


def not_found(text: str, nearest: Sequence[str]) -> SymbolNotFoundError:
    """The error for a name that no definition has."""
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    advice = f"the nearest are: {', '.join(nearest)}" if nearest else "no name is near to it"
    return SymbolNotFoundError(f"no definition answers to `{shown}`; {advice}", nearest=list(nearest))
