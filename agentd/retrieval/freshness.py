"""Text in an answer is what is on disk now: answers are checked, and made once more where files changed."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from agentd.retrieval.verification import OnDisk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from agentd.retrieval.verification import Verifier

T = TypeVar("T")

REFRESH_SECONDS = 0.5
"""How long an answer waits for files that changed to be read again; then it marks them."""


class Refreshing(Protocol):
    """What this needs of the index."""

    async def refresh(self, paths: Iterable[str], within: float) -> bool:
        """Bring these files (absolute) up to date; True when it is done."""


class Freshness:
    """Looks something up, compares the files behind it with the disk, and looks again where they were read anew."""

    def __init__(self, verifier: Verifier, index: Refreshing) -> None:
        self._verifier = verifier
        self._index = index

    async def looked_up(
        self, look: Callable[[], Awaitable[T]], files: Callable[[T], Mapping[str, str]], deadline: float = math.inf
    ) -> tuple[T, Disk]:
        """What ``look`` found, and the state of the ``files`` (absolute path -> signature) behind it.

        Past ``deadline``, a time on the monotonic clock, what was not compared with the disk yet is marked.
        """
        found = await look()
        disk = await self._disk(files(found), deadline)
        if disk.changed and await self._index.refresh(disk.changed, patience(deadline)):
            found = await look()
            disk = await self._disk(files(found), deadline)
        return found, disk

    async def _disk(self, signatures: Mapping[str, str], deadline: float) -> Disk:
        return Disk(await self._verifier.verify(signatures, patience(deadline)))


def patience(deadline: float) -> float:
    """Seconds for one look at the disk, or for reading what changed."""
    return max(0.0, min(REFRESH_SECONDS, deadline - time.monotonic()))


class Disk:
    """The state of the files behind an answer."""

    def __init__(self, states: Mapping[str, OnDisk]) -> None:
        self._states = states
        self.changed = {path for path, state in states.items() if state in {OnDisk.CHANGED, OnDisk.GONE}}

    def and_of(self, states: Mapping[str, OnDisk]) -> Disk:
        """These files and others."""
        return Disk({**self._states, **states})

    def has(self, path: str) -> bool:
        """Whether the file is still there, as far as is known."""
        return self._states.get(path) is not OnDisk.GONE

    def stale(self, path: str) -> bool:
        """Whether the file may have changed since it was indexed."""
        return self._states.get(path, OnDisk.SAME) is not OnDisk.SAME

    def doubts(self) -> list[str]:
        """Files that are shown as they were, in words."""
        changed = sum(state is OnDisk.CHANGED for state in self._states.values())
        unknown = sum(state is OnDisk.UNKNOWN for state in self._states.values())
        found = []
        if changed:
            found.append(f"{changed} files changed and are not read again yet: what is of them is marked stale")
        if unknown:
            found.append(f"{unknown} files could not be compared with the disk in time: they are marked stale")
        return found

    def skipped(self) -> list[str]:
        """Files that are gone, in words."""
        gone = sum(state is OnDisk.GONE for state in self._states.values())
        return [f"{gone} files are gone from disk; what was of them is left out"] if gone else []
