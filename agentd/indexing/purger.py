"""After a root was removed: what holds its text still, in unused space, is written anew (see ``storage.purge``)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agentd.errors import StateUnusableError
from agentd.storage.set_aside import forget_every_copy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from agentd.indexing.followers import Follower
    from agentd.indexing.signal import Signal
    from agentd.storage.purge import Purge
    from agentd.storage.rows import ViewRow

log = structlog.get_logger(__name__)

RETRY_SECONDS = 300.0
"""After a try that the disk had no room for."""


class Purger:
    """The service: waits for a removal, then for the rest of the index to be at rest, and purges. ``others`` does the
    same for what is kept beside the index; a crash has all of it done again.
    """

    def __init__(
        self,
        purge: Purge,
        keyword: Follower[Sequence[ViewRow]],
        progress: Signal,
        at_rest: asyncio.Event,
        state_directory: Path,
        others: Callable[[], Awaitable[object]],
    ) -> None:
        self._purge = purge
        self._keyword = keyword
        self._progress = progress
        self._at_rest = at_rest
        self._state_directory = state_directory
        self._others = others

    async def run(self) -> None:
        """Purge after each removal; ends by cancellation alone."""
        while True:
            await self._purge.asked.wait()
            await self._at_rest.wait()
            try:
                await self.once()
            except StateUnusableError as error:
                log.warning("purge_put_off", error=error.message, seconds=RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def once(self) -> None:
        """Purge now. Searches go on; what is written to the index waits while the file is copied.

        Raises:
            StateUnusableError: it cannot be written anew.
        """
        generation = await self._purge.feed_all()
        await self._progress.until(lambda: self._keyword.generation >= generation)
        await asyncio.to_thread(forget_every_copy, self._state_directory)
        await self._others()
        await self._purge.rewrite()
        log.info("purged")
