"""One root: hints and timers decide when it is scanned; each scan makes its documents equal to its files."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import structlog

from agentd.compute.pool import Priority
from agentd.indexing.coalescer import WHOLE_ROOT, Coalescer
from agentd.indexing.patience import stream_patiently
from agentd.indexing.places import pattern_of
from agentd.indexing.signal import Signal
from agentd.indexing.watch_plan import FolderFacts
from agentd.kernels.messages import WalkRequest
from agentd.kernels.registry import WALK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentd.compute.pool import Pool
    from agentd.config.settings import IndexSettings
    from agentd.domain import Root
    from agentd.indexing.coverage import RootCoverage
    from agentd.indexing.events import Events
    from agentd.indexing.ingest import Ingest
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.scans import Scan

log = structlog.get_logger(__name__)

MISSING_POLL_SECONDS = 1.0
"""A root that is gone has no directory left to watch: look for it once a second."""
RESCAN_SHARE = 1000
"""A periodic scan may take one part in this many of the time: it finds what no event told, which is hardly ever."""
LONGEST_RESCAN_SECONDS = 3600.0
"""However large a root is, it is scanned once an hour."""
MAX_ARM_ROUNDS = 8
"""Directories that appear while others are being armed need another round; a tree that never settles is left to the
next hint and to the periodic scan."""


class RootKeeper:
    """Owns the scans of one root: one at a time, requested by anyone, done by the bulk lane."""

    def __init__(
        self,
        root: Root,
        pool: Pool,
        catalogue: Catalogue,
        coverage: RootCoverage,
        ingest: Ingest,
        progress: Signal,
        events: Events,
        settings: IndexSettings,
        private: tuple[str, ...],
        git_excludes: str,
    ) -> None:
        self.root = root
        self.coverage = coverage
        self.missing = False
        self.scanning = False
        self.scanned_at: float | None = None
        self.scans = 0
        self.left_out = 0
        """Files beyond ``index.max_files_per_root``, as the last scans of all of the root and of its parts saw them."""
        self._pool = pool
        self._catalogue = catalogue
        self._ingest = ingest
        self._progress = progress
        self._events = events
        self._settings = settings
        self._private = private
        self._git_excludes = git_excludes
        self._due = Coalescer(settings.quiet_milliseconds / 1000)
        self._hinted = Signal()
        self._requested: set[str] = {WHOLE_ROOT}
        self._started = 0
        self._whole_at = time.monotonic()  # when all of the root was last looked at
        self._scan_seconds = 0.0  # what a scan of the whole root takes that finds nothing

    @property
    def settled(self) -> bool:
        """Nothing is being scanned, and nothing waits to be."""
        return not self.scanning and not self._requested and not len(self._due)

    @property
    def rescan_seconds(self) -> float:
        """The time between two periodic scans; longer than the setting where the root is large."""
        setting = self._settings.rescan_seconds
        return max(setting, min(RESCAN_SHARE * self._scan_seconds, LONGEST_RESCAN_SECONDS))

    def reconfigure(self, settings: IndexSettings) -> None:
        """Take new settings from the next scan on."""
        self._settings = settings
        self._due.quiet = settings.quiet_milliseconds / 1000
        self.coverage.polls.reconfigure(settings.poll_seconds)

    def hint(self, path: str) -> None:
        """``path`` (relative) may have changed; it is scanned once it has been quiet for a moment."""
        self._due.hint(path, time.monotonic())
        self._hinted.give()

    def request(self, paths: Iterable[str] = (WHOLE_ROOT,)) -> int:
        """Scan ``paths`` as soon as the scan that runs is done. Returns the number that ``scans`` reaches then."""
        self._requested.update(paths)
        self._hinted.give()
        return self._started + 1

    async def run(self) -> None:
        """The service of this root."""
        while True:
            paths = await self._next_paths()
            try:
                await self._scan_and_watch(paths)
            except BaseException:
                # Whoever starts this service again finds the work still asked for.
                self._requested.update(paths)
                raise
            finally:
                self.scanning = False

    async def _next_paths(self) -> set[str]:
        """Wait until a scan is asked for or due by hint, timer or the return of a missing root."""
        while True:
            if self.missing:
                await self._until_back()
            now = time.monotonic()
            rescan_at = self._whole_at + self.rescan_seconds
            paths = self._requested | self._due.take_due(now)
            if now >= rescan_at:
                paths.add(WHOLE_ROOT)
            if paths:
                self._requested = set()
                self.scanning = True
                return {WHOLE_ROOT} if WHOLE_ROOT in paths else paths
            await self._hinted.wait(min(rescan_at, self._due.next_due() or rescan_at) - now)

    async def _until_back(self) -> None:
        while not self._requested and not await asyncio.to_thread(os.path.isdir, self.root.path):
            await self._hinted.wait(MISSING_POLL_SECONDS)
        self._requested.add(WHOLE_ROOT)

    async def _scan_and_watch(self, paths: set[str]) -> None:
        """Scan; directories that were not followed before are followed and then scanned again, because what changed in
        them between the scan and the arming was seen by neither.
        """
        self._started += 1
        for _ in range(MAX_ARM_ROUNDS):
            directories = await self._scan(paths)
            if self.missing:
                await self.coverage.forget()
                break
            paths = await self.coverage.cover(directories, whole=WHOLE_ROOT in paths)
            if not paths:
                break
            paths = {WHOLE_ROOT} if WHOLE_ROOT in paths else paths
        self.scanning = False
        # Not one more than before: scans that failed were begun too, and whoever waits counts those that were begun.
        self.scans = self._started
        self._progress.give()

    async def _scan(self, paths: set[str]) -> list[str]:
        """Make the documents below ``paths`` equal to the files. Returns the directories that were entered."""
        began = time.monotonic()
        scan = await self._catalogue.scans.begin(self.root.id, tuple(sorted(paths)), self._settings.max_files_per_root)
        try:
            directories = await self._walk(scan, paths)
            result = await self._catalogue.scans.finish(scan)
        except BaseException:
            self._catalogue.scans.abort(scan)
            raise
        self.scanned_at = time.time()
        self.left_out = result.left_out if WHOLE_ROOT in paths else max(self.left_out, result.left_out)
        if result.new or result.changed or result.removed:
            self._events.publish(
                "scanned", path=self.root.path, new=result.new, changed=result.changed, removed=result.removed
            )
        found = result.new or result.changed or result.removed or self.missing
        if WHOLE_ROOT in paths:
            self._whole_at = time.monotonic()
            self._scan_seconds = self._scan_seconds if found else self._whole_at - began
        note = log.info if found and WHOLE_ROOT in paths else log.debug
        note(
            "root_scanned",
            root=self.root.path,
            whole=WHOLE_ROOT in paths,
            new=result.new,
            changed=result.changed,
            removed=result.removed,
            missing=self.missing,
            milliseconds=round((time.monotonic() - began) * 1000, 1),
        )
        return directories

    async def _walk(self, scan: Scan, paths: set[str]) -> list[str]:
        request = self.walk_request(tuple(sorted(paths)))
        directories: list[str] = []
        facts = FolderFacts()
        async for page in stream_patiently(self._pool, WALK, request, Priority.WALK):
            known = scan.new + scan.changed
            await self._catalogue.scans.page(scan, page)
            if scan.new + scan.changed > known:
                # Now, not at the end: parsing starts while the walk goes on, and goes on where the walk fails.
                self._ingest.wake()
            directories += page.directories
            facts.add(page.entries)
        self.missing = scan.root_missing
        await self.coverage.note(paths, directories, facts)
        return directories

    def walk_request(self, paths: tuple[str, ...]) -> WalkRequest:
        """What has ``paths`` (relative) listed as every scan does."""
        return WalkRequest(
            root=self.root.path,
            paths=paths,
            max_file_bytes=self._settings.max_file_bytes,
            exclude=self._settings.exclude + self._left_out(),
            global_excludes=self._git_excludes,
            index_secrets=self._settings.index_secrets,
        )

    def _left_out(self) -> tuple[str, ...]:
        """Patterns of what is agentd's own, and of what the kernel makes up while it is read."""
        root = self.root.path
        return self._private + tuple(pattern_of(place, root) for place in self.coverage.left_out)
