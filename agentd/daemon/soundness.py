"""Whether what is stored can be trusted: damage is mended while the rest serves, and said until it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agentd.daemon.checkup import Checkup
from agentd.daemon.stores import ANSWERS_NAME, RUNS_NAME, VECTORS_NAME
from agentd.daemon.web import CACHE_NAME
from agentd.storage.set_aside import KEPT_DAYS, copies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agentd.daemon.stores import Stores
    from agentd.daemon.web import DaemonWeb
    from agentd.indexing.followers import Follower
    from agentd.indexing.index import Index
    from agentd.indexing.signal import Signal
    from agentd.storage.rows import ViewRow

log = structlog.get_logger(__name__)

KEYWORD_LOST = "the keyword view was damaged and is filled again; search by words is incomplete until then: {}"
VECTORS_LOST = "the vector view was damaged and is filled again; search by meaning is incomplete until then: {}"
INDEX_LOST = "index.db was damaged and is built again from the files; answers are incomplete until then: {}"
UPGRADING = (
    "the index of an older agentd (version {}) is being upgraded: files are read again, and until then answers lack "
    "what it did not know"
)

RENEWED = {
    ANSWERS_NAME: "begun anew, without the answers that were kept in it",
    RUNS_NAME: "begun anew, without the runs that were kept in it",
    CACHE_NAME: "begun anew",
}
"""What became of files that cannot be built again."""


class Soundness:
    """Brings together those who find damage and those who mend it, and tells of it."""

    def __init__(
        self,
        stores: Stores,
        keyword: Follower[Sequence[ViewRow]],
        index: Index,
        web: DaemonWeb,
        progress: Signal,
        interval: float,
    ) -> None:
        self.checkup = Checkup(stores, keyword, index, web, interval)
        self._database = stores.catalogue.database
        self._keyword = keyword
        self._index = index
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        stores.keyword.on_damage = self._mend_keyword

    def _mend_keyword(self, reason: str) -> None:
        """Called in the thread of a search."""
        self._loop.call_soon_threadsafe(self._keyword.mend, reason)

    async def run(self) -> None:
        """The service."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._finish())
            await self.checkup.run()

    async def _finish(self) -> None:
        """Note when all has been read that a new or an older index lacked."""
        before = self._database.upgraded_from
        if before:
            log.info("upgrading", version_before=before)
        await self._progress.until(lambda: not self._index.unfinished())
        self._database.renewed = ""
        await self._database.finish_upgrade()
        if before:
            log.info("upgraded", version_before=before)

    def findings(self) -> Iterator[tuple[str, str]]:
        """(kind, sentence) for everything that is being made up for."""
        if self._database.renewed:
            yield "rebuilding", INDEX_LOST.format(self._database.renewed)
        if self._database.upgraded_from:
            yield "upgrading", UPGRADING.format(self._database.upgraded_from)
        if self._keyword.renewed:
            yield "rebuilding", KEYWORD_LOST.format(self._keyword.renewed)
        for service in self._index.chains.spaces.running.values() if self._index.chains else ():
            if service.follower.renewed:
                yield "rebuilding", VECTORS_LOST.format(service.follower.renewed)


def notices(state: Path) -> list[str]:
    """Of each copy that was set aside, what a person may want to know."""
    return [
        f"{copy.name} was found damaged at {copy.at:%Y-%m-%d %H:%M} UTC and was "
        f"{RENEWED.get(copy.name, 'built again')}; the damaged one is kept for {KEPT_DAYS} days as {copy.path}"
        for directory in (state, state / VECTORS_NAME)
        for copy in copies(directory)
    ]
