"""Answers about symbols and the graph: what is meant, how it hangs together, and whether the disk still says so."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agentd.domain import Certainty, Filter
from agentd.errors import DeadlineError
from agentd.retrieval import entries
from agentd.retrieval.patience import within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from agentd import protocol as p
    from agentd.domain import SymbolKind
    from agentd.retrieval.freshness import Disk, Freshness
    from agentd.retrieval.subjects import Subject, Subjects
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import Chains, FileGraph, GraphRow, GraphRows, SymbolRow

    Step = Callable[[Sequence[int], int], Awaitable[GraphRows]]

MOST_COUNTED = 1000
"""Definitions of one name that are counted."""


class GraphState(Protocol):
    """What this needs to know of the index."""

    def unfinished(self, *, vectors: bool, graph: bool) -> list[str]:
        """Why answers may be incomplete, in words; with ``graph``, also how many files are still to be linked."""


class _Found(NamedTuple):
    """Definitions of a name, and names near to it."""

    symbols: list[SymbolRow]
    nearest: list[str]


class Levels(NamedTuple):
    """Calls level by level; ``more`` were left out by the limit, ``cut`` says what was not looked at."""

    rows: list[list[GraphRow]]
    more: int
    cut: list[str]


class _Uses(NamedTuple):
    """Calls level by level from what was asked about."""

    subject: Subject
    levels: Levels


class _Ways(NamedTuple):
    """Chains of calls between two subjects."""

    source: Subject
    target: Subject
    chains: Chains


class _Files(NamedTuple):
    """What files import, or what imports them. ``asked`` maps document ids to absolute paths."""

    asked: dict[int, str]
    signatures: dict[str, str]
    graph: FileGraph
    cut: list[str]


class GraphReader:
    """Answers, each checked against the disk. Paths are absolute; roots are ids, none for all."""

    def __init__(self, catalogue: Catalogue, subjects: Subjects, freshness: Freshness, index: GraphState) -> None:
        self._catalogue = catalogue
        self._subjects = subjects
        self._freshness = freshness
        self._index = index

    async def find_symbol(
        self, name: str, roots: Sequence[int], kinds: Sequence[SymbolKind], limit: int
    ) -> p.SymbolList:
        """Definitions of a name; where there is none, the names near to it."""
        began = time.monotonic()
        only = Filter(roots=tuple(roots))

        async def look() -> _Found:
            symbols = await self._catalogue.symbols.find(name, only, MOST_COUNTED + 1, kinds)
            return _Found(symbols, [] if symbols else await self._catalogue.symbols.nearest(name, only))

        found, disk = await self._freshness.looked_up(look, lambda found: entries.files(found.symbols[:limit]))
        shown = [row for row in found.symbols[:limit] if disk.has(entries.absolute(row))]
        cut = [f"definitions beyond {MOST_COUNTED:,}"] if len(found.symbols) > MOST_COUNTED else []
        return {
            "symbols": [entries.symbol(row, disk) for row in shown],
            "nearest": found.nearest,
            **self.about(began, min(len(found.symbols), MOST_COUNTED), disk, cut),
        }

    async def callers(
        self, symbol: str, roots: Sequence[int], depth: int, limit: int, seconds: float = math.inf
    ) -> p.Calls:
        """What calls a symbol, the levels that are found within ``seconds``.

        Raises:
            SymbolNotFoundError: no definition answers to it.
            OutsideRootsError, NotFoundError: of a path.
            DeadlineError: not one level was found in time.
        """
        return await self._uses(self._catalogue.graph.callers, symbol, roots, depth, limit, seconds)

    async def callees(
        self, symbol: str, roots: Sequence[int], depth: int, limit: int, seconds: float = math.inf
    ) -> p.Calls:
        """What a symbol calls. As ``callers``."""
        return await self._uses(self._catalogue.graph.callees, symbol, roots, depth, limit, seconds)

    async def call_chain(self, source: str, target: str, roots: Sequence[int], max_depth: int, limit: int) -> p.Chains:
        """Ways from one symbol to another. Raises as ``callers``."""
        began = time.monotonic()

        async def look() -> _Ways:
            start, end = await self._subjects.meant(source, roots), await self._subjects.meant(target, roots)
            return _Ways(start, end, await self._catalogue.graph.chain(start.ids, end.ids, max_depth, limit))

        found, disk = await self._freshness.looked_up(look, _files_of_ways)
        ways = [path for path in found.chains.paths if all(disk.has(entries.absolute(each.symbol)) for each in path)]
        cut = [*found.source.cut(), *found.target.cut(), *([found.chains.bounded] if found.chains.bounded else [])]
        return {
            "sources": [entries.symbol(row, disk) for row in found.source.symbols],
            "targets": [entries.symbol(row, disk) for row in found.target.symbols],
            "chains": [entries.chain(path, disk) for path in ways],
            **self.about(began, len(ways), disk, cut),
        }

    async def imports(
        self, path: str | None, symbol: str | None, roots: Sequence[int], depth: int, limit: int, *, dependents: bool
    ) -> p.Imports:
        """What the file ``path``, or the files that define ``symbol``, import; or what imports them."""
        began = time.monotonic()
        found, disk = await self._freshness.looked_up(
            lambda: self._look_at_imports(path, symbol, roots, depth, limit, dependents=dependents),
            lambda found: found.signatures,
        )
        shown = entries.imports(found.graph, found.asked, disk, dependents=dependents)
        cut = found.cut + ([found.graph.bounded] if found.graph.bounded else [])
        return {
            "files": list(found.asked.values()),
            "entries": shown,
            "cycles": [[entries.absolute(row) for row in cycle] for cycle in found.graph.cycles],
            **self.about(began, len(shown) + found.graph.more, disk, cut),
        }

    async def _look_at_imports(
        self, path: str | None, symbol: str | None, roots: Sequence[int], depth: int, limit: int, *, dependents: bool
    ) -> _Files:
        if path is not None:
            place = await self._subjects.file(path)
            document = await self._catalogue.passages.document(place.root_id, place.path)
            asked, cut = ({document.id: place.absolute} if document else {}), []
        else:
            subject = await self._subjects.meant(symbol or "", roots)
            asked, cut = {row.document_id: entries.absolute(row) for row in subject.symbols}, subject.cut()
        follow = self._catalogue.graph.dependents if dependents else self._catalogue.graph.dependencies
        graph = await follow(list(asked), depth, limit)
        return _Files(asked, entries.files(graph.rows), graph, cut)

    async def _uses(
        self, step: Step, symbol: str, roots: Sequence[int], depth: int, limit: int, seconds: float
    ) -> p.Calls:
        began = time.monotonic()
        deadline = began + seconds

        async def look() -> _Uses:
            subject = await self._subjects.meant(symbol, roots)
            return _Uses(subject, await level_by_level(step, subject.ids, depth, limit, deadline))

        found, disk = await self._freshness.looked_up(look, _files_of_uses, deadline)
        shown = [
            entries.call(row, depth, disk)
            for depth, level in enumerate(found.levels.rows, start=1)
            for row in entries.there(level, disk)
        ]
        return {
            "symbols": [entries.symbol(row, disk) for row in found.subject.symbols],
            "entries": shown,
            **self.about(began, len(shown) + found.levels.more, disk, found.subject.cut() + found.levels.cut),
        }

    def about(self, began: float, total: int, disk: Disk, cut: list[str]) -> p.Answer:
        """What is said of every answer."""
        degraded = [*self._index.unfinished(vectors=False, graph=True), *disk.doubts()]
        return {
            "total": total,
            "generation": self._catalogue.feed.changed.value,
            "complete": not (degraded or cut),
            "degraded": degraded,
            "skipped": disk.skipped(),
            "cut": cut,
            "took_ms": round((time.monotonic() - began) * 1000, 3),
        }


async def level_by_level(
    step: Step, symbol_ids: Sequence[int], depth: int, limit: int, deadline: float = math.inf
) -> Levels:
    """At most ``limit`` rows of at most ``depth`` levels, those found until ``deadline`` on the monotonic clock.

    A symbol is gone on from once, at its first level; not from one that only shares a name, since the levels beyond
    would hold little else.

    Raises:
        DeadlineError: not one level was found in time.
    """
    levels: list[list[GraphRow]] = []
    seen, frontier, more = set(symbol_ids), list(symbol_ids), 0
    cut: dict[str, None] = {}
    while frontier and len(levels) < depth and limit > 0:
        try:
            async with within(deadline):
                found = await step(frontier, limit)
        except TimeoutError:
            cut[late(len(levels))] = None
            return Levels(levels, more, list(cut))
        levels.append(found.rows)
        limit -= len(found.rows)
        more += found.more
        cut.update(dict.fromkeys(found.cut))
        surer = [row.symbol_id for row in found.rows if row.certainty is not Certainty.NAME]
        frontier = [each for each in dict.fromkeys(surer) if each is not None and each not in seen]
        seen.update(frontier)
    if frontier and len(levels) < depth:
        cut[f"levels beyond {len(levels)}, where the limit was reached"] = None
    return Levels(levels, more, list(cut))


def late(levels: int) -> str:
    """What is said of the levels beyond the first ``levels``. Raises DeadlineError where there is none."""
    if not levels:
        raise DeadlineError(
            "not even the first level was ready before the deadline; ask again with a longer deadline_ms"
        )
    return f"levels beyond {levels}, which were not ready before the deadline"


def _files_of_uses(found: _Uses) -> dict[str, str]:
    rows: Iterable[GraphRow] = (row for level in found.levels.rows for row in level)
    return entries.files(found.subject.symbols) | entries.files(rows)


def _files_of_ways(found: _Ways) -> dict[str, str]:
    ends = entries.files([*found.source.symbols, *found.target.symbols])
    return ends | entries.files(step.symbol for path in found.chains.paths for step in path)
