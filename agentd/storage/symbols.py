"""Finding definitions: by name, by place, and for ranking."""

from __future__ import annotations

import difflib
import heapq
import itertools
import json
from typing import TYPE_CHECKING, Any

from agentd.domain import MAX_NAME, Filter, SymbolKind, name_parts
from agentd.storage.codes import SYMBOL_KIND_CODES, SYMBOL_KINDS
from agentd.storage.filters import DocumentFilter
from agentd.storage.rows import NamedSymbol, SymbolRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from agentd.storage.database import Database

EVERYWHERE = Filter()

CANDIDATES = 5000
"""Definitions of one name that are compared with what was asked for."""
NEAREST_CANDIDATES = 1000
"""Names that each of the two looks for similar ones takes."""
NEAREST_COMPARED = 200
"""Those that share most pairs of letters are compared well, which takes some 50 microseconds each."""


class Symbols:
    """Definitions by name and by place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, name: str, only: Filter = EVERYWHERE, limit: int = 20, kinds: Sequence[SymbolKind] = ()
    ) -> list[SymbolRow]:
        """Definitions that ``name`` may mean: ``get``, ``Session.get``, ``sessions.Session.get``, ``a::b``, ``A#b``.

        What is spelled exactly so hides what differs in case. Types and functions come before variables and fields,
        outer definitions before inner ones.
        """
        return await self._database.read(_find, name, only, limit, tuple(kinds))

    async def nearest(self, name: str, only: Filter = EVERYWHERE, limit: int = 5) -> list[str]:
        """Names of definitions that resemble the last part of ``name``, the nearest first."""
        return await self._database.read_bulk(_nearest, name, only, limit)

    async def by_id(self, symbol_ids: Sequence[int]) -> dict[int, SymbolRow]:
        """Those of the symbols that are still there."""
        return await self._database.read(by_id, symbol_ids)

    async def at(self, root_id: int, path: str, line: int) -> list[SymbolRow]:
        """The definitions around a line, outermost first: the last is the innermost. Empty outside of all."""
        return await self._database.read(_at, root_id, path, line)

    async def of_document(self, root_id: int, path: str) -> list[SymbolRow]:
        """All definitions of a file, in its order."""
        return await self._database.read(_of_document, root_id, path)

    async def named(self, names: Sequence[str], only: Filter = EVERYWHERE, limit: int = 50) -> list[NamedSymbol]:
        """Definitions of the last part of any of ``names`` (``get``, ``Session.get``), whatever their case; at most
        ``limit`` of each, those in the scope that the name says first, then those spelled so, then outer ones.
        """
        return await self._database.read(_named, names, only, limit)

    async def rare(self, words: Sequence[str], only: Filter = EVERYWHERE, most: int = 3) -> list[NamedSymbol]:
        """Definitions called as one of ``words``, letter for letter; none of a word that more than ``most`` bear."""
        return await self._database.read(_rare, words, only, most)

    async def chunks_of(self, symbols: Sequence[NamedSymbol | SymbolRow]) -> dict[int, int]:
        """Symbol id -> id of the chunk that holds its first line."""
        places = [(symbol.id, symbol.document_id, symbol.start_line) for symbol in symbols]
        return await self._database.read(_chunks_of, places)

    async def import_links(self, document_ids: Sequence[int]) -> list[tuple[int, int]]:
        """(document, document that it imports) among ``document_ids``, each pair once."""
        return await self._database.read(import_links, document_ids)


SYMBOL_COLUMNS = (
    "s.id, s.document_id, s.root_id, r.path, d.path, d.stored_signature, d.language, s.kind, s.name, s.qualified, "
    "s.signature, s.doc, s.start_line, s.end_line"
)
SYMBOL_JOINS = "JOIN document d ON d.id = s.document_id JOIN root r ON r.id = d.root_id AND NOT r.removing"


def symbol_row(row: tuple[Any, ...]) -> SymbolRow:
    """A row of SYMBOL_COLUMNS."""
    fields = list(row)
    fields[7] = SYMBOL_KINDS[row[7]]
    return SymbolRow(*fields)


def by_id(connection: sqlite3.Connection, symbol_ids: Sequence[int]) -> dict[int, SymbolRow]:
    """Those of the symbols that are there."""
    sql = f"SELECT {SYMBOL_COLUMNS} FROM json_each(?) j CROSS JOIN symbol s ON s.id = j.value {SYMBOL_JOINS}"
    return {row[0]: symbol_row(row) for row in connection.execute(sql, (json.dumps(list(symbol_ids)),))}


def _find(
    connection: sqlite3.Connection, name: str, only: Filter, limit: int, kinds: tuple[SymbolKind, ...]
) -> list[SymbolRow]:
    parts = name_parts(name)
    exact: list[tuple[bool, int, str, int]] = []
    loose: list[tuple[bool, int, str, int]] = []
    for symbol_id, kind, qualified, path, module in _candidates(connection, parts[-1], only, kinds):
        rank = (SYMBOL_KINDS[kind] in _MINOR, qualified.count("."), path, symbol_id)
        if is_meant(parts, qualified, module):
            exact.append(rank)
        elif not exact and is_meant([part.lower() for part in parts], qualified.lower(), module.lower()):
            loose.append(rank)
    ids = [symbol_id for *_, symbol_id in sorted(exact or loose)[:limit]]
    rows = by_id(connection, ids)
    return [rows[symbol_id] for symbol_id in ids if symbol_id in rows]


_MINOR = {SymbolKind.CONSTANT, SymbolKind.VARIABLE, SymbolKind.FIELD}


def is_meant(parts: Sequence[str], qualified: str, module: str) -> bool:
    """Whether ``parts`` may mean the definition ``qualified`` in the module with that key: they end its full name,
    which begins with the folders and the file.

    >>> is_meant(["sessions", "Session", "get"], "Session.get", "sessions/requests/src//")
    True
    """
    own = qualified.split(".")
    if len(parts) <= len(own):
        return own[len(own) - len(parts) :] == list(parts)
    above = parts[: len(parts) - len(own)]
    return list(parts[len(above) :]) == own and module.startswith("".join(f"{part}/" for part in reversed(above)))


def _candidates(
    connection: sqlite3.Connection, name: str, only: Filter, kinds: tuple[SymbolKind, ...]
) -> Iterator[tuple[int, int, str, str, str]]:
    """(id, kind, qualified, path, module key) of what has the name, whatever its case."""
    documents = DocumentFilter(only, skipped=False)
    sql = (
        "SELECT s.id, s.kind, s.qualified, d.path, d.module FROM symbol s "
        f"CROSS JOIN document d ON d.id = s.document_id WHERE s.name = ? COLLATE NOCASE AND {_among(kinds)}"
    )
    rows = documents.select(connection, sql, (name,), order="s.document_id")
    for row in rows.fetchmany(CANDIDATES):
        if documents.matches(row[3]):
            yield row


def _among(kinds: Sequence[SymbolKind]) -> str:
    return f"s.kind IN ({', '.join(str(SYMBOL_KIND_CODES[kind]) for kind in kinds)})" if kinds else "1"


def _nearest(connection: sqlite3.Connection, name: str, only: Filter, limit: int) -> list[str]:
    last = name_parts(name)[-1]
    names = _similar_names(connection, last, only) if last else []
    wanted = _pairs(last)
    likely = heapq.nlargest(NEAREST_COMPARED, names, key=lambda similar: len(wanted & _pairs(similar)))
    return difflib.get_close_matches(last, likely, limit, 0.6)


def _pairs(name: str) -> set[str]:
    lower = name.lower()
    return {lower[start : start + 2] for start in range(len(lower) - 1)}


def _similar_names(connection: sqlite3.Connection, name: str, only: Filter) -> list[str]:
    """Names worth comparing: those that begin alike, and those of about the length that begin with the same letter."""
    found: dict[str, None] = {}
    for prefix, spread in ((name[:3], MAX_NAME), (name[:1], 2)):
        documents = DocumentFilter(only, skipped=False)
        sql = (
            "SELECT DISTINCT s.name, d.path FROM symbol s CROSS JOIN document d ON d.id = s.document_id "
            "WHERE s.name >= ? COLLATE NOCASE AND s.name < ? COLLATE NOCASE AND abs(length(s.name) - ?) <= ?"
        )
        bounds = (prefix, f"{prefix}\U0010ffff", len(name), spread)
        rows = documents.select(connection, sql, bounds, order="s.name COLLATE NOCASE")
        found.update((similar, None) for similar, path in rows.fetchmany(NEAREST_CANDIDATES) if documents.matches(path))
    return list(found)


def _at(connection: sqlite3.Connection, root_id: int, path: str, line: int) -> list[SymbolRow]:
    sql = (
        f"SELECT {SYMBOL_COLUMNS} FROM document d JOIN root r ON r.id = d.root_id AND NOT r.removing "
        "JOIN symbol s ON s.document_id = d.id WHERE d.root_id = ? AND d.path = ? AND s.start_line <= ? "
        "AND s.end_line >= ? ORDER BY s.ordinal"
    )
    return [symbol_row(row) for row in connection.execute(sql, (root_id, path, line, line))]


def _of_document(connection: sqlite3.Connection, root_id: int, path: str) -> list[SymbolRow]:
    sql = (
        f"SELECT {SYMBOL_COLUMNS} FROM document d JOIN root r ON r.id = d.root_id AND NOT r.removing "
        "JOIN symbol s ON s.document_id = d.id WHERE d.root_id = ? AND d.path = ? ORDER BY s.ordinal"
    )
    return [symbol_row(row) for row in connection.execute(sql, (root_id, path))]


BEARERS = (
    "SELECT s.id, s.document_id, s.name, s.qualified, s.kind, s.start_line, s.end_line, d.path FROM symbol s "
    "CROSS JOIN document d ON d.id = s.document_id WHERE s.name = ? COLLATE NOCASE"
)
AS_MEANT = (
    "ORDER BY substr('.' || qualified, -length(tail)) = tail COLLATE NOCASE DESC, name = last DESC, "
    "length(qualified) - length(replace(qualified, '.', '')), id"
)


def _named(connection: sqlite3.Connection, names: Sequence[str], only: Filter, limit: int) -> list[NamedSymbol]:
    documents = DocumentFilter(only, skipped=False)
    found: dict[int, NamedSymbol] = {}
    for name in dict.fromkeys(names):
        scope, _, last = name.rpartition(".")
        tail = f".{scope.rpartition('.')[2]}.{last}" if scope else f".{last}"
        bearers, parameters = documents.narrow(BEARERS, (last,))
        rows = connection.execute(
            f"WITH meant(tail, last) AS (SELECT ?, ?) "
            f"SELECT b.* FROM ({bearers} LIMIT {CANDIDATES}) b CROSS JOIN meant {AS_MEANT}",
            (tail, last, *parameters),
        )
        passing = (row for row in rows if documents.matches(row[-1]))
        found |= {row[0]: _named_symbol(row) for row in itertools.islice(passing, limit)}
    return list(found.values())


def _rare(connection: sqlite3.Connection, words: Sequence[str], only: Filter, most: int) -> list[NamedSymbol]:
    documents = DocumentFilter(only, skipped=False)
    found: list[NamedSymbol] = []
    for word in dict.fromkeys(words):
        rows = connection.execute(*documents.narrow(f"{BEARERS} AND s.name = ?", (word, word)))
        # Rows are made as they are asked for: of a name that thousands share, few are.
        called = list(itertools.islice((row for row in rows if documents.matches(row[-1])), most + 1))
        if len(called) <= most:
            found += map(_named_symbol, called)
    return found


def _named_symbol(row: tuple[Any, ...]) -> NamedSymbol:
    symbol_id, document_id, name, qualified, kind, start_line, end_line, _path = row
    return NamedSymbol(symbol_id, document_id, name, qualified, SYMBOL_KINDS[kind], start_line, end_line)


CHUNK_AT = "SELECT id, end_line FROM chunk WHERE document_id = ? AND start_line <= ? ORDER BY start_line DESC LIMIT 1"


def _chunks_of(connection: sqlite3.Connection, places: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    found = {}
    for symbol_id, document_id, start_line in places:
        chunk = connection.execute(CHUNK_AT, (document_id, start_line)).fetchone()
        if chunk is not None and chunk[1] >= start_line:
            found[symbol_id] = chunk[0]
    return found


def import_links(connection: sqlite3.Connection, document_ids: Sequence[int]) -> list[tuple[int, int]]:
    """See ``Symbols.import_links``."""
    return connection.execute(
        "SELECT DISTINCT e.document_id, e.target_document_id FROM json_each(?1) j "
        "CROSS JOIN edge e INDEXED BY edge_import ON e.document_id = j.value AND e.kind = 0 "
        "WHERE e.target_document_id IN (SELECT value FROM json_each(?1)) AND e.target_document_id <> e.document_id",
        (json.dumps(list(document_ids)),),
    ).fetchall()
