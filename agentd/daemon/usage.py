"""What the daemon and its workers take of the machine, read from proc(5) and the file system. Blocking, but quick."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from agentd.compute.stats import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def proportional(pids: Sequence[int]) -> int:
    """Bytes of processes in which a page that several share counts once (PSS). 1 ms for 100 MB, all in the kernel."""
    return sum(map(_proportional, pids))


def _proportional(pid: int) -> int:
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
    except ProcessLookupError:
        return 0
    except OSError:  # an old kernel, or a sandbox without it
        return resident_bytes(pid)
    return int(found[1]) * 1024 if found else 0


def free_bytes(directory: Path) -> int:
    """Bytes that this user can still write on the file system of a directory; where it was deleted, of what is left of
    its path.
    """
    try:
        found = os.statvfs(directory)
    except FileNotFoundError:
        return free_bytes(directory.parent)
    return found.f_bavail * found.f_frsize


def disk_use(directory: Path) -> dict[str, int]:
    """Bytes by entry of the state directory, in total under ``total``; of one that was deleted nothing is left."""
    sizes: dict[str, int] = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            name = "damaged" if ".damaged-" in entry.name else entry.name.split(".", 1)[0]
            sizes[name] = sizes.get(name, 0) + (tree_size(entry.path) if entry.is_dir() else file_size(entry))
    return {**sizes, "total": sum(sizes.values())}


def tree_size(directory: str) -> int:
    """Bytes of all files below a directory; 0 for one that has just gone."""
    with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
        return sum(
            file_size(entry) if not entry.is_dir(follow_symlinks=False) else tree_size(entry.path) for entry in entries
        )
    return 0


def file_size(entry: os.DirEntry[str]) -> int:
    """Bytes on disk; 0 for one that has just gone (a view swaps its files)."""
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def open_descriptors() -> int:
    """How many this process has open."""
    with os.scandir("/proc/self/fd") as entries:
        return sum(1 for _ in entries) - 1  # one of them reads the list
