"""The training data at rest: one JSON object a line, so that a person can read it and two runs can be compared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Struct)


class Gold(Struct, frozen=True):
    """A place that answers: lines from 1, both included. ``end_line`` 0 means the whole file."""

    path: str
    start_line: int = 1
    end_line: int = 0

    def overlaps(self, path: str, start_line: int, end_line: int) -> bool:
        """Whether that span shares a line with this place."""
        last = self.end_line or end_line
        return path == self.path and start_line <= last and end_line >= self.start_line


class Query(Struct, frozen=True):
    """A question to a corpus and the places that answer it: none for a query that the corpus cannot answer."""

    corpus: str
    kind: str
    query: str
    gold: tuple[Gold, ...] = ()


class RecordedHit(Struct, frozen=True):
    """A hit of the daemon. ``grade``: 2 where it overlaps a gold span, 1 in the same file, else 0."""

    path: str
    start_line: int
    end_line: int
    grade: int
    features: dict[str, float] = {}


class Recording(Struct, frozen=True):
    """What the daemon answered: hits in its order with their features, and the ``evidence`` of the query as a whole;
    ``fusion`` are those that ranks alone give, which training is compared with.
    """

    query: Query
    type: str
    hits: tuple[RecordedHit, ...]
    evidence: dict[str, float] = {}
    fusion: tuple[RecordedHit, ...] = ()


def write_rows(path: Path, rows: Iterable[Struct]) -> int:
    """Write one row a line; returns how many."""
    lines = [msgspec.json.encode(row) for row in rows]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return len(lines)


def read_rows(path: Path, row: type[Row]) -> list[Row]:
    """The rows of a file.

    Raises:
        msgspec.ValidationError: a line is not of that shape.
    """
    decoder = msgspec.json.Decoder(row)
    return [decoder.decode(line) for line in path.read_bytes().splitlines() if line]


def bucket(text: str, count: int) -> int:
    """A number below ``count`` that depends on ``text`` alone: chance that repeats itself in every run."""
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest()) % count


def sample(items: Iterable[Item], count: int, key: Callable[[Item], str]) -> list[Item]:
    """``count`` of them, chosen by the hash of their key."""
    return sorted(items, key=lambda item: (bucket(key(item), 1 << 62), key(item)))[:count]
