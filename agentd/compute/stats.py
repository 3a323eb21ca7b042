"""What the pool tells about itself."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import StrEnum

from msgspec import Struct

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Lane(StrEnum):
    """Who waits for a task: a person with a query, or the index."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class WorkerStats(Struct, frozen=True):
    """One process. ``rss_bytes`` is its resident memory, pages that it shares with others included."""

    pid: int
    lane: Lane
    rss_bytes: int
    tasks: int
    busy: bool


class LaneStats(Struct, frozen=True):
    """Counts since the start, and what is there now.

    ``workers`` counts processes, ``ready`` those that run a task or could.

    ``done`` and ``failed`` count tasks, ``retried`` second tries, ``refused`` tasks for which the queue had no room;
    ``killed`` and ``recycled`` count processes that were killed by us (time limits, memory, cancelled work) or retired
    for their memory, ``restarts`` those started to replace any that ended unasked.
    """

    workers: int
    ready: int
    busy: int
    queued: int
    done: int
    failed: int
    cancelled: int
    retried: int
    killed: int
    recycled: int
    restarts: int
    busy_seconds: float
    refused: int = 0


class PoolStats(Struct, frozen=True):
    """The whole pool."""

    lanes: dict[Lane, LaneStats]
    workers: list[WorkerStats]


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, 0 when it is gone. Microseconds: procfs is memory, no disk is read."""
    with suppress(OSError, IndexError):
        descriptor = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.pread(descriptor, 128, 0).split()[1]) * _PAGE_BYTES
        finally:
            os.close(descriptor)
    return 0
