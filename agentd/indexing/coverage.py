"""How each directory of a root is followed: by events, or where there are none, by looking at intervals."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

from agentd.indexing.mounts import is_pseudo, is_remote
from agentd.indexing.places import absolute, folders_above, relative
from agentd.indexing.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from agentd.compute.pool import Pool
    from agentd.indexing.mounts import Mounts
    from agentd.indexing.planner import WatchPlanner
    from agentd.indexing.watch_plan import FolderFacts
    from agentd.protocol.index import Coverage


SLICE = 1000
"""Directories that are judged in one turn of the loop: a millisecond."""


class RootCoverage:
    """The directories of one root, each watched or polled."""

    def __init__(self, root: str, pool: Pool, planner: WatchPlanner, poll_seconds: float) -> None:
        self.root = root
        self.polls = Poller(pool, poll_seconds)
        self.scores: dict[str, int] = {}
        """Every directory (absolute) that the last scans entered, and how much it deserves a watch."""
        self._planner = planner
        self._limited = False  # whether there were fewer watches than directories

    @property
    def directories(self) -> int:
        """How many directories there are."""
        return len(self.scores)

    @property
    def polled(self) -> int:
        """How many of them are looked at at intervals."""
        return len(self.polls)

    @property
    def filesystem(self) -> str:
        """The type of the file system of the root; empty where it is not known."""
        mount = self._planner.mounts.holding(self.root)
        return mount.kind if mount else ""

    def info(self) -> Coverage:
        """The whole of it, for people."""
        watched = self.directories - self.polled
        return {
            "watched": bool(watched) and not self.polled,
            "directories": self.directories,
            "watched_directories": watched,
            "polled_directories": self.polled,
            # Rounded down, so that 100 means all.
            "coverage": math.floor(1000 * watched / self.directories) / 10 if self.directories else 0.0,
            "filesystem": self.filesystem,
        }

    @property
    def left_out(self) -> list[str]:
        """Places (absolute) below the root where the kernel shows files of its own making."""
        return [mount.place for mount in self._planner.mounts.within(self.root) if is_pseudo(mount.kind)]

    async def note(self, scanned: Collection[str], entered: Sequence[str], facts: FolderFacts) -> None:
        """Take in what a scan of the paths ``scanned`` found: the directories that it ``entered`` (all relative).

        Directories that are there no more are followed no more.
        """
        now, found = time.time_ns(), dict[str, int]()
        for at in range(0, len(entered), SLICE):
            for directory in entered[at : at + SLICE]:
                found[absolute(self.root, directory)] = facts.score(directory, now)
            await asyncio.sleep(0)
        places = {absolute(self.root, path) for path in scanned}
        gone = [directory for directory in self._known_below(places) if directory not in found]
        for directory in gone:
            del self.scores[directory]
        self.polls.drop(gone)
        if watched := [directory for directory in gone if directory in self._planner.watcher]:
            await self._planner.watcher.unwatch(watched)
        self.scores.update(found)

    def _known_below(self, places: Collection[str]) -> list[str]:
        if self.root in places:
            return list(self.scores)
        places = {place for place in places if place in self.scores}  # most are files
        prefixes = tuple(f"{place}/" for place in places)
        return [path for path in self.scores if path in places or path.startswith(prefixes)] if places else []

    async def cover(self, entered: Iterable[str], *, whole: bool) -> set[str]:
        """Follow each of these directories (relative), of the ``whole`` root or of a part. Those that were not followed
        before, or could not be, are returned: what changed in them until now may have gone unseen.
        """
        directories = [path for path in (absolute(self.root, each) for each in entered) if path in self.scores]
        remote = self._remote(directories)
        local = [path for path in directories if path not in remote]
        watcher = self._planner.watcher
        chosen = await self._planner.make_room(self, local) if whole else local
        armed = await watcher.watch(chosen)
        self._limited = bool(armed.beyond) or (self._limited and not whole)
        if whole and directories:
            await watcher.watch(folders_above(self.root), above=True)
        polled = await self.polls.add([*remote, *(path for path in armed.beyond if path in self.scores)])
        self.polls.drop([path for path in local if path in watcher])
        failed = [path for path in directories if path not in watcher and path not in self.polls]
        return {relative(path, self.root) for path in (*armed.new, *polled, *failed)}

    def shortcomings(self) -> str:
        """Why directories are looked at at intervals, in words; empty where all are watched."""
        if not self.polled:
            return ""
        kinds = {self.filesystem, *(mount.kind for mount in self._planner.mounts.within(self.root))}
        reasons = [f"{kind} does not tell of changes made elsewhere" for kind in sorted(kinds) if is_remote(kind)]
        if self._limited:
            reasons.append(self._planner.limit_reason())
        counts = f"{self.polled:,} of {self.directories:,} directories of root {self.root}"
        return (
            f"{counts} are polled every {self.polls.interval:g} s: {'; '.join(reasons) or 'they are not watched yet'}"
        )

    async def refollow(self, places: Iterable[str]) -> None:
        """Follow nothing at these places (absolute), nor below: there is something else by now."""
        for place in places:
            inside = place.startswith(f"{self.root}/")
            await self._planner.watcher.forget(place if inside else self.root)
            self.polls.drop(
                [path for path in self.scores if not inside or path == place or path.startswith(f"{place}/")]
            )

    async def forget(self) -> None:
        """Follow nothing: the root is gone, or is another directory."""
        await self._planner.watcher.forget(self.root)
        self.polls.drop(list(self.scores))
        self.scores = {}

    def watchable(self) -> dict[str, int]:
        """The scores of the directories whose changes the kernel tells of."""
        remote = self._remote(self.scores)
        return {path: score for path, score in self.scores.items() if path not in remote} if remote else self.scores

    def _remote(self, directories: Iterable[str]) -> set[str]:
        """Those on a file system that changes behind the kernel's back."""
        mounts = self._planner.mounts
        root_is_remote = is_remote(self.filesystem)
        if not (below := mounts.within(self.root)):
            return set(directories) if root_is_remote else set()
        prefixes = tuple(f"{mount.place}/" for mount in below)
        return {path for path in directories if _is_remote(f"{path}/", prefixes, mounts, otherwise=root_is_remote)}


def _is_remote(path: str, prefixes: tuple[str, ...], mounts: Mounts, *, otherwise: bool) -> bool:
    """``otherwise`` for what lies on none of the mounts below the root, which is nearly everything."""
    if not path.startswith(prefixes):
        return otherwise
    mount = mounts.holding(path.removesuffix("/"))
    return mount is not None and is_remote(mount.kind)
