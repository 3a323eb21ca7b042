"""Which symbols edges lead to: through modules and what these import in turn, through bases, and by name.

All statements work on the edges of one batch of documents at once, in temporary tables of the writer's connection:
``open`` has the edges, ``walk`` the places where each is still looked for, ``hit`` where it was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.storage.codes import CALLABLE, CALLS, IMPORT, INHERITS, NAME, TYPES, UNIQUE, News
from agentd.storage.link_modules import FIRST, REST, fill_step
from agentd.storage.structure import tell

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

IMPORT_HOPS = 6
"""From module to module, along what each imports for others."""
BASE_HOPS = 8
"""From class to base."""

TABLES = """
CREATE TEMP TABLE IF NOT EXISTS open (
    id INTEGER PRIMARY KEY, document_id INTEGER, source INTEGER, ordinal INTEGER, kind INTEGER, way INTEGER, name TEXT,
    path TEXT, owner INTEGER, via INTEGER, certainty INTEGER, root_id INTEGER, family INTEGER,
    to_document INTEGER, to_symbol INTEGER, found INTEGER,
    was_document INTEGER, was_symbol INTEGER, was_found INTEGER
);
CREATE TEMP TABLE IF NOT EXISTS walk (
    open_id INTEGER, at INTEGER, path TEXT, hop INTEGER, PRIMARY KEY (open_id, at, path)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS hit (open_id INTEGER PRIMARY KEY, symbol_id INTEGER, document_id INTEGER);
CREATE TEMP TABLE IF NOT EXISTS reach (
    document_id INTEGER, module TEXT, root_id INTEGER, family INTEGER, hop INTEGER, PRIMARY KEY (document_id, module)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS climb (
    open_id INTEGER, class_id INTEGER, hop INTEGER, PRIMARY KEY (open_id, class_id)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS called (
    root_id INTEGER, family INTEGER, kind INTEGER, name TEXT, count INTEGER, symbol_id INTEGER,
    PRIMARY KEY (root_id, family, kind, name)
) WITHOUT ROWID;
"""

OPEN = """
INSERT INTO open (document_id, source, ordinal, kind, way, name, path, owner, via, certainty, root_id, family,
    was_document, was_symbol, was_found)
    SELECT e.document_id, e.source, e.ordinal, e.kind, e.way, e.name, {path}, e.owner, e.via, e.certainty, t.root_id,
        t.family, e.target_document_id, e.target_symbol_id, e.found
    FROM link_step t CROSS JOIN edge e ON e.document_id = t.document_id WHERE e.way > 0 AND e.kind IN ({kinds})
"""
# Where the module is the one that the first part of the path names, what follows is looked for in it.
INNER_PATH = f"iif(e.inner, {REST.format(path='e.path')}, e.path)"

LAST = "substr({path}, length(rtrim({path}, replace({path}, '.', ''))) + 1)"
"""The last part of a path, in SQL: what is left after its dots and all before them."""

WALK_MODULES = "INSERT INTO walk SELECT id, via, path, 0 FROM open WHERE way = 2 AND via IS NOT NULL AND path <> ''"

# Files that share a key are one module: a package of Go, a header and its source.
FILES_OF_MODULE = """
JOIN document a ON a.id = w.at
CROSS JOIN document k ON k.root_id = a.root_id AND k.module = a.module AND k.module <> '' AND k.family = a.family
"""

LOOK = f"""
INSERT OR IGNORE INTO hit SELECT w.open_id, min(s.id), s.document_id FROM walk w {FILES_OF_MODULE}
    CROSS JOIN symbol s ON s.name = {LAST.format(path="w.path")} COLLATE NOCASE AND s.document_id = k.id
    WHERE w.hop = ? AND s.qualified = w.path GROUP BY w.open_id
"""

STILL_OPEN = "NOT EXISTS (SELECT 1 FROM hit h WHERE h.open_id = w.open_id)"

# What the module imports under the name that is looked for, or with everything else of another module.
BOUND_PATH = f"trim({INNER_PATH.replace('e.', 'r.')} || '.' || {REST.format(path='w.path')}, '.')"
STARRED = "CROSS JOIN edge r INDEXED BY edge_import ON r.document_id = k.id AND r.name = '*' AND r.kind = 0"
HOP_STAR = f"""
INSERT OR IGNORE INTO walk SELECT w.open_id, r.via, w.path, w.hop + 1 FROM walk w {FILES_OF_MODULE} {STARRED}
    WHERE w.hop = ? AND {STILL_OPEN} AND r.via IS NOT NULL AND r.source = 0
"""
BOUND = f"""
CROSS JOIN edge r INDEXED BY edge_import
    ON r.document_id = k.id AND r.name = {FIRST.format(path="w.path")} AND r.kind = 0
"""
HOP_NAMED = f"""
INSERT OR IGNORE INTO walk SELECT w.open_id, r.via, {BOUND_PATH}, w.hop + 1
    FROM walk w {FILES_OF_MODULE} {BOUND}
    WHERE w.hop = ? AND {STILL_OPEN} AND r.via IS NOT NULL AND r.source = 0
"""
# `package.module.name`, where nothing in the package has the name of its module.
HOP_INNER = f"""
INSERT OR IGNORE INTO walk SELECT w.open_id, k.id, {REST.format(path="w.path")}, w.hop + 1
    FROM walk w JOIN document a ON a.id = w.at
    CROSS JOIN document k ON k.root_id = a.root_id AND k.module = {FIRST.format(path="w.path")} || '/' || a.module
        AND k.module <> '' AND k.family = a.family
    WHERE w.hop = ? AND {STILL_OPEN}
"""
ARRIVE = (
    "INSERT OR IGNORE INTO hit SELECT open_id, NULL, max(at) FROM walk WHERE hop = ? AND path = '' GROUP BY open_id"
)

TAKE_HITS = f"""
UPDATE open SET (to_symbol, to_document, found) =
    (SELECT h.symbol_id, h.document_id, min(open.certainty, {IMPORT}) FROM hit h WHERE h.open_id = open.id)
    WHERE found IS NULL AND id IN (SELECT open_id FROM hit)
"""
TAKE_MODULES = """
UPDATE open SET to_document = via, found = certainty WHERE way = 2 AND kind = 0 AND via IS NOT NULL AND found IS NULL
"""

# Members of bases. The class of `Class.member` is looked for like any path, under the negative id of its edge.
WALK_CLASSES = f"""
INSERT INTO walk SELECT -id, via, substr(path, 1, length(path) - length({LAST.format(path="path")}) - 1), 0
    FROM open WHERE way = 2 AND via IS NOT NULL AND found IS NULL AND instr(path, '.')
"""
CLIMB_FROM_FOUND = (
    "INSERT INTO climb SELECT -open_id, symbol_id, 0 FROM hit WHERE open_id < 0 AND symbol_id IS NOT NULL"
)
CLIMB_FROM_OWNER = "INSERT INTO climb SELECT id, owner, 0 FROM open WHERE way = 1 AND owner IS NOT NULL"
FIND_MEMBER = f"""
INSERT OR IGNORE INTO hit SELECT c.open_id, min(s.id), s.document_id FROM climb c JOIN open o ON o.id = c.open_id
    JOIN symbol b ON b.id = c.class_id JOIN document a ON a.id = b.document_id
    CROSS JOIN document k ON k.id = a.id
        OR (k.root_id = a.root_id AND k.module = a.module AND k.module <> '' AND k.family = a.family)
    CROSS JOIN symbol s ON s.name = {LAST.format(path="o.path")} COLLATE NOCASE AND s.document_id = k.id
    WHERE c.hop = ? AND s.qualified = b.qualified || '.' || {LAST.format(path="o.path")}
    AND NOT (c.hop = 0 AND o.way = 1 AND s.document_id = b.document_id) GROUP BY c.open_id
"""
"""At hop 0 of a member that a class has from its bases, its own file is left out: `super().open()` is not its own."""
CLIMB = f"""
INSERT OR IGNORE INTO climb SELECT c.open_id, e.target_symbol_id, c.hop + 1 FROM climb c
    JOIN symbol b ON b.id = c.class_id CROSS JOIN edge e ON e.document_id = b.document_id AND e.source = b.id
    WHERE c.hop = ? AND e.kind = {INHERITS} AND e.target_symbol_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM hit h WHERE h.open_id = c.open_id)
"""

# What `import *` and `#include` bring: all modules that a document reaches so.
REACH = """
INSERT OR IGNORE INTO reach SELECT t.document_id, m.module, m.root_id, m.family, 0
    FROM link_step t CROSS JOIN edge r INDEXED BY edge_import
        ON r.document_id = t.document_id AND r.name = '*' AND r.kind = 0
    JOIN document m ON m.id = r.via WHERE m.module <> ''
"""
REACH_ON = f"""
INSERT OR IGNORE INTO reach SELECT w.document_id, m.module, m.root_id, m.family, w.hop + 1
    FROM reach w CROSS JOIN document k ON k.root_id = w.root_id AND k.module = w.module AND k.module <> ''
    {STARRED} JOIN document m ON m.id = r.via WHERE w.hop = ? AND r.source = 0 AND m.module <> ''
"""
LOOK_IN_REACH = """
INSERT OR IGNORE INTO hit SELECT o.id, min(s.id), s.document_id FROM open o
    CROSS JOIN symbol s ON s.name = o.name COLLATE NOCASE AND s.qualified = o.name
    JOIN document k ON k.id = s.document_id
    JOIN reach x ON x.document_id = o.document_id AND x.module = k.module AND x.root_id = k.root_id
    WHERE o.way = 3 AND o.kind > 0 AND o.document_id IN (SELECT document_id FROM reach) AND k.family = o.family
    GROUP BY o.id
"""
WALK_FROM_REACH = f"""
INSERT OR IGNORE INTO walk SELECT o.id, r.via, {INNER_PATH.replace("e.", "r.")}, 0 FROM open o
    CROSS JOIN edge r ON r.name = o.name AND r.kind = 0 AND r.name <> '*' JOIN document k ON k.id = r.document_id
    JOIN reach x ON x.document_id = o.document_id AND x.module = k.module AND x.root_id = k.root_id
    WHERE o.way = 3 AND o.kind > 0 AND o.document_id IN (SELECT document_id FROM reach)
    AND r.way = 2 AND r.source = 0 AND r.via IS NOT NULL AND r.path <> ''
    AND NOT EXISTS (SELECT 1 FROM hit h WHERE h.open_id = o.id)
"""

# By name alone: never what leads to a module that is not here, nor imports.
BY_NAME = "found IS NULL AND kind > 0 AND (way <> 2 OR via IS NOT NULL)"
CALL_NAMES = f"""
INSERT OR IGNORE INTO called (root_id, family, kind, name) SELECT root_id, family, kind, name FROM open WHERE {BY_NAME}
"""
NAMESAKES = f"""
FROM symbol s WHERE s.name = c.name COLLATE NOCASE AND s.name = c.name AND s.root_id = c.root_id
    AND s.family = c.family AND s.kind IN {CALLABLE} AND (c.kind = {CALLS} OR s.kind IN {TYPES})
"""
COUNT_NAMESAKES = f"""
UPDATE called AS c SET count = (SELECT count(*) FROM (SELECT DISTINCT s.document_id, s.qualified {NAMESAKES} LIMIT 2)),
    symbol_id = (SELECT s.id {NAMESAKES} LIMIT 1)
"""
TAKE_NAMESAKES = f"""
UPDATE open SET (to_symbol, found) = (
    SELECT iif(c.count = 1, c.symbol_id, NULL), CASE c.count WHEN 0 THEN NULL WHEN 1 THEN {UNIQUE} ELSE {NAME} END
    FROM called c
    WHERE c.root_id = open.root_id AND c.family = open.family AND c.kind = open.kind AND c.name = open.name
) WHERE {BY_NAME}
"""
TAKE_DOCUMENTS = """
UPDATE open SET to_document = (SELECT s.document_id FROM symbol s WHERE s.id = to_symbol)
    WHERE to_symbol IS NOT NULL AND to_document IS NULL
"""

CHANGED = "(to_document IS NOT was_document OR to_symbol IS NOT was_symbol OR found IS NOT was_found)"
TELL_CLASSES = f"""
SELECT DISTINCT root_id, ?, source FROM open
    WHERE kind = {INHERITS} AND source > 0 AND to_symbol IS NOT was_symbol
"""
APPLY = f"""
UPDATE edge SET target_document_id = o.to_document, target_symbol_id = o.to_symbol, found = o.found
    FROM (SELECT * FROM open WHERE {CHANGED}) o
    WHERE edge.document_id = o.document_id AND edge.source = o.source AND edge.ordinal = o.ordinal
"""


def link_targets(connection: sqlite3.Connection, ids: str, kinds: Sequence[int]) -> None:
    """Find the targets of all edges of these kinds that the documents in ``ids`` have."""
    fill_step(connection, ids)
    _clear(connection)
    connection.execute(OPEN.format(path=INNER_PATH, kinds=", ".join(map(str, kinds))))
    _through_modules(connection)
    _through_wildcards(connection)
    if CALLS in kinds:
        _through_bases(connection)
    for statement in (TAKE_MODULES, CALL_NAMES, COUNT_NAMESAKES, TAKE_NAMESAKES, TAKE_DOCUMENTS):
        connection.execute(statement)
    tell(connection, connection.execute(TELL_CLASSES, (News.CLASS,)), level=3)
    connection.execute(APPLY)


def _clear(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT 1 FROM temp.sqlite_master WHERE name = 'called'").fetchone() is None:
        for statement in TABLES.split(";"):
            connection.execute(statement)
    for table in ("open", "walk", "hit", "reach", "climb", "called"):
        connection.execute(f"DELETE FROM {table}")


def _through_modules(connection: sqlite3.Connection) -> None:
    connection.execute(WALK_MODULES)
    _walk(connection)
    connection.execute(TAKE_HITS)


def _walk(connection: sqlite3.Connection) -> None:
    """Look where each edge leads at first, then in what is imported there, and so on."""
    for hop in range(IMPORT_HOPS + 1):
        connection.execute(LOOK, (hop,))
        connection.execute(ARRIVE, (hop,))
        if hop == IMPORT_HOPS:
            break
        added = sum(connection.execute(sql, (hop,)).rowcount for sql in (HOP_NAMED, HOP_STAR, HOP_INNER))
        if not added:
            break


def _through_wildcards(connection: sqlite3.Connection) -> None:
    added = connection.execute(REACH).rowcount
    for hop in range(IMPORT_HOPS):
        if not added:
            break
        added = connection.execute(REACH_ON, (hop,)).rowcount
    _reset(connection)
    connection.execute(LOOK_IN_REACH)
    connection.execute(WALK_FROM_REACH)
    _walk(connection)
    connection.execute(TAKE_HITS)


def _through_bases(connection: sqlite3.Connection) -> None:
    _reset(connection)
    connection.execute(WALK_CLASSES)
    _walk(connection)
    connection.execute(CLIMB_FROM_FOUND)
    connection.execute(CLIMB_FROM_OWNER)
    _reset(connection)
    for hop in range(BASE_HOPS + 1):
        connection.execute(FIND_MEMBER, (hop,))
        if not connection.execute(CLIMB, (hop,)).rowcount:
            break
    connection.execute(TAKE_HITS)


def _reset(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM walk")
    connection.execute("DELETE FROM hit")
