"""The graph of code: who calls whom, what derives from what, and what surrounds a definition.

What the linker resolved is followed by index. What is known by name alone (``Certainty.NAME``) may be any definition of
that name in the same root, and comes last, in a bounded number.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentd.errors import NotFoundError
from agentd.storage.chains import find_chains
from agentd.storage.codes import (
    CALLABLE,
    CALLS,
    CERTAINTIES,
    CONSTRUCTORS,
    EDGE_KINDS,
    INHERITS,
    NAME,
    TYPES,
)
from agentd.storage.file_graph import follow_imports
from agentd.storage.rows import Chains, FileGraph, GraphRow, GraphRows, Neighbours
from agentd.storage.symbols import SYMBOL_COLUMNS, SYMBOL_JOINS, by_id, symbol_row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agentd.storage.database import Database
    from agentd.storage.rows import SymbolRow

BY_NAME = 200
"""Edges known by name alone that are looked at for one question."""
NAMESAKES = 10
"""Definitions of one name that a call by name is shown to lead to."""
MORE_USES = f"uses known by name alone beyond the first {BY_NAME}"
MORE_NAMESAKES = f"definitions beyond the first {NAMESAKES} of a name that is called"
AROUND = 50
"""Siblings and members that ``neighbours`` names."""
COUNTED = 100_000
"""Edges that are counted for ``more``."""


class Graph:
    """Questions about edges. Symbols and documents are named by their ids; those that are gone give nothing.

    Those that may take a while are not asked on the reader that searches wait for.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def callers(self, symbol_ids: Sequence[int], limit: int = 100) -> GraphRows:
        """What calls the symbols. Who constructs a class calls its constructor; ``of`` is the symbol asked about."""
        return await self._database.read(_callers, symbol_ids, limit)

    async def callees(self, symbol_ids: Sequence[int], limit: int = 100) -> GraphRows:
        """What the symbols call. Calls that lead out of the root are left out."""
        return await self._database.read(_callees, symbol_ids, CALLS, limit)

    async def bases(self, symbol_ids: Sequence[int], limit: int = 100) -> GraphRows:
        """Classes and interfaces that the symbols are made from."""
        return await self._database.read(_callees, symbol_ids, INHERITS, limit)

    async def derived(self, symbol_ids: Sequence[int], limit: int = 100) -> GraphRows:
        """What is made from the symbols."""
        return await self._database.read(_users, _themselves(symbol_ids), INHERITS, limit)

    async def chain(
        self,
        source_ids: Sequence[int],
        target_ids: Sequence[int],
        max_depth: int = 8,
        limit: int = 5,
        *,
        inherits: bool = False,
    ) -> Chains:
        """The shortest ways by calls (with ``inherits`` also from a class to its bases) from any source to any target.

        Where there is no such way, a step may also go from a method to one that overrides it; where there still is
        none, along calls known by name alone, of names that few definitions have.
        """
        return await self._database.read_bulk(
            find_chains, list(source_ids), list(target_ids), max_depth, limit, inherits=inherits
        )

    async def dependencies(self, document_ids: Sequence[int], depth: int = 1, limit: int = 200) -> FileGraph:
        """Files that the documents import, up to ``depth`` imports away."""
        return await self._database.read_bulk(follow_imports, list(document_ids), depth, limit, forward=True)

    async def dependents(self, document_ids: Sequence[int], depth: int = 1, limit: int = 200) -> FileGraph:
        """Files that import the documents, up to ``depth`` imports away."""
        return await self._database.read_bulk(follow_imports, list(document_ids), depth, limit, forward=False)

    async def neighbours(self, symbol_id: int, limit: int = 20) -> Neighbours:
        """Everything around a symbol, at most ``limit`` of each kind of use.

        Raises:
            NotFoundError: no such symbol.
        """
        return await self._database.read(_neighbours, symbol_id, limit)


def _themselves(symbol_ids: Sequence[int]) -> list[tuple[int, int]]:
    return [(symbol_id, symbol_id) for symbol_id in symbol_ids]


CLASSES_OF = f"""
SELECT s.id, p.id FROM json_each(?) j CROSS JOIN symbol s ON s.id = j.value
    JOIN symbol p ON p.document_id = s.document_id AND p.ordinal = s.parent
    WHERE p.kind IN {TYPES} AND (s.name IN {CONSTRUCTORS} OR s.name = p.name)
"""


def _callers(connection: sqlite3.Connection, symbol_ids: Sequence[int], limit: int) -> GraphRows:
    classes = connection.execute(CLASSES_OF, (json.dumps(list(symbol_ids)),)).fetchall()
    return _users(connection, _themselves(symbol_ids) + classes, CALLS, limit)


# The users first, by index; what is shown of them afterwards, for the few that are.
USERS = """
SELECT json_extract(j.value, '$[0]'), e.document_id, e.source, e.line, e.kind, e.found
    FROM json_each(?) j CROSS JOIN edge e ON e.target_symbol_id = json_extract(j.value, '$[1]')
    WHERE e.kind = ? ORDER BY e.found, e.document_id, e.line LIMIT ?
"""

USERS_BY_NAME = f"""
SELECT json_extract(j.value, '$[0]'), e.document_id, e.source, e.line, e.kind, e.found
    FROM json_each(?) j CROSS JOIN symbol s ON s.id = json_extract(j.value, '$[1]')
    JOIN edge e INDEXED BY edge_name ON e.name = s.name JOIN document d ON d.id = e.document_id
    WHERE e.found = {NAME} AND e.kind = ? AND s.kind IN {CALLABLE} AND d.root_id = s.root_id AND d.family = s.family
    LIMIT ?
"""

Use = tuple[int, int, int, int, int, int]
"""(asked about, document, symbol or 0 for the file, line of the use, kind of the edge, certainty)"""


def _users(connection: sqlite3.Connection, targets: Sequence[tuple[int, int]], kind: int, limit: int) -> GraphRows:
    """What uses any of ``targets``, (asked about, symbol) each."""
    linked = connection.execute(USERS, (json.dumps(targets), kind, COUNTED)).fetchall()
    by_name = connection.execute(USERS_BY_NAME, (json.dumps(targets), kind, BY_NAME + 1)).fetchall()
    cut = (MORE_USES,) if len(by_name) > BY_NAME else ()
    return _graph_rows(connection, linked + by_name[:BY_NAME], limit, cut)


CALLEES = """
SELECT s.id, t.document_id, t.id, e.line, e.kind, e.found FROM json_each(?) j CROSS JOIN symbol s ON s.id = j.value
    JOIN edge e ON e.document_id = s.document_id AND e.source = s.id JOIN symbol t ON t.id = e.target_symbol_id
    WHERE e.kind = ? ORDER BY e.found, e.line LIMIT ?
"""

CALLS_BY_NAME = f"""
SELECT s.id, e.name, e.line, e.kind, s.root_id, s.family FROM json_each(?) j CROSS JOIN symbol s ON s.id = j.value
    JOIN edge e ON e.document_id = s.document_id AND e.source = s.id
    WHERE e.kind = ? AND e.found = {NAME} ORDER BY e.line LIMIT ?
"""

NAMESAKE = f"""
SELECT document_id, id FROM symbol WHERE name = ?1 COLLATE NOCASE AND name = ?1 AND root_id = ? AND family = ?
    AND kind IN {CALLABLE} LIMIT ?
"""


def _callees(connection: sqlite3.Connection, symbol_ids: Sequence[int], kind: int, limit: int) -> GraphRows:
    asked = json.dumps(list(symbol_ids))
    found: list[Use] = connection.execute(CALLEES, (asked, kind, COUNTED)).fetchall()
    by_name = connection.execute(CALLS_BY_NAME, (asked, kind, BY_NAME + 1)).fetchall()
    cut = {MORE_USES} if len(by_name) > BY_NAME else set()
    for of, name, line, edge, root_id, family in by_name[:BY_NAME]:
        same = connection.execute(NAMESAKE, (name, root_id, family, NAMESAKES + 1)).fetchall()
        if len(same) > NAMESAKES:
            cut.add(MORE_NAMESAKES)
        found += [(of, document_id, symbol_id, line, edge, NAME) for document_id, symbol_id in same[:NAMESAKES]]
    return _graph_rows(connection, found, limit, tuple(sorted(cut)))


def _graph_rows(connection: sqlite3.Connection, uses: Sequence[Use], limit: int, cut: tuple[str, ...]) -> GraphRows:
    """What is shown of the first ``limit`` uses; several uses of one symbol by one other are one, at its first line."""
    first: dict[tuple[int, int, int], Use] = {}
    for use in uses:
        first.setdefault(use[:3], use)
    shown = list(first.values())[:limit]
    symbols = by_id(connection, [use[2] for use in shown])
    files = _files(connection, [use[1] for use in shown if not use[2]])
    rows = [
        _symbol_end(use, symbols[use[2]]) if use[2] in symbols else _file_end(use, files[use[1]])
        for use in shown
        if use[2] in symbols or use[1] in files
    ]
    return GraphRows(rows, len(first) - len(shown), cut)


def _symbol_end(use: Use, symbol: SymbolRow) -> GraphRow:
    return GraphRow(
        use[0], symbol.id, symbol.document_id, symbol.root_id, symbol.root_path, symbol.path, symbol.stored_signature,
        symbol.language, symbol.kind, symbol.qualified, symbol.signature, symbol.start_line, symbol.end_line, use[3],
        EDGE_KINDS[use[4]], CERTAINTIES[use[5]],
    )  # fmt: skip


def _file_end(use: Use, file: tuple[Any, ...]) -> GraphRow:
    document_id, root_id, root_path, path, stored_signature, language, lines = file
    return GraphRow(
        use[0], None, document_id, root_id, root_path, path, stored_signature, language, None, path, "", 1, lines,
        use[3], EDGE_KINDS[use[4]], CERTAINTIES[use[5]],
    )  # fmt: skip


def _files(connection: sqlite3.Connection, document_ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    sql = (
        "SELECT d.id, d.root_id, r.path, d.path, d.stored_signature, d.language, d.lines FROM json_each(?) j "
        "CROSS JOIN document d ON d.id = j.value JOIN root r ON r.id = d.root_id AND NOT r.removing"
    )
    return {row[0]: row for row in connection.execute(sql, (json.dumps(list(document_ids)),))}


def _neighbours(connection: sqlite3.Connection, symbol_id: int, limit: int) -> Neighbours:
    symbol = by_id(connection, [symbol_id]).get(symbol_id)
    if symbol is None:
        raise NotFoundError("The symbol is gone from the index; ask again by its name or its place.")
    return Neighbours(
        symbol,
        _parents(connection, symbol_id),
        _beside(connection, SIBLINGS, symbol_id),
        _beside(connection, MEMBERS, symbol_id),
        _callers(connection, [symbol_id], limit),
        _callees(connection, [symbol_id], CALLS, limit),
        _callees(connection, [symbol_id], INHERITS, limit),
        _users(connection, [(symbol_id, symbol_id)], INHERITS, limit),
    )


PARENTS = f"""
WITH RECURSIVE around (document_id, parent) AS (
    SELECT document_id, parent FROM symbol WHERE id = ?
    UNION ALL SELECT s.document_id, s.parent FROM around a
        JOIN symbol s ON s.document_id = a.document_id AND s.ordinal = a.parent
)
SELECT {SYMBOL_COLUMNS} FROM around a JOIN symbol s ON s.document_id = a.document_id AND s.ordinal = a.parent
    {SYMBOL_JOINS} ORDER BY s.ordinal
"""

SIBLINGS = f"""
SELECT {SYMBOL_COLUMNS} FROM symbol o JOIN symbol s ON s.document_id = o.document_id {SYMBOL_JOINS}
    WHERE o.id = ? AND s.parent = o.parent AND s.id <> o.id ORDER BY abs(s.ordinal - o.ordinal) LIMIT ?
"""

MEMBERS = f"""
SELECT {SYMBOL_COLUMNS} FROM symbol o JOIN symbol s ON s.document_id = o.document_id {SYMBOL_JOINS}
    WHERE o.id = ? AND s.parent = o.ordinal ORDER BY s.ordinal LIMIT ?
"""


def _parents(connection: sqlite3.Connection, symbol_id: int) -> list[SymbolRow]:
    return [symbol_row(row) for row in connection.execute(PARENTS, (symbol_id,))]


def _beside(connection: sqlite3.Connection, sql: str, symbol_id: int) -> list[SymbolRow]:
    """The nearest of them, in the order of the file."""
    rows = [symbol_row(row) for row in connection.execute(sql, (symbol_id, AROUND))]
    return sorted(rows, key=lambda row: (row.start_line, row.end_line))
