"""What a daemon and its workers hold at one moment."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from benchmarks.harness.processes import family, pss_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MEGABYTE = 1024 * 1024
LOOKS = 5
LOOK_SECONDS = 0.4


class Sample(NamedTuple):
    """``daemon`` and ``workers`` are PSS in bytes, ``watches`` are of all; the rest is of the daemon alone. ``files``
    is what its PSS holds of mapped files: pages of the keyword view and of libraries, which the system takes back.

    ``descriptors`` are those that do not come and go with workers, which have a socket and a pidfd each.
    """

    minute: float
    daemon: int
    files: int
    workers: int
    descriptors: int
    threads: int
    watches: int
    disk: int


def sample(pid: int, state: Path, minute: float) -> Sample:
    """The medians of a few looks, one after the other."""
    looks = []
    for _ in range(LOOKS):
        looks.append(look(pid, state, minute))
        time.sleep(LOOK_SECONDS)
    return Sample(minute, *(int(statistics.median(each)) for each in zip(*(one[1:] for one in looks), strict=True)))


def look(pid: int, state: Path, minute: float) -> Sample:
    """One look; a worker that ends meanwhile counts nothing."""
    workers, watches = 0, 0
    members = family(pid)
    for member in members:
        with suppress(FileNotFoundError, ProcessLookupError):
            workers += pss_bytes(member) if member != pid else 0
            watches += watches_of(member)
    tasks, descriptors = (len(list(Path(f"/proc/{pid}/{name}").iterdir())) for name in ("task", "fd"))
    disk = sum(path.stat().st_blocks * 512 for path in state.rglob("*") if path.is_file())
    descriptors -= 2 * (len(members) - 1)
    files = pss_bytes(pid, "Pss_File")
    return Sample(minute, pss_bytes(pid), files, workers, descriptors, tasks, watches, disk)


def watches_of(pid: int) -> int:
    """Inotify watches of a process (proc(5), fdinfo: a line each)."""
    count = 0
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):
            count += sum(line.startswith("inotify ") for line in info.read_text().splitlines())
    return count


def growth(values: list[float], of: Callable[[list[float]], float] = statistics.median) -> float:
    """By how much the median (or what ``of`` makes of values) of the last quarter is over that of the second, the first
    being warm-up: a share.
    """
    quarter = len(last_quarter(values))
    return of(last_quarter(values)) / of(values[quarter : 2 * quarter] or values) - 1


def last_quarter(values: list[T]) -> list[T]:
    """At least one."""
    return values[-max(1, len(values) // 4) :]
