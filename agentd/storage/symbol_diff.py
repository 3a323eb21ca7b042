"""Which symbols of a document stay when it is parsed again. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence


class StoredSymbol(NamedTuple):
    """A symbol as it stands in its file, in the order of the table's columns; ``kind`` is a code."""

    ordinal: int
    parent: int
    kind: int
    name: str
    qualified: str
    signature: str
    doc: str
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int


class SymbolDiff(Struct, frozen=True):
    """``ids`` of all symbols by ordinal; ``added`` and ``moved`` are (id, row), ``removed`` (id, row before)."""

    ids: list[int]
    added: list[tuple[int, StoredSymbol]]
    moved: list[tuple[int, StoredSymbol]]
    removed: list[tuple[int, StoredSymbol]]


def diff_symbols(
    stored: Sequence[tuple[int, StoredSymbol]], parsed: Sequence[StoredSymbol], next_id: int
) -> SymbolDiff:
    """Match the n-th stored symbol of a kind and qualified name with the n-th parsed one of the same.

    Those that are new take ids from ``next_id`` on.
    """
    free: dict[tuple[int, str], deque[tuple[int, StoredSymbol]]] = {}
    for symbol_id, row in stored:
        free.setdefault((row.kind, row.qualified), deque()).append((symbol_id, row))
    diff = SymbolDiff([], [], [], [])
    for row in parsed:
        match = free.get((row.kind, row.qualified))
        if not match:
            diff.added.append((next_id, row))
            diff.ids.append(next_id)
            next_id += 1
            continue
        symbol_id, before = match.popleft()
        diff.ids.append(symbol_id)
        if before != row:
            diff.moved.append((symbol_id, row))
    diff.removed.extend(item for left in free.values() for item in left)
    return diff
