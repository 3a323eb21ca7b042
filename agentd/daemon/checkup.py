"""Damage that nobody has met yet: once a day all files of the state are read and compared with their checksums."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from agentd.daemon.stores import VECTORS_NAME
from agentd.errors import StateDamagedError
from agentd.storage.set_aside import forget_old_copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.daemon.stores import Stores
    from agentd.daemon.web import DaemonWeb
    from agentd.indexing.followers import Follower
    from agentd.indexing.index import Index
    from agentd.storage.rows import ViewRow

log = structlog.get_logger(__name__)

FIRST_SECONDS = 300.0
"""Not at the start, when everything else wants the disk, and before a day of short runs is over."""
SUSPECT_SECONDS = 60.0
"""A statement that fails without reason has the check brought forward, at most this often."""


class Checkup:
    """Finds damage and has it mended: by the followers of the views, by the other databases themselves, and for
    ``index.db`` by whoever waits for ``Database.damage``.
    """

    def __init__(
        self,
        stores: Stores,
        keyword: Follower[Sequence[ViewRow]],
        index: Index,
        web: DaemonWeb,
        interval: float,
    ) -> None:
        self.interval = interval
        self.runs = 0
        self._stores = stores
        self._keyword = keyword
        self._index = index
        self._web = web

    async def run(self) -> None:
        """The service. Times are those of a clock that nobody sets."""
        await self._wait(min(FIRST_SECONDS, self.interval))
        while True:
            await self.once()
            await self._wait(self.interval)

    async def _wait(self, seconds: float) -> None:
        suspect = self._stores.catalogue.database.suspect
        try:
            async with asyncio.timeout(seconds):
                await asyncio.sleep(min(SUSPECT_SECONDS, seconds))
                await suspect.wait()
        except TimeoutError:
            return
        suspect.clear()

    async def once(self) -> None:
        """Look at everything, now."""
        began = time.monotonic()
        state = self._stores.catalogue.database.path.parent
        await asyncio.to_thread(forget_old_copies, state, datetime.now(UTC))
        await asyncio.to_thread(forget_old_copies, state / VECTORS_NAME, datetime.now(UTC))
        await self._stores.cache.check()
        await self._stores.answers.check()
        await self._stores.runs.check()
        await self._web.check()
        await self._check_views()
        try:
            await self._stores.catalogue.database.check()
        except StateDamagedError as error:
            log.error("index_damaged", error=error.message)
        self.runs += 1
        log.info("checked", milliseconds=round((time.monotonic() - began) * 1000))

    async def _check_views(self) -> None:
        if damage := await asyncio.to_thread(self._stores.keyword.check):
            self._keyword.mend(damage)
        elif await self._lost_rows():
            self._keyword.mend("rows are missing")
        for service in list(self._index.chains.spaces.running.values()) if self._index.chains else ():
            if damage := await service.vectors.check():
                service.follower.mend(damage)

    async def _lost_rows(self) -> bool:
        """Whether the keyword view has another number of rows than it must have where it is; what names its segments
        carries no checksum.
        """
        catalogue, view = self._stores.catalogue, self._stores.keyword
        before = view.generation
        chunks = sum(root.chunks for root in await catalogue.roots.progress())
        still = before == view.generation == catalogue.feed.changed.value
        return still and view.count() != chunks
