"""What belongs to a line of a file: its definition with what is around it, and what is near in meaning."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agentd.domain import Filter, SymbolKind, embedding_text
from agentd.errors import AgentdError
from agentd.kernels.roles import Role, role_of
from agentd.retrieval import entries
from agentd.retrieval.entries import absolute
from agentd.retrieval.patience import within
from agentd.retrieval.subjects import weighty
from agentd.storage.rows import NamedSymbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd import protocol as p
    from agentd.retrieval.freshness import Disk, Freshness
    from agentd.retrieval.graph import GraphReader
    from agentd.retrieval.places import Place
    from agentd.retrieval.retrievers import Retriever
    from agentd.retrieval.subjects import Subjects
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import GraphRow, HitRow, Neighbours, SymbolRow

MAX_USES = 200
"""Callers that are looked through for tests, and uses of each other kind."""
SPARE = 10
"""Passages fetched beyond the limit, because some are of the definition itself."""


class Meaning(Protocol):
    """What compares meanings: the searcher, whose vectors may be switched off."""

    @property
    def vector(self) -> Retriever | None:
        """The vector retriever, where there is one."""

    @property
    def vector_problem(self) -> str:
        """Why there is none."""


class _Around(NamedTuple):
    """What was found around a line; ``problem`` says why nothing near in meaning was."""

    place: Place
    neighbours: Neighbours | None
    similar: list[tuple[HitRow, float]]
    problem: str


class RelatedReader:
    """Puts together what several others know."""

    def __init__(
        self, catalogue: Catalogue, subjects: Subjects, freshness: Freshness, graph: GraphReader, meaning: Meaning
    ) -> None:
        self._catalogue = catalogue
        self._subjects = subjects
        self._freshness = freshness
        self._graph = graph
        self._meaning = meaning

    async def related(self, path: str, line: int, limit: int, seconds: float = math.inf) -> p.Related:
        """What belongs to a line, at most ``limit`` of each kind; passages near in meaning only if in ``seconds``.

        Raises:
            OutsideRootsError: no root holds the path.
            NotFoundError: the index knows no such file.
        """
        began = time.monotonic()
        deadline = began + seconds
        found, disk = await self._freshness.looked_up(lambda: self._look(path, line, limit, deadline), _files, deadline)
        groups = shown(found, disk, limit)
        total = sum(len(group) for group in groups.values() if isinstance(group, list))
        about = self._graph.about(began, total, disk, [])
        if found.problem:
            about["degraded"].append(found.problem)
            about["complete"] = False
        return {"path": found.place.absolute, "line": line, **groups, **about}  # type: ignore[typeddict-item]  # all of it

    async def _look(self, path: str, line: int, limit: int, deadline: float) -> _Around:
        place = await self._subjects.file(path)
        around = await self._catalogue.symbols.at(place.root_id, place.path, line)
        neighbours = await self._catalogue.graph.neighbours(around[-1].id, MAX_USES) if around else None
        symbol = around[-1] if around else None
        try:
            async with within(deadline):
                similar, problem = await self._near_in_meaning(place, line, symbol, limit)
        except TimeoutError:
            similar, problem = [], "vector: not ready before the deadline"
        return _Around(place, neighbours, similar, problem)

    async def _near_in_meaning(
        self, place: Place, line: int, symbol: SymbolRow | None, limit: int
    ) -> tuple[list[tuple[HitRow, float]], str]:
        """Passages near to that of the line, those of the definition itself left out; or why there are none."""
        if self._meaning.vector is None:
            return [], f"vector: {self._meaning.vector_problem}"
        passage = await self._passage(place, line)
        if passage is None:
            return [], ""
        text = embedding_text(passage.context, passage.text, passage.names)
        try:
            ranked = await self._meaning.vector.retrieve(text, Filter(roots=(place.root_id,)), limit + SPARE)
        except AgentdError as error:
            return [], f"vector: {error.message}"
        rows = await self._catalogue.passages.hits([chunk_id for chunk_id, _ in ranked])
        start, end = (symbol.start_line, symbol.end_line) if symbol else (passage.start_line, passage.end_line)
        near = [(rows[chunk_id], score) for chunk_id, score in ranked if chunk_id in rows]
        return [each for each in near if not overlaps(each[0], passage.document_id, start, end)][:limit], ""

    async def _passage(self, place: Place, line: int) -> HitRow | None:
        document = await self._catalogue.passages.document(place.root_id, place.path)
        if document is None:
            return None
        here = NamedSymbol(0, document.id, "", "", SymbolKind.MODULE, line, line)
        chunks = list((await self._catalogue.symbols.chunks_of([here])).values())
        return (await self._catalogue.passages.hits(chunks)).get(chunks[0]) if chunks else None


def overlaps(row: HitRow, document_id: int, start_line: int, end_line: int) -> bool:
    """Whether a passage shares lines with a span of a document."""
    return row.document_id == document_id and row.start_line <= end_line and row.end_line >= start_line


def shown(found: _Around, disk: Disk, limit: int) -> dict[str, object]:
    """The groups of the answer."""
    near = [_near(row, score, disk) for row, score in found.similar if disk.has(absolute(row))]
    around = found.neighbours
    if around is None:
        empty = ("siblings", "members", "callers", "callees", "bases", "derived", "tests")
        return {"symbol": None, "container": None, **{group: [] for group in empty}, "similar": near}
    callers = entries.there(around.callers.rows, disk)
    tests = [row for row in callers if role_of(row.path) is Role.TEST]
    others = [row for row in callers if role_of(row.path) is not Role.TEST]
    return {
        "symbol": entries.symbol(around.symbol, disk),
        "container": entries.symbol(around.parents[-1], disk) if around.parents else None,
        "siblings": [entries.symbol(row, disk) for row in beside(around.symbol, around.siblings, limit)],
        "members": [entries.symbol(row, disk) for row in weighty(around.members)[:limit]],
        "callers": _calls(others, disk, limit),
        "callees": _calls(entries.there(around.callees.rows, disk), disk, limit),
        "bases": _ends(entries.there(around.bases.rows, disk), disk, limit),
        "derived": _ends(entries.there(around.derived.rows, disk), disk, limit),
        "tests": _calls(tests, disk, limit),
        "similar": near,
    }


def beside(symbol: SymbolRow, siblings: Sequence[SymbolRow], limit: int) -> list[SymbolRow]:
    """The nearest siblings in the order of the file; fields only where there is nothing else."""
    nearest = sorted(weighty(siblings), key=lambda row: abs(row.start_line - symbol.start_line))[:limit]
    return sorted(nearest, key=lambda row: row.start_line)


def _calls(rows: Iterable[GraphRow], disk: Disk, limit: int) -> list[p.Call]:
    return [entries.call(row, 1, disk) for row in rows][:limit]


def _ends(rows: Iterable[GraphRow], disk: Disk, limit: int) -> list[p.SymbolInfo]:
    return [entries.end(row, disk) for row in rows][:limit]


def _near(row: HitRow, score: float, disk: Disk) -> p.Near:
    path = absolute(row)
    return {
        "path": path,
        "root": row.root_path,
        "start_line": row.start_line,
        "end_line": row.end_line,
        "symbol": row.symbol,
        "score": round(score, 6),
        "stale": disk.stale(path),
    }


def _files(found: _Around) -> dict[str, str]:
    signatures = {absolute(row): row.signature for row, _ in found.similar}
    if (around := found.neighbours) is not None:
        uses = [row for group in (around.callers, around.callees, around.bases, around.derived) for row in group.rows]
        signatures |= entries.files([around.symbol, *uses])
    return signatures
