"""The watches of all roots together: how many there are, and who gets them where they do not suffice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agentd.indexing.inotify import LEAST_LIMIT, system_limit
from agentd.indexing.mounts import MountEvents, Mounts, read_mounts
from agentd.indexing.places import folders_above
from agentd.indexing.signal import Signal
from agentd.indexing.watch_plan import choose

if TYPE_CHECKING:
    from agentd.indexing.coverage import RootCoverage
    from agentd.indexing.watcher import Hints, Watcher

log = structlog.get_logger(__name__)


class WatchPlanner:
    """Shares the watches among the roots, and notices what is mounted over them.

    ``hints`` are told of directories that lost their watch to better ones, and of roots whose mounts changed.
    """

    def __init__(self, watcher: Watcher, hints: Hints) -> None:
        self.watcher = watcher
        self.mounts = Mounts([])
        self.roots: dict[str, RootCoverage] = {}
        self._setting = 0
        self._system_limit = LEAST_LIMIT
        self._hints = hints
        self._planning = asyncio.Lock()

    async def prepare(self, setting: int) -> None:
        """Learn what there is to know before the first directory is watched."""
        self.mounts = await asyncio.to_thread(read_mounts)
        self._setting = setting
        await self._learn_limit()

    async def run(self) -> None:
        """The service: a change of the mount table hides watched directories, or shows others in their place."""
        changed = Signal()
        try:
            events = await asyncio.to_thread(MountEvents)
        except OSError as error:
            log.warning("mounts_unknown", error=str(error))
            await asyncio.Event().wait()
            return

        def readable() -> None:
            events.take()
            changed.give()

        loop = asyncio.get_running_loop()
        loop.add_reader(events.fileno(), readable)
        try:
            while True:
                await self.remount()
                await changed.wait()
        finally:
            loop.remove_reader(events.fileno())
            events.close()

    async def remount(self) -> None:
        """Read the mount table; roots that a change of it concerns are followed and scanned anew."""
        before, self.mounts = self.mounts, await asyncio.to_thread(read_mounts)
        for root, coverage in list(self.roots.items()):
            if changed := before.affecting(root) ^ self.mounts.affecting(root):
                places = sorted({mount.place for mount in changed})
                log.info("mounts_changed", root=root, places=places)
                await coverage.refollow(places)
                self._hints([root])

    async def drop(self, root: str) -> None:
        """End all watches that are there for the sake of a root."""
        await self.roots.pop(root).forget()
        others = {folder for other in self.roots for folder in folders_above(other)}
        await self.watcher.unwatch(folder for folder in folders_above(root) if folder not in others)

    def limit_reason(self) -> str:
        """What keeps more directories from being watched, and what to do about it."""
        if self.watcher.problem:
            return self.watcher.problem
        if self._setting and not self.watcher.full:
            return f"the limit of {self._setting:,} watches is reached; raise limits.watches"
        whose = "this user's watches are used up" if self.watcher.full else "half of this user's watches are in use"
        return f"{whose}; raise fs.inotify.max_user_watches"

    def limit(self, setting: int) -> None:
        """Watch at most ``setting`` directories; 0 for half of what the system gives a user, so that editors have the
        other half.
        """
        self._setting = setting
        self.watcher.limit = setting or self._system_limit // 2

    async def make_room(self, asking: RootCoverage, local: list[str]) -> list[str]:
        """The order in which the directories of a root are to be watched; where there are more in all roots together
        than watches, the worst lose theirs first.
        """
        async with self._planning:
            await self._learn_limit()
            budget = self.watcher.budget
            if sum(coverage.directories for coverage in self.roots.values()) <= budget:
                return local
            scores: dict[str, int] = {}
            for coverage in self.roots.values():
                scores |= coverage.watchable()
            chosen = await asyncio.to_thread(choose, scores, self.watcher.watched(), budget)
            losers = [path for path in scores if path not in chosen and path in self.watcher]
            await self.watcher.unwatch(losers)
        if others := [path for path in losers if path not in asking.scores]:
            self._hints(others)
        return sorted(local, key=lambda path: (path not in chosen, -scores[path]))

    async def _learn_limit(self) -> None:
        """It may be raised while we run, by somebody who was told to."""
        self._system_limit = await asyncio.to_thread(system_limit)
        self.limit(self._setting)
