"""Views that follow the feed of changes: read what changed since their generation, apply it, commit, wait for more."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from agentd.errors import StateDamagedError
from agentd.indexing.beginning_anew import BeginningAnew
from agentd.indexing.progress import Trail
from agentd.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from concurrent.futures import Executor

    from agentd.indexing.signal import Signal
    from agentd.storage.feed import Feed

Rows = TypeVar("Rows")
Rows_contra = TypeVar("Rows_contra", contravariant=True)

PAGE_DOCUMENTS = 512
PAGE_CHUNKS = 1000
"""What is taken from the feed at a time: about 1 MB of text, or one document where that has more."""
FIRST_COMMIT_SECONDS = 0.5
LAST_COMMIT_SECONDS = 4.0
"""Under load, how often what was applied becomes searchable: soon at first, then ever less often."""


class View(Protocol[Rows_contra]):
    """What a follower needs of a view. ``apply``, ``commit`` and ``rebuild`` run in the view's own thread."""

    renewed: str
    """Why the view began anew, empty, because it was damaged; cleared once it is filled."""

    @property
    def generation(self) -> int:
        """The last committed position in the feed."""

    def apply(self, document_ids: Sequence[int], rows: Rows_contra, /) -> None:
        """Replace everything that the view holds of these documents by ``rows``."""

    def commit(self, generation: int, /) -> None:
        """Make all that was applied searchable, and durable where the view is."""

    def rebuild(self, reason: str, /) -> None:
        """Begin anew, empty, at generation 0; the damaged files are set aside."""


class Follower(Generic[Rows]):
    """Keeps one view at the head of the feed."""

    def __init__(
        self,
        view: View[Rows],
        feed: Feed,
        read: Callable[[Sequence[int]], Awaitable[Rows]],
        progress: Signal,
        thread: Executor,
        more_coming: Callable[[], bool] = lambda: False,
        *,
        name: str = "view",
        metrics: Metrics | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        self._apply_took = metrics.histogram("index_stage_ms", stage=f"{name}_apply")
        self._commit_took = metrics.histogram("index_stage_ms", stage=f"{name}_commit")
        self._trail = Trail(time.monotonic)
        self._progress = progress
        self._view = view
        self._feed = feed
        self._read = read
        self._more_coming = more_coming
        self._thread = thread
        self._position = view.generation
        self._anew = BeginningAnew()
        self._damage = ""
        self.on_rebuilt: Callable[[], None] = lambda: None
        """Called when the view was begun anew: what was added beside the feed is to be added again."""

    @property
    def renewed(self) -> str:
        """Why the view is being filled anew: it was damaged; ``""`` otherwise."""
        return self._damage or self._view.renewed

    @property
    def generation(self) -> int:
        """The last generation that searches of this view see."""
        return self._view.generation

    @property
    def behind_seconds(self) -> float:
        """For how long, at least, the oldest change that searches do not see is there; 0.0 where there is none."""
        return self._trail.age(self.generation)

    def mend(self, reason: str) -> None:
        """The view is damaged: have it set aside and filled anew."""
        if not self._damage:
            self._damage = reason
            self._anew.ask()

    async def run(self) -> None:
        """The service. After damage was met it fails, and begins, when it is started again, by mending it."""
        await self._anew.run(self._follow)

    async def _follow(self) -> None:
        if self._damage:
            await self._in_thread(self._view.rebuild, self._damage)
            self._damage = ""
            self.on_rebuilt()
        try:
            await self._keep_up()
        except StateDamagedError as error:
            self._damage = error.message
            raise

    async def _keep_up(self) -> None:
        self._position = self._view.generation
        while True:
            await self._feed.changed.wait(self._position)
            await self._catch_up()
            self._view.renewed = ""

    async def _catch_up(self) -> None:
        """Apply all changes, and commit once they cease. While more are on the way commits grow farther apart, so that
        the first indexing of a large root is not spent on commits and on merging what they leave.
        """
        pause = FIRST_COMMIT_SECONDS
        committed_at = time.monotonic()
        while True:
            self._trail.note(self._feed.changed.value)
            changes = await self._feed.changes(self._position, PAGE_DOCUMENTS, PAGE_CHUNKS)
            if changes:
                await self._apply([document_id for _, document_id in changes])
                self._position = changes[-1][0]
            elif self._more_coming():
                await self._progress.wait(pause)
            else:
                break
            if time.monotonic() - committed_at > pause:
                await self._commit()
                committed_at = time.monotonic()
                pause = min(2 * pause, LAST_COMMIT_SECONDS)
        await self._commit()

    async def _apply(self, document_ids: list[int]) -> None:
        rows = await self._read(document_ids)
        with self._apply_took.time():
            await self._in_thread(self._view.apply, document_ids, rows)

    async def _commit(self) -> None:
        if self._position != self._view.generation:
            with self._commit_took.time():
                await self._in_thread(self._view.commit, self._position)
            self._trail.forget(self._position)
            self._progress.give()

    async def _in_thread(self, call: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
