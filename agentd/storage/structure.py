"""Keeping the symbols and edges of parsed files, and noting what the linker has to look at because of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct, field

from agentd.domain import EdgeKind
from agentd.storage.codes import (
    CERTAINTY_CODES,
    EDGE_KIND_CODES,
    INHERITS,
    SYMBOL_KIND_CODES,
    News,
    Way,
    family,
)
from agentd.storage.symbol_diff import StoredSymbol, SymbolDiff, diff_symbols

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Iterator, Sequence

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


WAY_LOCAL, WAY_MEMBER, WAY_MODULE, WAY_NAME = map(int, Way)
NEWS_NAME, NEWS_MODULE = int(News.NAME), int(News.MODULE)
"""Plain numbers: a member of an enumeration takes SQLite as long as ten of them."""


class Known(Struct):
    """A document's structure as it is stored. ``links`` are its imports and bases, each with what was found for it."""

    root_id: int
    path: str
    module: str
    family: int
    symbols: list[tuple[int, StoredSymbol]] = field(default_factory=list)
    links: dict[Identity, Found] = field(default_factory=dict)


class Structures:
    """What a batch of parsed files does to symbols and edges: ``plan`` each file, then ``apply`` once."""

    def __init__(self, connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
        self._connection = connection
        self._known = load(connection, json.dumps(list(document_ids)))
        self._linked = {known.root_id: is_linked(connection, known.root_id) for known in self._known.values()}
        self._next_id = newest_symbol(connection) + 1
        self._documents: list[tuple[str, str, int, int]] = []
        self._added: list[tuple[object, ...]] = []
        self._moved: list[tuple[object, ...]] = []
        self._removed: list[tuple[int]] = []
        self._edges: list[EdgeRow] = []
        self._mentions: set[tuple[int, str, int]] = set()
        self._news: set[tuple[int, int, object]] = set()

    def plan(self, document_id: int, parsed: ParsedFile) -> None:
        """Take in one file."""
        known = self._known[document_id]
        code = family(parsed.language)
        if code != known.family:  # other languages see it now: all of its symbols are new ones
            self._removed.extend((symbol_id,) for symbol_id, _ in known.symbols)
            self._tell_names(known, (row.qualified for _, row in known.symbols))
            known.symbols = []
        diff = diff_symbols(known.symbols, [stored_symbol(*item) for item in enumerate(parsed.symbols)], self._next_id)
        self._next_id += len(diff.added)
        self._plan_symbols(document_id, known.root_id, code, diff)
        links = self._plan_edges(document_id, parsed.edges, diff.ids, known.links)
        self._documents.append((parsed.module, folder_key(parsed.path), code, document_id))
        self._tell(known, parsed.module, diff, links)

    def apply(self) -> None:
        """Write everything, and queue the files for the linker."""
        run = self._connection.executemany
        forget_edges(self._connection, [row[-1] for row in self._documents])
        run("DELETE FROM symbol WHERE id = ?", self._removed)
        run(MOVE_SYMBOL, self._moved)
        run(ADD_SYMBOL, self._added)
        run(ADD_EDGE, self._edges)
        run("INSERT OR IGNORE INTO mention VALUES (?, ?, ?)", sorted(self._mentions))
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
            row = edge_row(document_id, ordinal, edge, ids)
            if row[4] != WAY_LOCAL:
                self._mentions |= mentions_of(row)
            if edge.kind is not EdgeKind.CALLS:
                identity = unlike(links, identity_of(row))
                links.add(identity)
                if row[4] != WAY_LOCAL and identity in before:
                    row = (*row[:12], *before[identity])
            self._edges.append(row)
        return links

    def _tell(self, known: Known, module: str, diff: SymbolDiff, links: set[Identity]) -> None:
        """Note what others may be concerned by: names, the key, imports that others reach through here, and bases."""
        if not self._linked[known.root_id]:
            return
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
    forget_edges(connection, document_ids)
    for sql in (
        "DELETE FROM symbol WHERE document_id = ?",
        "DELETE FROM link_queue WHERE document_id = ?",
        "UPDATE document SET module = '', folder = '', family = 0, level = 0 WHERE id = ? AND module <> ''",
    ):
        connection.executemany(sql, [(document_id,) for document_id in document_ids])


def forget_edges(connection: sqlite3.Connection, document_ids: Sequence[int]) -> None:
    """Delete the edges of documents, and what they mention."""
    mentioned = connection.execute(MENTIONED, (json.dumps(list(document_ids)),)).fetchall()
    connection.executemany("DELETE FROM mention WHERE what = ? AND subject = ? AND document_id = ?", mentioned)
    connection.executemany("DELETE FROM edge WHERE document_id = ?", [(item,) for item in document_ids])


def tell(connection: sqlite3.Connection, news: Iterable[tuple[int, int, object]], level: int = 1) -> None:
    """Note news for the linker, (root, what, subject) each, where a document of the root has passed ``level`` phases:
    the others are still to be linked anyway. So the first indexing of a root notes nothing.
    """
    listed = list(news)
    linked = {root_id for root_id in {item[0] for item in listed} if is_linked(connection, root_id, level)}
    connection.executemany(ADD_NEWS, [item for item in listed if item[0] in linked])


def is_linked(connection: sqlite3.Connection, root_id: int, level: int = 1) -> bool:
    """Whether a document of the root has passed ``level`` phases of linking."""
    sql = (
        "SELECT 1 FROM document d JOIN root r ON r.id = d.root_id "
        "WHERE d.root_id = ? AND d.level > 0 AND d.level >= ? AND NOT r.removing LIMIT 1"
    )
    return connection.execute(sql, (root_id, level)).fetchone() is not None


def folder_key(path: str) -> str:
    """The part of a module key that stands for the directory of ``path``: ``a/b/c.py`` -> ``b/a//``."""
    return "".join(f"{part}/" for part in reversed(path.split("/")[:-1])) + "/"


def stored_symbol(ordinal: int, symbol: Symbol) -> StoredSymbol:
    """A symbol of a parsed file as a row."""
    return StoredSymbol(
        ordinal, symbol.parent, SYMBOL_KIND_CODES[symbol.kind], symbol.name, symbol.qualified, symbol.signature,
        symbol.doc, symbol.start_line, symbol.end_line, symbol.start_byte, symbol.end_byte,
    )  # fmt: skip


EdgeRow = tuple[Any, ...]
"""The parameters of ADD_EDGE."""


def edge_row(document_id: int, ordinal: int, edge: Edge, ids: Sequence[int]) -> EdgeRow:
    """An edge of a parsed file as a row; where it leads within the file it is final. ``ids`` are its symbols'."""
    kind, name, module, path = EDGE_KIND_CODES[edge.kind], edge.name, edge.module, edge.path
    source = ids[edge.source] if edge.source >= 0 else FILE
    certainty = CERTAINTY_CODES[edge.certainty]
    if edge.target < 0:
        head = path.partition(".")[0]
        way = WAY_MODULE if module else WAY_NAME
        place = (document_id, source, ordinal, kind, way, name, edge.line, None, module, path)
        return (*place, "" if head == name else head, certainty, None, 0, None, None, None)
    target = ids[edge.target]
    if path:
        owned = (document_id, source, ordinal, kind, WAY_MEMBER, name, edge.line, target, module, path)
        return (*owned, "", certainty, None, 0, None, None, None)
    place = (document_id, source, ordinal, kind, WAY_LOCAL, name, edge.line, None, module, path)
    return (*place, "", certainty, None, 0, document_id, target, certainty)


def identity_of(row: EdgeRow) -> Identity:
    """What tells the edge from the others of its file."""
    _, source, _, kind, way, name, _, owner, module, path, *_ = row
    return Identity(kind, source, way, name, module, path, row[15] if way == WAY_LOCAL else owner)


def mentions_of(row: EdgeRow) -> set[tuple[int, str, int]]:
    """The names and the module whose coming or going concerns an edge."""
    document_id, name, module, head = row[0], row[5], row[8], row[10]
    found = {(NEWS_NAME, name, document_id)}
    if head:
        found.add((NEWS_NAME, head, document_id))
    if module:
        found.add((NEWS_MODULE, module, document_id))
    return found


def unlike(others: Container[Identity], identity: Identity) -> Identity:
    """The identity, with the number that tells it from others that are written alike."""
    while identity in others:
        identity = identity._replace(ordinal=identity.ordinal + 1)
    return identity


def load(connection: sqlite3.Connection, ids: str) -> dict[int, Known]:
    """The stored structure of the documents in ``ids`` (a JSON array)."""
    known = {row[0]: Known(*row[1:]) for row in connection.execute(KNOWN_DOCUMENTS, (ids,))}
    for document_id, symbol_id, *row in connection.execute(KNOWN_SYMBOLS, (ids,)):
        known[document_id].symbols.append((symbol_id, StoredSymbol._make(row)))
    for document_id, identity, found in _known_links(connection, ids):
        links = known[document_id].links
        links[unlike(links, identity)] = found
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

MENTIONED = """
SELECT 0, e.name, e.document_id FROM json_each(?1) j CROSS JOIN edge e ON e.document_id = j.value WHERE e.way > 0
UNION SELECT 0, e.head, e.document_id FROM json_each(?1) j CROSS JOIN edge e ON e.document_id = j.value
    WHERE e.head <> ''
UNION SELECT 1, e.module, e.document_id FROM json_each(?1) j CROSS JOIN edge e ON e.document_id = j.value
    WHERE e.module <> ''
"""
