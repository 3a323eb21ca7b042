"""Files with symbols and edges for the tests of the linker: a database, and the steps that bring it about."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from storage_samples import chunk

from agentd.domain import Certainty, Edge, EdgeKind, Kind, Symbol, SymbolKind
from agentd.kernels.messages import ParsedFile
from agentd.storage.linker import link
from agentd.storage.migrations import migrate
from agentd.storage.removal import remove_documents
from agentd.storage.rows import PendingDocument
from agentd.storage.store import store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LANGUAGES = {"py": "python", "go": "go", "c": "c", "h": "c", "js": "javascript"}


def key_of(path: str) -> str:
    """A module's key, as ``kernels.edges`` makes it."""
    folders, _, name = path.rpartition("/")
    stem, _, extension = name.rpartition(".")
    parts = [part for part in folders.split("/") if part]
    if extension != "go" and stem not in {"__init__", "index"}:
        parts.append(stem)
    return "".join(f"{part}/" for part in reversed(parts)) + "/"


def symbols(*qualified: str) -> list[Symbol]:
    """Definitions in this order: with a capital a class, below a class a method, else a function."""
    found: list[Symbol] = []
    for line, name in enumerate(qualified, start=1):
        outer, _, last = name.rpartition(".")
        parent = next((n for n, one in enumerate(found) if one.qualified == outer), -1) if outer else -1
        kind = SymbolKind.CLASS if last[0].isupper() else SymbolKind.METHOD if outer else SymbolKind.FUNCTION
        place = (line * 10, line * 10 + 9, line * 100, line * 100 + 90)
        found.append(Symbol(kind, last, name, parent, f"def {last}", "", *place))
    return found


def imports(name: str, module: str, path: str = "") -> Edge:
    return Edge(-1, EdgeKind.IMPORTS, name, 1, -1, module, path, Certainty.IMPORT)


def through(source: int, module: str, path: str, kind: EdgeKind = EdgeKind.CALLS) -> Edge:
    return Edge(source, kind, path.rpartition(".")[2], 2, -1, module, path, Certainty.IMPORT)


def by_name(source: int, name: str, kind: EdgeKind = EdgeKind.CALLS) -> Edge:
    return Edge(source, kind, name, 3)


def local(source: int, target: int, name: str, kind: EdgeKind = EdgeKind.CALLS) -> Edge:
    return Edge(source, kind, name, 4, target, certainty=Certainty.EXACT)


def member(source: int, owner: int, name: str) -> Edge:
    return Edge(source, EdgeKind.CALLS, name, 5, owner, "", name, Certainty.EXACT)


def drain(connection: sqlite3.Connection, limit: int = 100, steps: int = 10_000) -> int:
    """Link until nothing is left, or for a number of steps; returns how many there were."""
    for step in range(steps):
        if not link(connection, limit):
            return step
    return steps


def forget_links(connection: sqlite3.Connection) -> None:
    """Take a database back to where nothing has been linked."""
    for sql in (
        "UPDATE edge SET via = NULL, inner = 0, target_document_id = NULL WHERE way > 0",
        "UPDATE edge SET target_symbol_id = NULL, found = NULL WHERE way > 0",
        "UPDATE document SET level = 0",
        "DELETE FROM link_news",
        "DELETE FROM link_queue",
        "INSERT INTO link_queue SELECT id, 0 FROM document",
    ):
        connection.execute(sql)


def links(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """What was found for every edge, in words."""
    return connection.execute(
        "SELECT d.path, coalesce(s.qualified, ''), e.kind, e.name, e.module, e.path, e.ordinal, v.path, e.inner, "
        "t.path, x.qualified, e.found, e.target_symbol_id "
        "FROM edge e JOIN document d ON d.id = e.document_id LEFT JOIN symbol s ON s.id = e.source "
        "LEFT JOIN document v ON v.id = e.via LEFT JOIN document t ON t.id = e.target_document_id "
        "LEFT JOIN symbol x ON x.id = e.target_symbol_id ORDER BY e.document_id, e.ordinal"
    ).fetchall()


class World:
    """One root in a database of its own, in memory."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("PRAGMA foreign_keys = ON")
        migrate(self.connection, Path(":memory:"))
        self.connection.execute("INSERT INTO root (id, path, origin) VALUES (1, '/root', 'added')")
        self.versions = 0

    def write(self, path: str, defined: Sequence[Symbol] = (), edges: Sequence[Edge] = ()) -> int:
        """Store the file as if it had just been parsed; returns its document's id."""
        self.versions += 1
        signature = f"v{self.versions}"
        (document_id,) = self.connection.execute(
            "INSERT INTO document (root_id, path, size, mtime_ns, signature, state) VALUES (1, ?, 1, 1, ?, 'pending') "
            "ON CONFLICT DO UPDATE SET signature = excluded.signature, state = 'pending' RETURNING id",
            (path, signature),
        ).fetchall()[0]
        taken = PendingDocument(document_id, 1, "/root", path, 1, 1, signature, 0)
        language = LANGUAGES[path.rpartition(".")[2]]
        parsed = ParsedFile(
            path, 1, 1, signature, b"", language, Kind.CODE, embed=False, lines=9, notes=[], chunks=[chunk(path)],
            module=key_of(path), symbols=list(defined), edges=list(edges),
        )  # fmt: skip
        store(self.connection, [(taken, parsed)])
        return int(document_id)

    def remove(self, path: str) -> None:
        """Remove a file that may be there."""
        found = self.connection.execute("SELECT id FROM document WHERE path = ?", (path,)).fetchall()
        remove_documents(self.connection, [document_id for (document_id,) in found])

    def link(self, limit: int = 100, steps: int = 10_000) -> int:
        """Link until nothing is left, or for a number of steps; returns how many there were."""
        return drain(self.connection, limit, steps)

    def forget_links(self) -> None:
        """Take the database back to where nothing has been linked."""
        forget_links(self.connection)

    def links(self) -> list[tuple[object, ...]]:
        """What was found for every edge, in words."""
        return links(self.connection)

    def targets(self, path: str) -> list[str | None]:
        """Where the edges of a file lead, in their order: ``file:symbol (certainty)``, None for nowhere."""
        sure = ("exact", "import", "unique", "name")
        rows = self.connection.execute(
            "SELECT t.path, x.qualified, e.found FROM edge e JOIN document d ON d.id = e.document_id "
            "LEFT JOIN document t ON t.id = e.target_document_id LEFT JOIN symbol x ON x.id = e.target_symbol_id "
            "WHERE d.path = ? ORDER BY e.ordinal",
            (path,),
        )
        return [
            None if found is None else f"{target or '?'}:{qualified or ''} ({sure[found]})"
            for target, qualified, found in rows
        ]

    def write_all(self, files: Iterable[tuple[str, Sequence[Symbol], Sequence[Edge]]]) -> None:
        """Several files."""
        for file in files:
            self.write(*file)
