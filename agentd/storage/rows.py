"""What storage hands out: frozen rows, one class for each question that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from agentd.domain import Certainty, EdgeKind, Kind, SkipReason, SymbolKind

if TYPE_CHECKING:
    from collections.abc import Mapping


class PendingDocument(Struct, frozen=True):
    """A file that waits to be parsed. ``signature`` is what the last scan saw; keep it until the result is stored."""

    id: int
    root_id: int
    root_path: str
    path: str
    size: int
    mtime_ns: int
    signature: str
    attempts: int


class ScanResult(Struct, frozen=True):
    """What a scan changed, in documents; ``total`` counts those it saw, ``left_out`` the new ones beyond the bound."""

    new: int
    changed: int
    removed: int
    total: int
    left_out: int = 0


class RootProgress(Struct, frozen=True):
    """How far a root's index is. ``skipped`` counts documents by reason, ``queued`` chunks without vector by open
    space, in the order of the chain; ``embeddable`` counts the chunks that should have a vector.
    """

    root_id: int
    path: str
    scanned_ns: int | None
    documents: int
    pending: int
    skipped: dict[str, int]
    chunks: int
    embeddable: int
    queued: dict[str, int]


class HitRow(Struct, frozen=True):
    """A chunk with all that a hit shows. ``signature`` is that of the file when ``text`` was read."""

    chunk_id: int
    document_id: int
    root_id: int
    root_path: str
    path: str
    signature: str
    language: str
    kind: Kind
    symbol: str
    context: str
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    text: str
    names: str = ""
    doc: str = ""


class CandidateRow(NamedTuple):
    """A chunk as ranking sees it. ``names`` are those it defines, else the one it belongs to; ``text`` may be ''."""

    chunk_id: int
    document_id: int
    path: str
    language: str
    kind: Kind
    start_line: int
    names: str
    context: str
    doc: str
    text: str


class Candidates(NamedTuple):
    """Chunks by id, and for documents how many others among theirs import them."""

    rows: dict[int, CandidateRow]
    links: Mapping[int, int]


class DocumentRow(Struct, frozen=True):
    """A file that the index knows. ``skip`` says why it is not searchable."""

    id: int
    root_id: int
    root_path: str
    path: str
    size: int
    language: str
    kind: str
    chunks: int
    skip: SkipReason | None


class ViewRow(NamedTuple):
    """A chunk as a view indexes it. ``parts`` are those of its identifiers, ``names`` the definitions in it."""

    document_id: int
    root_id: int
    path: str
    language: str
    kind: str
    chunk_id: int
    symbol: str
    context: str
    text: str
    parts: str
    names: str = ""


class UnembeddedChunk(NamedTuple):
    """A chunk that waits for a vector."""

    chunk_id: int
    document_id: int
    root_id: int
    root_path: str
    text_hash: bytes
    context: str
    text: str
    names: str


class SymbolRow(Struct, frozen=True, gc=False):
    """A definition with its place. ``signature`` is its head in one line; ``stored_signature`` is the file's state
    (``FileEntry.signature``) that the lines belong to.
    """

    id: int
    document_id: int
    root_id: int
    root_path: str
    path: str
    stored_signature: str
    language: str
    kind: SymbolKind
    name: str
    qualified: str
    signature: str
    doc: str
    start_line: int
    end_line: int


class NamedSymbol(NamedTuple):
    """A definition as ranking sees it."""

    id: int
    document_id: int
    name: str
    qualified: str
    kind: SymbolKind
    start_line: int
    end_line: int


class GraphRow(Struct, frozen=True, gc=False):
    """One end of an edge, seen from the other. ``symbol_id`` is None where a file's own level uses something; then
    ``name`` is the path and the lines are the first and the last of the file. ``line`` is where the use stands, in the
    file that uses; ``of`` is the id of the symbol (of ``dependencies``: the document) that was asked about.
    """

    of: int
    symbol_id: int | None
    document_id: int
    root_id: int
    root_path: str
    path: str
    stored_signature: str
    language: str
    kind: SymbolKind | None
    name: str
    signature: str
    start_line: int
    end_line: int
    line: int
    edge: EdgeKind
    certainty: Certainty


class GraphRows(Struct, frozen=True):
    """Surest rows first; ``more`` counts those that were left out by the limit, ``cut`` says what was not counted."""

    rows: list[GraphRow]
    more: int = 0
    cut: tuple[str, ...] = ()


class ChainStep(Struct, frozen=True):
    """A symbol on a path; ``line``, ``edge`` and ``certainty`` are those of the edge that leads on from it, None at
    the end.
    """

    symbol: SymbolRow
    line: int | None
    edge: EdgeKind | None
    certainty: Certainty | None


class Chains(Struct, frozen=True):
    """Shortest paths first. ``bounded`` says why others may have been missed, '' where none can."""

    paths: list[list[ChainStep]]
    bounded: str = ""


class FileRow(Struct, frozen=True, gc=False):
    """A file that others depend on, or that depends on others: ``depth`` imports away, the first at ``line`` of the
    file that imports.
    """

    document_id: int
    root_id: int
    root_path: str
    path: str
    stored_signature: str
    language: str
    lines: int
    depth: int
    line: int
    certainty: Certainty


class FileGraph(Struct, frozen=True):
    """``edges`` are (importing, imported) document ids among the rows and what was asked about; ``cycles`` are groups
    of documents that all depend on each other. ``bounded`` says why some may have been missed, '' where none can.
    """

    rows: list[FileRow]
    edges: list[tuple[int, int]]
    cycles: list[list[FileRow]]
    more: int = 0
    bounded: str = ""


class Neighbours(Struct, frozen=True):
    """What surrounds a symbol: the definitions around it (outermost first), those beside it, those in it, and uses."""

    symbol: SymbolRow
    parents: list[SymbolRow]
    siblings: list[SymbolRow]
    members: list[SymbolRow]
    callers: GraphRows
    callees: GraphRows
    bases: GraphRows
    derived: GraphRows
