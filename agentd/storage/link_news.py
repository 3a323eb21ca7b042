"""Whom news concern: documents with edges that what came or went may lead elsewhere are queued to be linked again.

It may name documents that turn out not to be concerned, never too few.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agentd.storage.codes import PYTHON, News

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

WILDCARD_HOPS = 6
"""As far as the linker follows imports from module to module."""

NEWS_WEIGHT = 8
"""News concern about as many edges, those of every name taken together."""

# `as` gives a thing another name: what has news under the one has them under the other.
ALIASES = """
WITH RECURSIVE called (name) AS (
    SELECT value FROM json_each(:names)
    UNION SELECT e.name FROM called c JOIN edge e INDEXED BY edge_alias ON e.head = c.name
        JOIN document d ON d.id = e.document_id WHERE e.head <> '' AND e.kind = 0 AND d.root_id = :root
)
"""

QUEUE = """
INSERT INTO link_queue SELECT DISTINCT d.id, :phase FROM {concerned} CROSS JOIN document d ON d.id = m.document_id
    WHERE d.root_id = :root AND d.level > 0 ON CONFLICT DO UPDATE SET phase = min(phase, excluded.phase)
"""

CALLED_SO = f"""
{ALIASES} {QUEUE.format(concerned="called c CROSS JOIN mention m ON m.what = 0 AND m.subject = c.name")}
"""

IMPORTING = QUEUE.format(concerned="json_each(:modules) j CROSS JOIN mention m ON m.what = 1 AND m.subject = j.value")

WILDCARDS = """
SELECT DISTINCT d.module FROM json_each(:modules) j CROSS JOIN mention m ON m.what = 1 AND m.subject = j.value
    CROSS JOIN document d ON d.id = m.document_id
    CROSS JOIN edge e INDEXED BY edge_import ON e.document_id = d.id AND e.name = '*' AND e.kind = 0
    WHERE d.root_id = :root AND d.module <> '' AND e.module = j.value
"""

# Whatever lies below the folder of a package: the rule that nothing inside of a package is imported by its bare name
# holds or no longer holds for them.
BELOW = """
SELECT d.module FROM document d WHERE d.root_id = :root AND d.family = :python AND d.path >= :below AND d.path < :after
"""

DERIVED = """
WITH RECURSIVE derived (id) AS (
    SELECT value FROM json_each(:classes)
    UNION SELECT e.source FROM derived b JOIN edge e ON e.target_symbol_id = b.id WHERE e.kind = 2 AND e.source > 0
)
SELECT s.id, s.document_id, s.name FROM derived b JOIN symbol s ON s.id = b.id WHERE s.root_id = :root
"""

QUEUE_THESE = """
INSERT INTO link_queue SELECT d.id, 2 FROM json_each(?) j CROSS JOIN document d ON d.id = j.value WHERE d.level > 0
    ON CONFLICT DO NOTHING
"""


def spread_news(connection: sqlite3.Connection, limit: int) -> int:
    """Take some news of one kind and root and queue those concerned; returns how many, 0 where there are none."""
    first = connection.execute("SELECT root_id, what FROM link_news LIMIT 1").fetchone()
    if first is None:
        return 0
    root_id, what = first
    sql = "SELECT subject FROM link_news WHERE root_id = ? AND what = ? LIMIT ?"
    subjects = [row[0] for row in connection.execute(sql, (root_id, what, max(1, limit // NEWS_WEIGHT)))]
    if what == News.NAME:
        _spread_names(connection, root_id, subjects)
    elif what == News.MODULE:
        _spread_modules(connection, root_id, subjects)
    else:
        _spread_classes(connection, root_id, subjects)
    connection.executemany(
        "DELETE FROM link_news WHERE root_id = ? AND what = ? AND subject = ?",
        [(root_id, what, subject) for subject in subjects],
    )
    return len(subjects)


def _spread_names(connection: sqlite3.Connection, root_id: int, names: Sequence[str], phase: int = 1) -> None:
    connection.execute(CALLED_SO, {"names": json.dumps(names), "root": root_id, "phase": phase})


def _spread_modules(connection: sqlite3.Connection, root_id: int, keys: Sequence[str]) -> None:
    """Those that import the modules, or that may now or could before, and through ``import *`` those that import
    these.
    """
    # `from package import module` names the module by the first part of its key.
    _spread_names(connection, root_id, sorted({key.partition("/")[0] for key in keys} - {""}), phase=0)
    known: set[str] = set()
    wanted = set(keys)
    for key in keys:
        wanted |= _refused_by(connection, root_id, key)
    for _ in range(WILDCARD_HOPS):
        modules = {prefix for key in wanted - known for prefix in prefixes(key)}
        known |= wanted
        parameters = {"modules": json.dumps(sorted(modules)), "root": root_id, "phase": 0}
        connection.execute(IMPORTING, parameters)
        wanted = {key for (key,) in connection.execute(WILDCARDS, parameters)}
        if wanted <= known:
            break


def _refused_by(connection: sqlite3.Connection, root_id: int, package: str) -> set[str]:
    """The keys, without the package's, of all that lies in a package of Python with that key."""
    folder = "/".join(reversed(package.removesuffix("//").split("/")))
    whole_root = {"below": "", "after": "\U0010ffff"}
    # "0" follows "/" in ASCII: the range holds exactly the paths below the folder.
    bounds = whole_root if package == "/" else {"below": f"{folder}/", "after": f"{folder}0"}
    rows = connection.execute(BELOW, {"root": root_id, "python": PYTHON, **bounds})
    return {key.removesuffix(package) for (key,) in rows if key.endswith(package) and key != package}


def _spread_classes(connection: sqlite3.Connection, root_id: int, classes: Sequence[int]) -> None:
    """The members of a class, and of all that derive from it, may come from other bases now."""
    rows = connection.execute(DERIVED, {"classes": json.dumps(classes), "root": root_id}).fetchall()
    connection.execute(QUEUE_THESE, (json.dumps(sorted({document_id for _, document_id, _ in rows})),))
    _spread_names(connection, root_id, sorted({name for *_, name in rows}), phase=2)


def prefixes(key: str) -> list[str]:
    """All that an import may call a module with that key: ``b/a//`` -> ``b/``, ``b/a/``, ``b/a//``."""
    return [key[: end + 1] for end, character in enumerate(key) if character == "/" and end]
