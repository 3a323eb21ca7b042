"""The spaces that are in use: a view each, its follower, and its embedder; they come and go while the daemon runs."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from agentd.indexing.embedder import Embedder
from agentd.indexing.followers import Follower

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
    from concurrent.futures import Executor

    from agentd.domain import Space
    from agentd.indexing.members import Member
    from agentd.indexing.signal import Signal
    from agentd.indexing.vectors import VectorIndex
    from agentd.observability.metrics import Metrics
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.embedding_cache import EmbeddingCache
    from agentd.storage.root_spaces import Chain
    from agentd.storage.rows import UnembeddedChunk

    Service = Callable[[], Awaitable[None]]
    Supervise = Callable[[str, Service], Coroutine[None, None, None]]

log = structlog.get_logger(__name__)


class Shelf(Protocol):
    """Where the views are."""

    async def open(self, space: Space) -> VectorIndex:
        """The vectors of a space; made, empty, where there are none. Raises StateUnusableError."""

    async def discard(self, kept: Collection[str]) -> None:
        """Remove the views of all spaces but those ``kept``, by their keys; what cannot go is left to the next time."""


class SpaceService(NamedTuple):
    """All that keeps one space."""

    member: Member
    vectors: VectorIndex
    follower: Follower[Sequence[tuple[int, int]] | None]
    embedder: Embedder


class Spaces:
    """``running`` are the spaces by key, ``chains`` the spaces of each root by its id, as the database has them."""

    def __init__(
        self,
        shelf: Shelf,
        catalogue: Catalogue,
        cache: EmbeddingCache,
        thread: Executor,
        progress: Signal,
        gate: asyncio.Event,
        metrics: Metrics,
    ) -> None:
        self.running: dict[str, SpaceService] = {}
        self.chains: Mapping[int, Chain] = {}
        self._shelf = shelf
        self._catalogue = catalogue
        self._cache = cache
        self._thread = thread
        self._progress = progress
        self._gate = gate
        self._metrics = metrics
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._start: Callable[[SpaceService], list[asyncio.Task[None]]] | None = None
        self._discarded = False

    def begin(self, group: asyncio.TaskGroup, supervise: Supervise) -> None:
        """Start the services of those there are, and from now on of those that come."""

        def start(service: SpaceService) -> list[asyncio.Task[None]]:
            name = service.member.name
            services = {f"vector view of {name}": service.follower.run, f"embedder of {name}": service.embedder.run}
            return [group.create_task(supervise(*each), context=Context()) for each in services.items()]

        self._start = start
        self._tasks = {key: start(service) for key, service in self.running.items()}

    async def keep(self, members: Collection[Member]) -> None:
        """Keep the spaces of these members, and give up all others."""
        wanted = {member.space.key: member for member in members if member.space is not None}
        given_up = [key for key, running in self.running.items() if wanted.get(key) is not running.member]
        for key in given_up:
            await self._give_up(key)
        for key, member in wanted.items():
            if key not in self.running and member.space is not None:
                await self._add(member, member.space)
        if given_up or not self._discarded:
            await self._shelf.discard(wanted)
            self._discarded = True

    async def _add(self, member: Member, space: Space) -> None:
        vectors = await self._shelf.open(space)
        follower = Follower(
            vectors, self._catalogue.feed, vectors.read, self._progress, self._thread, name="vector",
            metrics=self._metrics,
        )  # fmt: skip

        async def relieve(rows: Sequence[UnembeddedChunk]) -> None:
            await self._relieve(space.key, rows)

        embedder = Embedder(member, self._catalogue, self._cache, vectors, self._progress, self._gate, relieve)
        follower.on_rebuilt = embedder.reconcile
        service = self.running[space.key] = SpaceService(member, vectors, follower, embedder)
        if self._start is not None:
            self._tasks[space.key] = self._start(service)
        log.info("space_kept", model=member.name, space=space.key, vectors=vectors.view.count)

    async def _give_up(self, key: str) -> None:
        """Its vectors stay cached until room is needed, so that a model that comes back embeds nothing again."""
        del self.running[key]
        tasks = self._tasks.pop(key, [])
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        log.info("space_given_up", space=key)

    async def _relieve(self, key: str, rows: Sequence[UnembeddedChunk]) -> None:
        """Take chunks that have a vector in one space out of those that stood in for it."""
        for other, service in list(self.running.items()):
            if other != key and service.vectors.view.count:
                await service.vectors.remove([row.chunk_id for row in rows if self._follows(other, key, row.root_id)])

    def _follows(self, space: str, first: str, root_id: int) -> bool:
        """Whether ``space`` comes after ``first`` in the chain of a root."""
        order = [stage.space for stage in self.chains.get(root_id, ())]
        return first in order and space in order[order.index(first) + 1 :]
