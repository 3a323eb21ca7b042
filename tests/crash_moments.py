"""Moments to kill at. What a daemon is doing is seen from outside: in its files, and in its databases as a reader."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Moment(NamedTuple):
    """When the kill comes: as soon as ``reached`` says so."""

    what: str
    reached: Callable[[], bool]


def after(seconds: float) -> Moment:
    """A moment that nothing tells but the clock."""
    due = time.monotonic() + seconds
    return Moment(f"{seconds * 1000:.0f} ms", lambda: time.monotonic() >= due)


def files(folder: Path, pattern: str, number: int) -> Moment:
    """When so many new files of that name have been seen in ``folder``, however shortly."""
    before = set(folder.glob(pattern))
    seen: set[Path] = set()

    def reached() -> bool:
        with suppress(FileNotFoundError):
            seen.update(set(folder.glob(pattern)) - before)
        return len(seen) >= number

    return Moment(f"file {number} of {folder.name}/{pattern}", reached)


def replaced(path: Path, number: int) -> Moment:
    """When ``path`` has become another file so many times."""
    seen = {identity(path)}

    def reached() -> bool:
        seen.add(identity(path))
        return len(seen) > number

    return Moment(f"change {number} of {path.name}", reached)


def identity(path: Path) -> tuple[int, int]:
    """Of the file that has this name now; noughts where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def says(database: Path, sql: str, *parameters: object) -> Moment:
    """When a query of the database gives anything but nought."""
    return Moment(f"{sql} {list(parameters)}", lambda: asked(database, sql, *parameters) != 0)


def asked(database: Path, sql: str, *parameters: object) -> int:
    """What a query gives now; 0 also where there is no such table yet, or no database."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute(sql, parameters).fetchone()[0])
    return 0


def pending(database: Path, count: int) -> Moment:
    """When at most so many files are still to be read, and some are."""
    return says(database, "SELECT count(*) BETWEEN 1 AND ? FROM document WHERE state = 'pending'", count)


def generation(database: Path, moves: int) -> Moment:
    """When the index has changed so many times more."""
    before = asked(database, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'feed'")
    return says(database, "SELECT coalesce(max(seq), 0) >= ? FROM sqlite_sequence WHERE name = 'feed'", before + moves)


def snapshots(state: Path, number: int) -> Moment:
    """When the one vector view has been saved so many times."""
    seen: set[tuple[Path, int]] = set()

    def reached() -> bool:
        with suppress(FileNotFoundError):
            seen.update((path, path.stat().st_mtime_ns) for path in state.glob("vectors/*/snapshot"))
        return len(seen) >= number

    return Moment(f"save {number} of the vectors", reached)


def missing(path: Path) -> Moment:
    """When a file has gone."""
    return Moment(f"end of {path.name}", lambda: not path.exists())
