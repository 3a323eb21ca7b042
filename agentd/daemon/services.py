"""What the server's handlers call, put together from retrieval and indexing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import msgspec

from agentd.daemon.queries import search_query
from agentd.daemon.scope import root_ids
from agentd.domain import Filter, RootOrigin
from agentd.errors import RootNotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from agentd.config.settings import SearchSettings
    from agentd.daemon.agents import DaemonAgents
    from agentd.daemon.answers import DaemonAnswers
    from agentd.daemon.graph import DaemonGraph
    from agentd.daemon.metrics.exporter import Exporter
    from agentd.daemon.status import StatusReporter
    from agentd.indexing.events import Events
    from agentd.indexing.index import Index
    from agentd.indexing.inspection import Inspector
    from agentd.protocol import FileList, IndexStatus, InspectedFile, RootInfo, SearchResult, Span
    from agentd.retrieval.files import FileReader
    from agentd.retrieval.multi import MultiSearcher
    from agentd.server.params import InspectParams, ListFilesParams, MultiSearchParams, SearchParams, SelectionParams
    from agentd.server.stats import ServerStats

PROGRESS_SECONDS = 0.2
"""A wait reports progress at most this often."""


class DaemonServices:
    """Satisfies ``agentd.server.services.Services``."""

    def __init__(
        self,
        index: Index,
        searches: MultiSearcher,
        reader: FileReader,
        status: StatusReporter,
        events: Events,
        settings: SearchSettings,
        graph: DaemonGraph,
        exporter: Exporter,
        answers: DaemonAnswers,
        inspector: Inspector,
    ) -> None:
        self.settings = settings
        self.graph = graph
        self.answers = answers
        self.agents: DaemonAgents  # set where both are made: their tools call these methods
        self.check_state: Callable[[], Awaitable[None]] = nothing_to_check
        """Raises StateUnusableError where what was kept is lost: awaited before anything kept is acknowledged."""
        self._index = index
        self._searches = searches
        self._reader = reader
        self._status = status
        self._events = events
        self._exporter = exporter
        self._inspector = inspector

    async def search(self, params: SearchParams, deadline: float | None) -> SearchResult:
        """Search."""
        return await self._answer([params.query], params, deadline)

    async def multi_search(self, params: MultiSearchParams, deadline: float | None) -> SearchResult:
        """Search for several queries at once."""
        return await self._answer(params.queries, params, deadline)

    async def _answer(self, texts: Sequence[str], params: SelectionParams, deadline: float | None) -> SearchResult:
        within = None if deadline is None else deadline - asyncio.get_running_loop().time()
        only = self._filter(params)
        queries = [search_query(text, params, only, self.settings, within) for text in texts]
        return cast("SearchResult", msgspec.to_builtins(await self._searches.search(queries)))

    async def read_span(self, path: str, start_line: int, end_line: int | None, *, masked: bool = False) -> Span:
        """Read lines as they are on disk now."""
        return await self._reader.read_span(path, start_line, end_line, masked=masked)

    async def list_files(self, params: ListFilesParams) -> FileList:
        """List what the index knows."""
        return await self._reader.list_files(
            self._filter(params), skipped=params.skipped, after=params.after, limit=params.limit
        )

    async def add_root(self, path: str) -> RootInfo:
        """Add a root."""
        root = await self._index.add(path, RootOrigin.ADDED)
        await self.check_state()
        roots = await self._status.roots()
        if root.path not in roots:
            raise RootNotFoundError(f"{path} was removed again meanwhile")
        return roots[root.path]

    async def remove_root(self, path: str) -> Mapping[str, object]:
        """Remove a root."""
        documents = await self._index.remove(path)
        await self.answers.records.forget_removed()
        await self.agents.forget_removed()
        await self.check_state()
        return {"removed": path, "documents": documents}

    async def purge_removed(self) -> None:
        """Leave no byte of removed roots in what is kept of answers and runs. Raises StateUnusableError: no room for a
        copy.
        """
        await self.answers.records.purge_removed()
        await self.agents.purge_removed()

    async def roots(self) -> Sequence[RootInfo]:
        """List the roots."""
        return list((await self._status.roots()).values())

    async def index_status(self) -> IndexStatus:
        """Say how far the index is."""
        return await self._status.index()

    async def index_wait(self, goal: str, progress: Callable[[IndexStatus], None] | None) -> IndexStatus:
        """Wait until the index is current, telling progress a few times a second to whoever asks for it."""
        reporting = asyncio.create_task(self._report(progress)) if progress else None
        try:
            await self._index.settle(vectors=goal == "vectors")
        finally:
            if reporting is not None:
                reporting.cancel()
        await self.check_state()
        return await self._status.index()

    async def _report(self, progress: Callable[[IndexStatus], None]) -> None:
        while True:
            progress(await self._status.index())
            await asyncio.sleep(PROGRESS_SECONDS)

    async def reindex(self, path: str | None) -> Mapping[str, object]:
        """Read again."""
        return {"scheduled": await self._index.reindex(path)}

    async def inspect(self, params: InspectParams) -> Sequence[InspectedFile]:
        """Show what the index holds of single files."""
        root_ids(self._index.keepers, params.roots)  # refuses those that are none
        return await self._inspector.inspect(params.paths, params.roots, params.sample, passages=params.passages)

    def index_events(self) -> AsyncGenerator[Mapping[str, object]]:
        """Listen."""
        return self._events.listen()

    async def stats(self) -> Mapping[str, object]:
        """Figures by section."""
        return await self._status.stats()

    async def metrics(self, server: ServerStats) -> str:
        """Figures for Prometheus."""
        return await self._exporter.text(server)

    async def health(self) -> Mapping[str, object]:
        """Whether all is well."""
        problems = self._status.problems()
        return {"status": "degraded" if problems else "ok", "problems": problems}

    def _filter(self, params: SelectionParams | ListFilesParams) -> Filter:
        return Filter(
            roots=root_ids(self._index.keepers, params.roots),
            paths=params.paths,
            languages=params.languages,
            kinds=(params.kind,) if params.kind else (),
        )


async def nothing_to_check() -> None:
    """There is no state directory to lose."""
