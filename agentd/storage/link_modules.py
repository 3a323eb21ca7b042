"""Which documents the modules are that files name: keys are matched by prefix, and the nearest or shortest one wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.storage.codes import PYTHON, News
from agentd.storage.structure import tell

if TYPE_CHECKING:
    import sqlite3

# What a batch looks for, each (folder, module) once; `key` is the whole key found, `via` a document that has it.
TABLES = """
CREATE TEMP TABLE IF NOT EXISTS link_step (
    document_id INTEGER PRIMARY KEY, root_id INTEGER, family INTEGER, folder TEXT, module TEXT
);
CREATE TEMP TABLE IF NOT EXISTS wanted (
    root_id INTEGER, family INTEGER, folder TEXT, module TEXT, key TEXT, via INTEGER,
    PRIMARY KEY (root_id, family, folder, module)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS matched (
    root_id INTEGER, family INTEGER, module TEXT, key TEXT, PRIMARY KEY (root_id, family, module)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS rerouted (
    document_id INTEGER, source INTEGER, ordinal INTEGER, kind INTEGER, name TEXT, via INTEGER, inner INTEGER
);
"""

FILL_STEP = """
INSERT INTO link_step SELECT d.id, d.root_id, d.family, d.folder, d.module
    FROM json_each(?) j CROSS JOIN document d ON d.id = j.value
"""

WANT_MODULES = """
INSERT OR IGNORE INTO wanted (root_id, family, folder, module)
    SELECT t.root_id, t.family, t.folder, e.module FROM link_step t CROSS JOIN edge e ON e.document_id = t.document_id
    WHERE e.way = 2
"""

FIRST = "iif(instr({path}, '.'), substr({path}, 1, instr({path}, '.') - 1), {path})"
"""The first part of a path, in SQL."""
REST = "iif(instr({path}, '.'), substr({path}, instr({path}, '.') + 1), '')"
"""What follows it."""

# `from package import module` where the package is a folder alone.
INNER_MODULE = f"{FIRST.format(path='e.path')} || '/' || e.module"
WANT_INNER = f"""
INSERT OR IGNORE INTO wanted (root_id, family, folder, module)
    SELECT t.root_id, t.family, t.folder, {INNER_MODULE}
    FROM link_step t CROSS JOIN edge e ON e.document_id = t.document_id
    JOIN wanted w ON w.root_id = t.root_id AND w.family = t.family AND w.folder = t.folder AND w.module = e.module
    WHERE e.way = 2 AND e.path <> '' AND w.via IS NULL
"""

# In Python a module inside of a package is not imported by its bare name: `import json` is not `requests/json.py`.
REFUSED = f"""
(d.family = {PYTHON} AND substr(w.module, -2) <> '//' AND EXISTS (SELECT 1 FROM document p WHERE p.root_id = d.root_id
    AND p.module = substr(d.module, length(w.module) + 1) AND p.module <> '' AND p.family = {PYTHON}))
"""

MATCH_NEAR = f"""
UPDATE wanted AS w SET key = (SELECT d.module FROM document d WHERE d.root_id = w.root_id AND d.module <> ''
    AND d.module = iif(substr(w.module, -2) = '//', w.module, w.module || w.folder) AND d.family = w.family
    AND NOT {REFUSED} LIMIT 1)
    WHERE w.via IS NULL
"""

# Of the keys that a prefix matches the shortest, if it is the only one of its length.
MATCH_SHORTEST = f"""
INSERT INTO matched SELECT root_id, family, asked, iif(count = 1, key, NULL) FROM (
    SELECT root_id, family, asked, key, count, min(length) FROM (
        SELECT w.root_id, w.family, w.module AS asked, d.module AS key, length(d.module) AS length,
            count(DISTINCT d.module) AS count
        FROM (SELECT DISTINCT root_id, family, module FROM wanted WHERE key IS NULL AND substr(module, -2) <> '//') w
        CROSS JOIN document d ON d.root_id = w.root_id AND d.module >= w.module
            AND d.module < substr(w.module, 1, length(w.module) - 1) || '0' AND d.module <> '' AND d.family = w.family
        WHERE NOT {REFUSED} GROUP BY w.root_id, w.family, w.module, length(d.module)
    ) GROUP BY root_id, family, asked
)
"""

TAKE_SHORTEST = """
UPDATE wanted AS w SET key = (
    SELECT m.key FROM matched m WHERE m.root_id = w.root_id AND m.family = w.family AND m.module = w.module
) WHERE w.key IS NULL
"""

# Of those that share a key, the last path: the package before the module, the header before its source.
FIND_DOCUMENTS = """
UPDATE wanted AS w SET via = (
    SELECT d.id FROM document d WHERE d.root_id = w.root_id AND d.module = w.key AND d.module <> ''
    AND d.family = w.family ORDER BY +d.path DESC LIMIT 1
) WHERE w.key IS NOT NULL AND w.via IS NULL
"""

REROUTE = f"""
INSERT INTO rerouted SELECT document_id, source, ordinal, kind, name, via, inner_now FROM (
    SELECT e.document_id, e.source, e.ordinal, e.kind, e.name, coalesce(w.via, i.via) AS via,
        w.via IS NULL AND i.via IS NOT NULL AS inner_now, e.via AS via_before, e.inner AS inner_before
    FROM link_step t CROSS JOIN edge e ON e.document_id = t.document_id
    JOIN wanted w ON w.root_id = t.root_id AND w.family = t.family AND w.folder = t.folder AND w.module = e.module
    LEFT JOIN wanted i ON w.via IS NULL AND e.path <> '' AND i.root_id = t.root_id AND i.family = t.family
        AND i.folder = t.folder AND i.module = {INNER_MODULE}
    WHERE e.way = 2
) WHERE via IS NOT via_before OR inner_now <> inner_before
"""

APPLY = """
UPDATE edge SET via = r.via, inner = r.inner FROM rerouted r
    WHERE edge.document_id = r.document_id AND edge.source = r.source AND edge.ordinal = r.ordinal
"""

# What others import from a document leads elsewhere when the document's own imports do.
TELL_NAMES = """
SELECT DISTINCT t.root_id, ?, r.name FROM rerouted r JOIN link_step t ON t.document_id = r.document_id
    WHERE r.kind = 0 AND r.source = 0 AND r.name <> '*'
"""
TELL_MODULES = """
SELECT DISTINCT t.root_id, ?, t.module FROM rerouted r JOIN link_step t ON t.document_id = r.document_id
    WHERE r.kind = 0 AND r.source = 0 AND r.name = '*' AND t.module <> ''
"""


def fill_step(connection: sqlite3.Connection, ids: str) -> None:
    """Note the documents of a step (a JSON array of ids) in ``link_step``."""
    if connection.execute("SELECT 1 FROM temp.sqlite_master WHERE name = 'rerouted'").fetchone() is None:
        for statement in TABLES.split(";"):
            connection.execute(statement)
    for table in ("link_step", "wanted", "matched", "rerouted"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute(FILL_STEP, (ids,))


def link_modules(connection: sqlite3.Connection, ids: str) -> None:
    """Find the documents of all modules that the edges of the documents in ``ids`` name."""
    fill_step(connection, ids)
    for want in (WANT_MODULES, WANT_INNER):
        connection.execute(want)
        _match(connection)
    connection.execute(REROUTE)
    news = [*connection.execute(TELL_NAMES, (News.NAME,)), *connection.execute(TELL_MODULES, (News.MODULE,))]
    connection.execute(APPLY)
    tell(connection, news, level=2)


def _match(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM matched")
    for statement in (MATCH_NEAR, MATCH_SHORTEST, TAKE_SHORTEST, FIND_DOCUMENTS):
        connection.execute(statement)
