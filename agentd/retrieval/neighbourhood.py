"""What a question names, and what is around it in the graph: definitions, callees, callers and bases."""

from __future__ import annotations

import asyncio
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from agentd.domain import Certainty, name_parts
from agentd.kernels.roles import Role, role_of
from agentd.retrieval.definitions import FEW, SHORTEST_WORD, strength_of
from agentd.retrieval.entries import absolute
from agentd.storage.rows import NamedSymbol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentd.domain import Filter
    from agentd.retrieval.analysis import Analysis
    from agentd.retrieval.freshness import Freshness
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import GraphRow, HitRow, Neighbours

MOST_NAMED = 50
"""Definitions of one name that are looked at."""
MOST_SUBJECTS = 4
"""Definitions whose surroundings are looked at, the surest."""
USES = 8
"""Callers, callees and bases of one definition that are shown."""
MOST_USES = 50
"""Of each kind that are looked through for these."""


class Neighbour(NamedTuple):
    """A passage, how it hangs together with what was named, and whether its file changed since it was read."""

    row: HitRow
    about: str
    stale: bool


class _Around(NamedTuple):
    """Chunks to show with what they are, best first, and their rows."""

    abouts: dict[int, str]
    rows: dict[int, HitRow]


class Neighbourhood:
    """Looks up; it does not search. A question that names nothing has no neighbourhood."""

    def __init__(self, catalogue: Catalogue, freshness: Freshness) -> None:
        self._catalogue = catalogue
        self._freshness = freshness

    async def around(
        self, analysis: Analysis, only: Filter, limit: int, deadline: float
    ) -> tuple[list[Neighbour], int]:
        """The first ``limit`` passages around what is named, definitions first, and how many are stale or gone.

        ``deadline`` is a time of ``time.monotonic``.
        """
        found, disk = await self._freshness.looked_up(
            lambda: self._look(analysis, only, limit),
            lambda found: {absolute(row): row.signature for row in found.rows.values()},
            deadline,
        )
        there = [
            Neighbour(found.rows[chunk_id], about, disk.stale(absolute(found.rows[chunk_id])))
            for chunk_id, about in found.abouts.items()
            if chunk_id in found.rows and disk.has(absolute(found.rows[chunk_id]))
        ]
        return there, len(found.rows) - sum(not each.stale for each in there)

    async def _look(self, analysis: Analysis, only: Filter, limit: int) -> _Around:
        subjects = await self._subjects(analysis, only)
        around = await asyncio.gather(
            *(self._catalogue.graph.neighbours(each.id, MOST_USES) for each in subjects[:MOST_SUBJECTS])
        )
        neighbours = list(chain.from_iterable(map(_neighbours, around)))
        chunks = await self._catalogue.symbols.chunks_of([*subjects, *(symbol for symbol, _ in neighbours)])
        abouts: dict[int, str] = {}
        for symbol, about in [*((each, "") for each in subjects), *neighbours]:
            if symbol.id in chunks:
                abouts.setdefault(chunks[symbol.id], about)
        shown = dict(list(abouts.items())[:limit])
        return _Around(shown, await self._catalogue.passages.hits(list(shown)))

    async def _subjects(self, analysis: Analysis, only: Filter) -> list[NamedSymbol]:
        """The definitions that are named, the surest first."""
        wanted = sorted({".".join(name_parts(name)) for name in analysis.names})
        words = sorted({word for word in analysis.words if len(word) >= SHORTEST_WORD})
        symbols = self._catalogue.symbols
        named = await symbols.named(wanted, only, MOST_NAMED) if wanted else []
        rare = await symbols.rare(words, only, FEW) if words else []
        found = {symbol.id: symbol for symbol in (*named, *rare)}
        strengths = strength_of(analysis, found.values())
        return [found[each] for each in sorted(strengths, key=lambda each: -strengths[each])]


def _neighbours(around: Neighbours) -> list[tuple[NamedSymbol, str]]:
    """Callees, callers and bases in turn, the surest of each first; tests only tell what the rest tells better."""
    name = around.symbol.qualified
    calls = _ends(around.callees.rows, f"is called by {name}")
    callers = _ends(around.callers.rows, f"calls {name}")
    bases = _ends(around.bases.rows, f"is a base of {name}")
    in_turn = zip_longest(calls, callers, bases)
    return [each for group in in_turn for each in group if each is not None][:USES]


def _ends(rows: Iterable[GraphRow], about: str) -> list[tuple[NamedSymbol, str]]:
    return [
        (NamedSymbol(row.symbol_id, row.document_id, "", row.name, row.kind, row.start_line, row.end_line), about)
        for row in rows
        if row.symbol_id is not None and row.kind is not None and _is_worth(row)
    ]


def _is_worth(row: GraphRow) -> bool:
    return row.certainty is not Certainty.NAME and role_of(row.path) is not Role.TEST
