"""Which chunks of a document stay when it is parsed again. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from agentd.domain import Chunk

if TYPE_CHECKING:
    from collections.abc import Sequence


class Place(NamedTuple):
    """Where a chunk stands in its document, and what it is called there: what may change while its text stays."""

    ordinal: int
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    symbol: str
    names: str
    doc: str

    @property
    def called(self) -> tuple[str, str, str]:
        """What views index of it."""
        return self.symbol, self.names, self.doc


class StoredChunk(NamedTuple):
    """A chunk as it is in the database, without its text."""

    id: int
    place: Place
    context: str
    text_hash: bytes


class ChunkDiff(Struct, frozen=True):
    """``moved`` keep their id and get a new place, ``added`` get a new id, ``removed`` go. ``searchable`` is set where
    views must hear of it: a line inserted at the top of a file moves every chunk and concerns no view.
    """

    moved: list[tuple[int, Place]]
    added: list[tuple[Place, Chunk]]
    removed: list[int]
    searchable: bool


def diff_chunks(stored: Sequence[StoredChunk], parsed: Sequence[Chunk]) -> ChunkDiff:
    """Match the n-th stored chunk of a text and context with the n-th parsed one of the same."""
    free: dict[tuple[bytes, str], deque[StoredChunk]] = {}
    for old in stored:
        free.setdefault((old.text_hash, old.context), deque()).append(old)
    moved: list[tuple[int, Place]] = []
    added: list[tuple[Place, Chunk]] = []
    renamed = False
    for ordinal, chunk in enumerate(parsed):
        place = _place(ordinal, chunk)
        match = free.get((chunk.text_hash, chunk.context))
        if not match:
            added.append((place, chunk))
            continue
        old = match.popleft()
        if old.place != place:
            moved.append((old.id, place))
            renamed |= old.place.called != place.called
    removed = [old.id for left in free.values() for old in left]
    return ChunkDiff(moved, added, removed, searchable=renamed or bool(added or removed))


def _place(ordinal: int, chunk: Chunk) -> Place:
    return Place(
        ordinal,
        chunk.start_line,
        chunk.end_line,
        chunk.start_byte,
        chunk.end_byte,
        chunk.symbol,
        chunk.names,
        chunk.doc,
    )
