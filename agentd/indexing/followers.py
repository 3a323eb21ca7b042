"""Views that follow the feed of changes: read what changed since their generation, apply it, commit, wait for more."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from concurrent.futures import Executor

    from agentd.indexing.signal import Signal
    from agentd.storage.feed import Feed

Row = TypeVar("Row")
Row_contra = TypeVar("Row_contra", contravariant=True)

FEED_PAGE = 256
"""Documents taken from the feed at a time."""
APPLY_DOCUMENTS = 16
"""Documents whose text is held at a time: at the size limit of a file this is 32 MiB."""
COMMIT_SECONDS = 0.5
"""Under load, how often what was applied becomes searchable. A commit costs 8 to 16 ms, so it is not done each time."""


class View(Protocol[Row_contra]):
    """What a follower needs of a view. ``apply`` and ``commit`` run in the view's own thread."""

    @property
    def generation(self) -> int:
        """The last committed position in the feed."""

    def apply(self, document_ids: Sequence[int], rows: Sequence[Row_contra], /) -> None:
        """Replace everything that the view holds of these documents by ``rows``."""

    def commit(self, generation: int, /) -> None:
        """Make all that was applied searchable, and durable where the view is."""


class Follower(Generic[Row]):
    """Keeps one view at the head of the feed."""

    def __init__(
        self,
        name: str,
        view: View[Row],
        feed: Feed,
        read: Callable[[Sequence[int]], Awaitable[Sequence[Row]]],
        progress: Signal,
        thread: Executor,
    ) -> None:
        self.name = name
        self._progress = progress
        self._view = view
        self._feed = feed
        self._read = read
        self._thread = thread
        self._position = view.generation

    @property
    def generation(self) -> int:
        """The last generation that searches of this view see."""
        return self._view.generation

    async def run(self) -> None:
        """The service."""
        self._position = self._view.generation
        while True:
            await self._feed.changed.wait(self._position)
            await self._catch_up()

    async def _catch_up(self) -> None:
        committed_at = time.monotonic()
        while changes := await self._feed.changes(self._position, FEED_PAGE):
            await self._apply(list(dict.fromkeys(document_id for _, document_id in changes)))
            self._position = changes[-1][0]
            if time.monotonic() - committed_at > COMMIT_SECONDS:
                await self._commit()
                committed_at = time.monotonic()
        await self._commit()

    async def _apply(self, document_ids: list[int]) -> None:
        for start in range(0, len(document_ids), APPLY_DOCUMENTS):
            some = document_ids[start : start + APPLY_DOCUMENTS]
            rows = await self._read(some)
            await self._in_thread(self._view.apply, some, rows)

    async def _commit(self) -> None:
        if self._position != self._view.generation:
            await self._in_thread(self._view.commit, self._position)
            self._progress.give()

    async def _in_thread(self, call: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
