"""The chains of embedding models: which space the chunks of each root want, as models go and come back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agentd.errors import AgentdError
from agentd.indexing.calibration import Scale, calibrate
from agentd.providers.contracts import Outgoing
from agentd.storage.root_spaces import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from agentd.indexing.members import Member
    from agentd.indexing.signal import Signal
    from agentd.indexing.spaces import Spaces, Supervise
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.root_spaces import Chain

log = structlog.get_logger(__name__)

FIRST_LOOK_SECONDS = 5.0
"""The longest that the first plan waits for models that were never tried: most answer sooner, and then nothing is
embedded twice."""


class Chains:
    """``chain_of`` names the models that a root (an absolute path) may use, best first."""

    def __init__(
        self,
        catalogue: Catalogue,
        members: Mapping[str, Member],
        spaces: Spaces,
        chain_of: Callable[[str], tuple[str, ...]],
        progress: Signal,
    ) -> None:
        self.members = members
        self.spaces = spaces
        self.scales: dict[str, Scale] = {}
        """How cosines of the spaces of servers are mapped, by key."""
        self._catalogue = catalogue
        self._chain_of = chain_of
        self._progress = progress
        self._asked = asyncio.Event()
        self._asked.set()
        self._planned = False
        self._applied: dict[int, Chain] | None = None
        for member in members.values():
            member.changed = self.plan

    def plan(self) -> None:
        """Look at the chains of all roots again: a root, a model or the configuration is another one."""
        self._planned = False
        self._asked.set()

    def adopt(self) -> None:
        """The configuration is another one: who was refused by it may be allowed now."""
        self.plan()
        for member in self.members.values():
            member.look_again()

    async def open(self) -> None:
        """Open the views of all spaces that are known, so that searches see them from the start."""
        self.spaces.chains = await self._catalogue.spaces.all()
        self.scales = {key: Scale(*line) for key, line in (await self._catalogue.spaces.scales()).items()}
        await self.spaces.keep(self.members.values())

    async def run(self, supervise: Supervise) -> None:
        """Keep every space, and plan whenever something changed; ends by cancellation alone."""
        async with asyncio.TaskGroup() as group:
            self.spaces.begin(group, supervise)
            for member in self.members.values():
                group.create_task(supervise(f"model {member.name}", member.watch))
            await supervise("embedding chains", self._run)

    async def _run(self) -> None:
        await self._first_looks()
        self.plan()
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._apply()
            await self._calibrate()
            self._planned = not self._asked.is_set()
            self._progress.give()

    async def _first_looks(self) -> None:
        """Wait for models of which nothing is known."""
        unknown = [member.looked for member in self.members.values() if member.space is None]
        try:
            async with asyncio.timeout(FIRST_LOOK_SECONDS):
                for looked in unknown:
                    await looked.wait()
        except TimeoutError:
            log.info("models_slow", waited_seconds=FIRST_LOOK_SECONDS)

    async def _apply(self) -> None:
        await self.spaces.keep(self.members.values())
        roots = await self._catalogue.roots.all()
        wanted = {root.id: chain(self.members[name] for name in self._chain_of(root.path)) for root in roots}
        if wanted == self._applied:
            return
        self.spaces.chains = wanted
        for key in await self._catalogue.spaces.set(wanted):
            if key in self.spaces.running:
                self.spaces.running[key].embedder.reconcile()
        self._applied = wanted
        log.info("embedding_planned", roots=len(wanted), spaces=len(self.spaces.running))

    async def _calibrate(self) -> None:
        """Learn the scales of new spaces, on behalf of the roots that use them."""
        paths = {root.id: root.path for root in await self._catalogue.roots.all()}
        for key, service in list(self.spaces.running.items()):
            using = [paths[root] for root, stages in self.spaces.chains.items() if root in paths and holds(stages, key)]
            if key in self.scales or not using or not service.member.on_server or not service.member.usable.is_set():
                continue
            try:
                scale = await calibrate(service.member.model, Outgoing("embeddings", frozenset(using)))
            except AgentdError as error:
                log.info("not_calibrated", space=key, error=error.message)
                continue
            if service.member.space == service.vectors.space:
                self.scales[key] = scale
                await self._catalogue.spaces.keep_scale(key, *scale)

    @property
    def settled(self) -> bool:
        """Every chunk has its vector of the first model that can be had now."""
        usable = [service for service in self.spaces.running.values() if service.member.usable.is_set()]
        return self._planned and all(service.embedder.settled for service in usable)

    def findings(self) -> Iterator[tuple[str, str]]:
        """(kind, sentence) for every model that cannot be had, and what takes its place."""
        for member in self.members.values():
            if not member.usable.is_set() and member.looked.is_set():
                yield "model_away", f"{member.name}: {member.standing()}{self._stand_ins(member)}"

    def _stand_ins(self, away: Member) -> str:
        """How many passages have a vector of another model as long as this one is away."""
        names = list(self.members)
        later = names[names.index(away.name) + 1 :]
        counts = {
            service.member.name: service.vectors.view.count
            for service in self.spaces.running.values()
            if service.member.name in later and service.vectors.view.count
        }
        return "".join(f"; {count:,} passages use {name} meanwhile" for name, count in counts.items())

    def counted(self, queued: Mapping[str, int], embeddable: int) -> tuple[int, int]:
        """(chunks with a vector, chunks without) of a root, from its chunks queued by open space. The last open stage
        is that of the model that can be had: what waits there has none.
        """
        if not queued:
            return 0, 0
        waiting = list(queued.values())[-1]
        return embeddable - waiting, waiting


def holds(stages: Chain, key: str) -> bool:
    """Whether a space is in a chain."""
    return any(stage.space == key for stage in stages)


def chain(members: Iterable[Member]) -> Chain:
    """The stages of a root. One whose space nobody has seen yet has none: as if all chunks were queued there."""
    stages: list[Stage] = []
    found = False
    for member in members:
        if member.space is None or member.space.key in {stage.space for stage in stages}:
            continue
        stages.append(Stage(member.space.key, open=not found, lost=not found and member.lost))
        found = found or member.usable.is_set()
    return tuple(stages)
