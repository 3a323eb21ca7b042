"""Rows of the graph as the protocol shows them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentd import protocol as p
    from agentd.retrieval.freshness import Disk
    from agentd.storage.rows import ChainStep, FileGraph, FileRow, GraphRow, SymbolRow

    Row = SymbolRow | GraphRow | FileRow


class InRoot(Protocol):
    """A row about a file."""

    @property
    def root_path(self) -> str:
        """The root, absolute."""

    @property
    def path(self) -> str:
        """The file, relative to its root."""


def absolute(row: InRoot) -> str:
    """The absolute path of a row's file."""
    return os.path.join(row.root_path, row.path)


def files(rows: Iterable[Row]) -> dict[str, str]:
    """Absolute path -> signature of the files behind rows."""
    return {absolute(row): row.stored_signature for row in rows}


def there(rows: Iterable[GraphRow], disk: Disk) -> list[GraphRow]:
    """Rows whose file is not gone."""
    return [row for row in rows if disk.has(absolute(row))]


def symbol(row: SymbolRow, disk: Disk) -> p.SymbolInfo:
    """A definition."""
    path = absolute(row)
    return {
        "id": row.id,
        "name": row.qualified,
        "kind": row.kind,
        "path": path,
        "root": row.root_path,
        "start_line": row.start_line,
        "end_line": row.end_line,
        "signature": row.signature,
        "stale": disk.stale(path),
    }


def end(row: GraphRow, disk: Disk) -> p.SymbolInfo:
    """The other end of an edge, without the edge."""
    path = absolute(row)
    return {
        "id": row.symbol_id,
        "name": row.name,
        "kind": row.kind or "file",
        "path": path,
        "root": row.root_path,
        "start_line": row.start_line,
        "end_line": row.end_line,
        "signature": row.signature,
        "stale": disk.stale(path),
    }


def call(row: GraphRow, depth: int, disk: Disk) -> p.Call:
    """A caller or callee."""
    return {**end(row, disk), "line": row.line, "certainty": row.certainty, "of": row.of, "depth": depth}


def chain(steps: Sequence[ChainStep], disk: Disk) -> list[p.ChainStep]:
    """A way; each step with the edge that leads to it, which the row has at the step before."""
    way: list[p.ChainStep] = []
    for before, step in zip([None, *steps], steps, strict=False):
        edge, line, certainty = (before.edge, before.line, before.certainty) if before else (None, None, None)
        way.append({**symbol(step.symbol, disk), "edge": edge, "line": line, "certainty": certainty})
    return way


def imports(graph: FileGraph, asked: Mapping[int, str], disk: Disk, *, dependents: bool) -> list[p.ImportEntry]:
    """The files of an import graph, each below the one nearest to what was asked for (``asked``: id -> path)."""
    depths = dict.fromkeys(asked, 0) | {row.document_id: row.depth for row in graph.rows}
    paths = dict(asked) | {row.document_id: absolute(row) for row in graph.rows}
    above: dict[int, int] = {}
    for importing, imported in graph.edges:
        near, far = (imported, importing) if dependents else (importing, imported)
        if depths.get(near, -2) + 1 == depths.get(far, -1):
            above.setdefault(far, near)
    return [
        {
            "path": paths[row.document_id],
            "root": row.root_path,
            "name": row.path,
            "line": row.line,
            "certainty": row.certainty,
            "of": paths[above[row.document_id]],
            "depth": row.depth,
            "stale": disk.stale(paths[row.document_id]),
        }
        for row in graph.rows
        if row.document_id in above and disk.has(paths[row.document_id])
    ]
