"""What storage hands out: frozen rows, one class for each question that is asked."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from agentd.domain import Kind, SkipReason


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
    """How far a root's index is. ``skipped`` counts documents by reason, ``queued`` chunks without vector by space;
    ``embeddable`` counts the chunks that should have a vector.
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
    """A chunk as a view indexes it. ``parts`` are those of its identifiers."""

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


class UnembeddedChunk(NamedTuple):
    """A chunk that waits for a vector."""

    chunk_id: int
    document_id: int
    root_id: int
    text_hash: bytes
    context: str
    text: str
