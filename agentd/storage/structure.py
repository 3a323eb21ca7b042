"""Keeping the symbols and edges of parsed files, and noting what the linker has to look at because of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from agentd.storage.codes import (
    CERTAINTY_CODES,
    EDGE_KIND_CODES,
    IMPORTS,
    INHERITS,
    SYMBOL_KIND_CODES,
    News,
    Way,
    family,
)
from agentd.storage.symbol_diff import SymbolDiff, SymbolRow, diff_symbols

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from agentd.domain import Edge, Symbol
    from agentd.kernels.messages import ParsedFile

FILE = 0
"""``source`` of the edges that no symbol holds; the ids of symbols begin at 1."""


class Identity(NamedTuple):
    """What makes two edges the same one, before and after an edit; ``target`` is the class or the symbol in the file.

    ``ordinal`` tells several that are written alike apart.
    """

    kind: int
    source: int
    way: int
    name: str
    module: str
    path: str
    target: int | None
    ordinal: int = 0


class Found(NamedTuple):
    """What the linker found for an edge."""

    via: int | None
    inner: int
    target_document_id: int | None
    target_symbol_id: int | None
    found: int | None


NOTHING_FOUND = Found(None, 0, None, None, None)


class Known(Struct):
    """A document's structure as it is stored. ``links`` are its imports and bases, each with what was found for it."""

    root_id: int
    path: str
    module: str
    family: int
    symbols: list[tuple[int, SymbolRow]] = field(default_factory=list)
    links: dict[Identity, Found] = field(default_factory=dict)


class Structures:
    """What a batch of parsed files does to symbols and edges: ``plan`` each file, then ``apply`` once."""

    def __init__(self, connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
        self._connection = connection
        self._known = load(connection, json.dumps(list(document_ids)))
        self._next_id = newest_symbol(connection) + 1
        self._documents: list[tuple[str, str, int, int]] = []
        self._added: list[tuple[object, ...]] = []
        self._moved: list[tuple[object, ...]] = []
        self._removed: list[tuple[int]] = []
        self._edges: list[tuple[object, ...]] = []
        self._news: set[tuple[int, int, object]] = set()

    def plan(self, document_id: int, parsed: ParsedFile) -> None:
        """Take in one file."""
        known = self._known[document_id]
        code = family(parsed.language)
        if code != known.family:  # other languages see it now: all of its symbols are new ones
            self._removed.extend((symbol_id,) for symbol_id, _ in known.symbols)
            self._tell_names(known, (row.qualified for _, row in known.symbols))
            known.symbols = []
        diff = diff_symbols(known.symbols, [symbol_row(*item) for item in enumerate(parsed.symbols)], self._next_id)
        self._next_id += len(diff.added)
        self._plan_symbols(document_id, known.root_id, code, diff)
        links = self._plan_edges(document_id, parsed.edges, diff.ids, known.links)
        self._documents.append((parsed.module, folder_key(parsed.path), code, document_id))
        self._tell(known, parsed.module, diff, links)

    def apply(self) -> None:
        """Write everything, and queue the files for the linker."""
        run = self._connection.executemany
        run("DELETE FROM edge WHERE document_id = ?", [(row[-1],) for row in self._documents])
        run("DELETE FROM symbol WHERE id = ?", self._removed)
        run(MOVE_SYMBOL, self._moved)
        run(ADD_SYMBOL, self._added)
        run(ADD_EDGE, self._edges)
        run("UPDATE document SET module = ?, folder = ?, family = ? WHERE id = ?", self._documents)
        run(QUEUE_DOCUMENT, [(row[-1],) for row in self._documents])
        tell(self._connection, self._news)

    def _plan_symbols(self, document_id: int, root_id: int, code: int, diff: SymbolDiff) -> None:
        self._added.extend((symbol_id, document_id, root_id, code, *row) for symbol_id, row in diff.added)
        self._moved.extend((*row, symbol_id) for symbol_id, row in diff.moved)
        self._removed.extend((symbol_id,) for symbol_id, _ in diff.removed)

    def _plan_edges(
        self, document_id: int, edges: Sequence[Edge], ids: Sequence[int], before: dict[Identity, Found]
    ) -> set[Identity]:
        """Take in the edges; imports and bases that were there keep what was found for them until it is looked at
        again, so that the linker sees what changes by that. Returns their identities.
        """
        links: set[Identity] = set()
        for ordinal, edge in enumerate(edges):
            identity = identity_of(edge, ids)
            found = local_target(document_id, edge, ids)
            if identity.kind in {IMPORTS, INHERITS}:
                while identity in links:
                    identity = identity._replace(ordinal=identity.ordinal + 1)
                links.add(identity)
                found = found or before.get(identity)
            self._edges.append(edge_row(document_id, ordinal, edge, identity, found or NOTHING_FOUND))
        return links

    def _tell(self, known: Known, module: str, diff: SymbolDiff, links: set[Identity]) -> None:
        """Note what others may be concerned by: names, the key, imports that others reach through here, and bases."""
        self._tell_names(known, (row.qualified for _, row in (*diff.added, *diff.removed)))
        if module != known.module:
            self._news |= {(known.root_id, News.MODULE, key) for key in (module, known.module) if key}
        stayed = {symbol_id for symbol_id, _ in known.symbols}
        for link in links ^ known.links.keys():
            if link.kind == INHERITS:
                if link.source in stayed:
                    self._news.add((known.root_id, News.CLASS, link.source))
            elif link.name == "*":
                self._news.add((known.root_id, News.MODULE, module))
            else:
                self._news.add((known.root_id, News.NAME, link.name))

    def _tell_names(self, known: Known, qualified: Iterable[str]) -> None:
        names = {part for name in qualified for part in name.split(".")}
        self._news |= {(known.root_id, News.NAME, name) for name in names}


def forget_structure(connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
    """Delete the symbols and edges of documents, and note for the linker what of them others may have used."""
    ids = json.dumps(list(document_ids))
    news = [
        *connection.execute(FORGOTTEN_NAMES, (News.NAME, ids)),
        *connection.execute(FORGOTTEN_IMPORTS, (News.NAME, ids)),
        *connection.execute(FORGOTTEN_MODULES, (News.MODULE, ids)),
    ]
    tell(connection, news)
    for sql in (
        "DELETE FROM edge WHERE document_id = ?",
        "DELETE FROM symbol WHERE document_id = ?",
        "DELETE FROM link_queue WHERE document_id = ?",
        "UPDATE document SET module = '', folder = '', family = 0, level = 0 WHERE id = ? AND module <> ''",
    ):
        connection.executemany(sql, [(document_id,) for document_id in document_ids])


def tell(connection: sqlite3.Connection, news: Iterable[tuple[int, int, object]], level: int = 1) -> None:
    """Note news for the linker, (root, what, subject) each, where a document of the root has passed ``level`` phases:
    the others are still to be linked anyway. So the first indexing of a root notes nothing.
    """
    listed = list(news)
    linked = {root_id for root_id in {item[0] for item in listed} if _linked(connection, root_id, level)}
    connection.executemany(ADD_NEWS, [item for item in listed if item[0] in linked])


def _linked(connection: sqlite3.Connection, root_id: int, level: int) -> bool:
    sql = (
        "SELECT 1 FROM document d JOIN root r ON r.id = d.root_id "
        "WHERE d.root_id = ? AND d.level > 0 AND d.level >= ? AND NOT r.removing LIMIT 1"
    )
    return connection.execute(sql, (root_id, level)).fetchone() is not None


def folder_key(path: str) -> str:
    """The part of a module key that stands for the directory of ``path``: ``a/b/c.py`` -> ``b/a//``."""
    return "".join(f"{part}/" for part in reversed(path.split("/")[:-1])) + "/"


def symbol_row(ordinal: int, symbol: Symbol) -> SymbolRow:
    """A symbol of a parsed file as a row."""
    return SymbolRow(
        ordinal, symbol.parent, SYMBOL_KIND_CODES[symbol.kind], symbol.name, symbol.qualified, symbol.signature,
        symbol.doc, symbol.start_line, symbol.end_line, symbol.start_byte, symbol.end_byte,
    )  # fmt: skip


def identity_of(edge: Edge, ids: Sequence[int]) -> Identity:
    """What the edge says, with ids in place of ordinals."""
    if edge.target >= 0:
        way, target = (Way.MEMBER if edge.path else Way.LOCAL), ids[edge.target]
    else:
        way, target = (Way.MODULE if edge.module else Way.NAME), None
    source = ids[edge.source] if edge.source >= 0 else FILE
    return Identity(EDGE_KIND_CODES[edge.kind], source, way, edge.name, edge.module, edge.path, target)


def local_target(document_id: int, edge: Edge, ids: Sequence[int]) -> Found | None:
    """Where an edge within its file leads; None for the others."""
    if edge.target < 0 or edge.path:
        return None
    return Found(None, 0, document_id, ids[edge.target], CERTAINTY_CODES[edge.certainty])


def edge_row(document_id: int, ordinal: int, edge: Edge, identity: Identity, found: Found) -> tuple[object, ...]:
    """The parameters of ADD_EDGE."""
    head = edge.path.partition(".")[0]
    return (
        document_id, identity.source, ordinal, identity.kind, identity.way, edge.name, edge.line,
        identity.target if identity.way == Way.MEMBER else None, edge.module, edge.path,
        "" if head == edge.name else head, CERTAINTY_CODES[edge.certainty], *found,
    )  # fmt: skip


def load(connection: sqlite3.Connection, ids: str) -> dict[int, Known]:
    """The stored structure of the documents in ``ids`` (a JSON array)."""
    known = {row[0]: Known(*row[1:]) for row in connection.execute(KNOWN_DOCUMENTS, (ids,))}
    for document_id, symbol_id, *row in connection.execute(KNOWN_SYMBOLS, (ids,)):
        known[document_id].symbols.append((symbol_id, SymbolRow._make(row)))
    for document_id, identity, found in _known_links(connection, ids):
        links = known[document_id].links
        while identity in links:
            identity = identity._replace(ordinal=identity.ordinal + 1)  # noqa: PLW2901  # until it is the only one
        links[identity] = found
    return known


def _known_links(connection: sqlite3.Connection, ids: str) -> Iterator[tuple[int, Identity, Found]]:
    for document_id, *values in connection.execute(KNOWN_LINKS, (ids,)):
        yield document_id, Identity(*values[:7]), Found._make(values[7:])


def newest_symbol(connection: sqlite3.Connection) -> int:
    """The highest id that a symbol has ever had."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'symbol'").fetchone()
    return int(row[0]) if row else 0


MOVE_SYMBOL = """
UPDATE symbol SET ordinal = ?, parent = ?, kind = ?, name = ?, qualified = ?, signature = ?, doc = ?,
    start_line = ?, end_line = ?, start_byte = ?, end_byte = ? WHERE id = ?
"""

ADD_SYMBOL = """
INSERT INTO symbol (id, document_id, root_id, family, ordinal, parent, kind, name, qualified, signature, doc,
    start_line, end_line, start_byte, end_byte) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

ADD_EDGE = """
INSERT INTO edge (document_id, source, ordinal, kind, way, name, line, owner, module, path, head, certainty,
    via, inner, target_document_id, target_symbol_id, found) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

QUEUE_DOCUMENT = "INSERT INTO link_queue VALUES (?, 0) ON CONFLICT DO UPDATE SET phase = 0"

ADD_NEWS = "INSERT OR IGNORE INTO link_news VALUES (?, ?, ?)"

KNOWN_DOCUMENTS = """
SELECT d.id, d.root_id, d.path, d.module, d.family FROM json_each(?) j CROSS JOIN document d ON d.id = j.value
"""

KNOWN_SYMBOLS = """
SELECT s.document_id, s.id, s.ordinal, s.parent, s.kind, s.name, s.qualified, s.signature, s.doc,
    s.start_line, s.end_line, s.start_byte, s.end_byte
    FROM json_each(?) j CROSS JOIN symbol s ON s.document_id = j.value ORDER BY s.document_id, s.ordinal
"""

KNOWN_LINKS = """
SELECT e.document_id, e.kind, e.source, e.way, e.name, e.module, e.path, iif(e.way = 0, e.target_symbol_id, e.owner),
    e.via, e.inner, e.target_document_id, e.target_symbol_id, e.found
    FROM json_each(?) j CROSS JOIN edge e ON e.document_id = j.value WHERE e.kind <> 1 ORDER BY e.document_id, e.ordinal
"""

FORGOTTEN_NAMES = """
SELECT DISTINCT s.root_id, ?, s.name FROM json_each(?) j CROSS JOIN symbol s ON s.document_id = j.value
"""

FORGOTTEN_IMPORTS = """
SELECT DISTINCT d.root_id, ?, e.name FROM json_each(?) j CROSS JOIN document d ON d.id = j.value
    JOIN edge e ON e.document_id = d.id WHERE e.kind = 0 AND e.name <> '*'
"""

FORGOTTEN_MODULES = """
SELECT d.root_id, ?, d.module FROM json_each(?) j CROSS JOIN document d ON d.id = j.value WHERE d.module <> ''
"""
