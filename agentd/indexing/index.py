"""The index as the rest of the daemon sees it: roots come and go, hints arrive, and at some point all is at rest."""

from __future__ import annotations

import asyncio
import contextlib
import os
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING

import structlog

from agentd.domain import RootOrigin
from agentd.errors import OutsideRootsError, RootFixedError, RootInvalidError, RootNotFoundError, StateUnusableError
from agentd.indexing.coalescer import WHOLE_ROOT
from agentd.indexing.coverage import RootCoverage
from agentd.indexing.keeper import RootKeeper
from agentd.indexing.places import pattern_of, relative, resolve
from agentd.indexing.planner import WatchPlanner
from agentd.indexing.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from agentd.compute.pool import Pool
    from agentd.config.settings import IndexSettings
    from agentd.domain import Root
    from agentd.indexing.chains import Chains
    from agentd.indexing.events import Events
    from agentd.indexing.followers import Follower
    from agentd.indexing.ingest import Ingest
    from agentd.indexing.linker import Linker
    from agentd.indexing.signal import Signal
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import ViewRow

    Service = Callable[[], Awaitable[None]]
    Supervise = Callable[[str, Service], Coroutine[None, None, None]]

log = structlog.get_logger(__name__)

REMOVAL_SECONDS = 1.0
"""How long a stopping daemon waits for roots that are being removed."""

IGNORE_FILES = frozenset({".gitignore", ".agentdignore"})


class Index:
    """Owns the keepers, one a root, and knows when everything is settled."""

    def __init__(
        self,
        catalogue: Catalogue,
        pool: Pool,
        ingest: Ingest,
        keyword: Follower[Sequence[ViewRow]],
        progress: Signal,
        events: Events,
        settings: IndexSettings,
        private: tuple[str, ...],
        git_excludes: str = "",
        watches: int = 0,
    ) -> None:
        self.keepers: dict[str, RootKeeper] = {}
        self.complete = asyncio.Event()
        """Set once every root that flags, file and state name is kept: before that, nothing is ever settled."""
        self.chains: Chains | None = None
        self.linker: Linker | None = None
        self._catalogue = catalogue
        self._pool = pool
        self._ingest = ingest
        self._keyword = keyword
        self._progress = progress
        self._events = events
        self._settings = settings
        self._private = private
        self._git_excludes = git_excludes
        self._watches = watches
        # The first private place is the state directory, which is there as long as the daemon.
        self.planner = WatchPlanner(Watcher(self._hint, self._look_at_everything, canary=private[0]), self._hint)
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._changing = asyncio.Lock()
        self._removals: set[asyncio.Task[int]] = set()  # that run, whether or not somebody still waits for them

    async def run(self, supervise: Supervise) -> None:
        """Keep every root; ends by cancellation alone."""
        self._supervise = supervise
        try:
            # The lock is taken before anything is awaited: whoever adds a root waits until the known ones are kept.
            async with asyncio.TaskGroup() as self._group:
                async with self._changing:
                    await self.planner.prepare(self._watches)
                    for root in await self._catalogue.roots.all():
                        self._keep(root)
                self._group.create_task(supervise("mounts", self.planner.run))
                self._group.create_task(supervise("watcher", self.planner.watcher.run))
                await asyncio.Event().wait()
        finally:
            self.planner.watcher.close()
            await self._end_removals()

    async def _end_removals(self) -> None:
        """Let removals end before the database closes. One that takes longer goes on at the next start."""
        if self._removals:
            _, slow = await asyncio.wait(self._removals, timeout=REMOVAL_SECONDS)
            for removing in slow:
                removing.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    def reconfigure(self, settings: IndexSettings) -> None:
        """Take new settings from now on, and look at everything again under them."""
        self._settings = settings
        self._ingest.settings = settings
        for keeper in self.keepers.values():
            keeper.reconfigure(settings)
            keeper.request()

    def limit_watches(self, watches: int) -> None:
        """Watch at most so many directories from now on; 0 for half of what the system allows."""
        self.planner.limit(watches)
        self._look_at_everything()

    async def known(self) -> list[Root]:
        """Every root that is kept; waits until those of the state are."""
        async with self._changing:
            return [keeper.root for keeper in self.keepers.values()]

    async def add(self, path: str, origin: RootOrigin) -> Root:
        """Keep ``path`` indexed from now on. A root that is there already is returned as it is.

        Raises:
            RootInvalidError: no folder, ``/``, inside another root, or around one.
        """
        async with self._changing:
            resolved = await asyncio.to_thread(resolve, path, may_be_missing=origin is not RootOrigin.ADDED)
            known = self.keepers.get(resolved)
            if known is not None and (origin is RootOrigin.ADDED or known.root.origin is origin):
                return known.root
            self._refuse_overlap(resolved)
            self._refuse_private(resolved)
            root = await self._catalogue.roots.add(resolved, origin)
            if known is not None:
                known.root = root
                return root
            self._keep(root)
            if self.chains is not None:
                self.chains.plan()
            self._events.publish("root_added", path=resolved)
            return root

    async def remove(self, path: str, *, fixed: bool = False) -> int:
        """Forget a root and everything of it. Returns how many documents it had.

        Raises:
            RootNotFoundError: no such root.
            RootFixedError: flag or file name it, and ``fixed`` does not say that they no longer do.
        """
        # Whoever asked may go away in the middle, and must not leave a root that nobody keeps.
        removing = asyncio.create_task(self._remove(path, fixed=fixed))
        self._removals.add(removing)
        removing.add_done_callback(self._removed)
        return await asyncio.shield(removing)

    def _removed(self, removing: asyncio.Task[int]) -> None:
        """Take note of the end, also of an error that nobody waits for any more."""
        self._removals.discard(removing)
        if not removing.cancelled() and (error := removing.exception()) is not None:
            log.debug("removal_failed", error=str(error))

    async def _remove(self, path: str, *, fixed: bool) -> int:
        async with self._changing:
            keeper = self.keepers.get(path) or self.keepers.get(await asyncio.to_thread(os.path.realpath, path))
            if keeper is None:
                raise RootNotFoundError(f"{path} is no root; `agentctl roots` lists them", path=path)
            if keeper.root.origin is not RootOrigin.ADDED and not fixed:
                where = "a --root flag" if keeper.root.origin is RootOrigin.FLAG else "the configuration file"
                raise RootFixedError(f"{path} is named by {where}; take it out there and reload or restart agentd")
            return await self._drop(keeper)

    async def _drop(self, keeper: RootKeeper) -> int:
        root = keeper.root
        del self.keepers[root.path]
        tasks = self._tasks.pop(root.path)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self.planner.drop(root.path)
        try:
            removed = await self._catalogue.roots.remove(root.id)
        except StateUnusableError:  # it could not be begun, so the root stays
            self._keep(root)
            raise
        self._events.publish("root_removed", path=root.path)
        self._progress.give()
        return removed

    def keeper_of(self, path: str) -> RootKeeper:
        """The keeper of the root that holds ``path`` (absolute).

        Raises:
            OutsideRootsError: none does.
        """
        for root, keeper in self.keepers.items():
            if path == root or path.startswith(root + "/"):
                return keeper
        raise OutsideRootsError(
            f"{path} is in no root; `agentctl roots` lists them, `agentctl add DIR` adds one", path=path
        )

    def root_of(self, path: str) -> tuple[int, str]:
        """(id, path) of the root that holds ``path`` (absolute). Raises OutsideRootsError."""
        root = self.keeper_of(path).root
        return root.id, root.path

    async def reindex(self, path: str | None) -> int:
        """Read everything again below ``path`` (None: everywhere), whatever the signatures say."""
        keepers = list(self.keepers.values()) if path is None else [self.keeper_of(path)]
        scheduled = 0
        for keeper in keepers:
            below = WHOLE_ROOT if path is None else relative(path, keeper.root.path)
            scheduled += await self._catalogue.documents.reindex(keeper.root.id, below)
            keeper.request([below])
        self._ingest.wake()
        return scheduled

    async def refresh(self, paths: Iterable[str], within: float) -> bool:
        """Bring these files (absolute) up to date before anything else; True when keyword searches see the result."""
        requests: dict[RootKeeper, set[str]] = {}
        for path in paths:
            with contextlib.suppress(OutsideRootsError):  # its root was removed since the path was found
                keeper = self.keeper_of(path)
                requests.setdefault(keeper, set()).add(relative(path, keeper.root.path))
        targets = [(keeper, keeper.request(below)) for keeper, below in requests.items()]
        try:
            async with asyncio.timeout(within):
                await self._progress.until(lambda: all(keeper.scans >= number for keeper, number in targets))
                await self._ingest.idle.wait()
                generation = self._catalogue.feed.changed.value
                await self._progress.until(lambda: self._keyword.generation >= generation)
        except TimeoutError:
            return False
        return True

    async def settle(self, *, vectors: bool) -> None:
        """Scan every root, then return when all that it found is searchable, with ``vectors`` also by meaning and by
        the graph.
        """
        await self.complete.wait()
        targets = [(keeper, keeper.request()) for keeper in self.keepers.values()]

        def settled() -> bool:
            scanned = all(keeper.scans >= number or keeper.root.path not in self.keepers for keeper, number in targets)
            linked = not vectors or self.linker is None or self.linker.settled
            return scanned and linked and not self.unfinished(vectors=vectors)

        await self._progress.until(settled)

    def unfinished(self, *, vectors: bool = True, graph: bool = False) -> list[str]:
        """Why results may be incomplete, in words; empty when everything on disk is searchable, and with ``graph`` all
        edges between files are known.
        """
        reasons = [] if self.complete.is_set() else ["the daemon is starting"]
        if not all(keeper.settled for keeper in self.keepers.values()):
            reasons.append("folders are still being scanned")
        if not self._ingest.idle.is_set():
            reasons.append("files are still being read")
        elif self._keyword.generation < self._catalogue.feed.changed.value:
            reasons.append("the keyword view is catching up")
        if vectors and self.chains is not None and not self.chains.settled:
            reasons.append("vectors are still being computed")
        if graph and self.linker is not None and self.linker.pending:
            reasons.append(f"graph: {self.linker.pending} files are to be linked")
        return reasons

    def _keep(self, root: Root) -> None:
        settings = self._settings
        coverage = RootCoverage(root.path, self._pool, self.planner, settings.poll_seconds)
        keeper = RootKeeper(
            root, self._pool, self._catalogue, coverage, self._ingest, self._progress, self._events, settings,
            tuple(pattern_of(path, root.path) for path in self._private if path.startswith(root.path + "/")),
            self._git_excludes,
        )  # fmt: skip
        self.keepers[root.path] = keeper
        self.planner.roots[root.path] = coverage
        self._tasks[root.path] = [
            self._start(f"root {root.path}", keeper.run),
            self._start(f"polls of {root.path}", partial(coverage.polls.run, self._hint)),
        ]

    def _start(self, name: str, service: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run a service of a root, without the context of the request that added it: its log lines are not of that."""
        return self._group.create_task(self._supervise(name, service), context=Context())

    def _refuse_overlap(self, path: str) -> None:
        for other in self.keepers:
            if path.startswith(other + "/"):
                raise RootInvalidError(f"{path} lies in the root {other}, which indexes it already")
            if other.startswith(path + "/"):
                raise RootInvalidError(f"{path} holds the root {other}; `agentctl remove {other}` first")

    def _refuse_private(self, path: str) -> None:
        """Each look at the state would change it, for ever."""
        for private in self._private:
            if path == private or path.startswith(private + "/"):
                raise RootInvalidError(f"{path} lies in {private}, where agentd keeps its own files")

    def _look_at_everything(self) -> None:
        for keeper in self.keepers.values():
            keeper.request()

    def _hint(self, paths: Iterable[str]) -> None:
        """What may have changed, on the loop. Rules that changed bear on everything beside them."""
        for path in paths:
            try:
                keeper = self.keeper_of(path)
            except OutsideRootsError:  # of a root that was removed; or a folder above one
                self._hint_below(path)
                continue
            ruled = os.path.dirname(path) if os.path.basename(path) in IGNORE_FILES else path
            keeper.hint(relative(ruled, keeper.root.path))

    def _hint_below(self, folder: str) -> None:
        """A folder was moved, and the roots in it with it."""
        for root, keeper in self.keepers.items():
            if root.startswith(folder + "/"):
                keeper.hint(WHOLE_ROOT)
