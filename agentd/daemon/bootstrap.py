"""The composition root: the one place that builds the objects and hands them to each other.

A restart is ready only when all of it is open, so what does not depend on each other opens side by side: worker
processes start while the database and the views open.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentd.compute.pool import Pool
from agentd.daemon.descriptors import Descriptors
from agentd.daemon.governor import Governor
from agentd.daemon.graph import DaemonGraph
from agentd.daemon.maintenance import Chore, Maintenance, return_memory
from agentd.daemon.metrics.exporter import Exporter
from agentd.daemon.metrics.textfile import Textfile
from agentd.daemon.reloader import Reloader
from agentd.daemon.reserves import Reserves
from agentd.daemon.services import DaemonServices
from agentd.daemon.soundness import Soundness
from agentd.daemon.status import StatusReporter
from agentd.daemon.stores import Threads, open_stores
from agentd.daemon.supervisor import Supervisor
from agentd.indexing.embedder import Embedder
from agentd.indexing.events import Events
from agentd.indexing.followers import Follower
from agentd.indexing.index import Index
from agentd.indexing.ingest import Ingest
from agentd.indexing.inspection import Inspector
from agentd.indexing.linker import Linker
from agentd.indexing.purger import Purger
from agentd.indexing.signal import Signal
from agentd.observability.lag import LagProbe
from agentd.observability.metrics import Metrics
from agentd.retrieval.complexity import ComplexityReader
from agentd.retrieval.definitions import DefinitionFinder, Namer, PathFinder
from agentd.retrieval.files import FileReader
from agentd.retrieval.freshness import Freshness
from agentd.retrieval.graph import GraphReader
from agentd.retrieval.multi import MultiSearcher
from agentd.retrieval.packer import Packer
from agentd.retrieval.ranker import Ranker
from agentd.retrieval.related import RelatedReader
from agentd.retrieval.reranker import Reranker
from agentd.retrieval.retrievers import KeywordRetriever, VectorRetriever
from agentd.retrieval.search import Searcher
from agentd.retrieval.subjects import Subjects
from agentd.retrieval.verification import Verifier
from agentd.server.listener import Server
from agentd.server.peer import AllowList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AsyncExitStack

    from agentd.config.settings import Settings
    from agentd.daemon.stores import Stores

LAG_PROBE_SECONDS = 0.02
"""Often enough to see what queries see, seldom enough not to keep an idle machine awake."""
WORKER_GRACE_SECONDS = 1.0
"""What a worker holds at shutdown is done again after the next start: there is little to wait for."""


class Daemon:
    """Everything that runs, wired."""

    def __init__(self, settings: Settings, pool: Pool, stores: Stores, threads: Threads, metrics: Metrics) -> None:
        catalogue, progress = stores.catalogue, Signal()
        self.settings = settings
        self.pool = pool
        self.stores = stores
        self._threads = threads
        self.metrics = metrics
        self.lag = LagProbe(LAG_PROBE_SECONDS)
        self.supervisor = Supervisor()
        self.events = Events()
        self.ingest = Ingest(pool, catalogue, progress, settings.index, events=self.events, metrics=metrics)
        feed = catalogue.feed
        self.keyword = Follower(
            stores.keyword,
            feed,
            feed.view_rows,
            progress,
            threads.keyword,
            more_coming=lambda: not self.ingest.idle.is_set(),
            name="keyword",
            metrics=metrics,
        )
        self.index = self._new_index(progress)
        self.linker = Linker(catalogue.links, catalogue.database, progress, self.ingest.idle, metrics)
        self.index.linker = self.linker
        self.reranker = Reranker(pool, settings.rerank, self.metrics)
        verifier = Verifier(threads.verify)
        self.searcher = self._new_searcher(verifier)
        self.maintenance = Maintenance(self._chores(), settings.maintenance.interval_seconds)
        self.reloader = Reloader(settings, self.index, self._adopt)
        self.reserves = Reserves(stores, self._release_keyword_writer)
        self.governor = Governor(settings, pool, self.reserves, Descriptors(), metrics)
        self.status = self._new_status()
        self.status.others.append(self.governor.findings)
        self.reader = FileReader(catalogue, self.index, settings.index.max_file_bytes)
        exporter = Exporter(self.status, self.metrics, self.lag)
        self.services = DaemonServices(
            self.index,
            MultiSearcher(self.searcher, Packer(catalogue.outlines, metrics)),
            self.reader,
            self.status,
            self.events,
            settings.search,
            self._new_graph(verifier),
            exporter,
            Inspector(catalogue, self.index, pool),
        )
        allowed = AllowList(settings.server.allowed_users)
        self.server = Server(self.governor.adopt(settings), self.services, peer_check=allowed, metrics=self.metrics)
        self.textfile = self._new_textfile(exporter)
        self._wire_vectors(stores, progress, threads)
        self.purger = Purger(catalogue.purge, self.keyword, progress, self.ingest.idle, settings.state_directory)
        self.soundness = Soundness(stores, self.keyword, self.index, progress, settings.maintenance.check_seconds)
        self.status.others.append(self.soundness.findings)

    def _new_index(self, progress: Signal) -> Index:
        """The index, told to leave alone what is agentd's own."""
        return Index(
            self.stores.catalogue,
            self.pool,
            self.ingest,
            self.keyword,
            progress,
            self.events,
            self.settings.index,
            private=(str(self.settings.state_directory), str(self.settings.socket), f"{self.settings.socket}.lock"),
            git_excludes=self.settings.git_excludes,
            watches=self.settings.limits.watches,
        )

    def _new_searcher(self, verifier: Verifier) -> Searcher:
        """Who finds passages; vectors are wired later, where there are any."""
        catalogue, search = self.stores.catalogue, self.settings.search
        keyword = KeywordRetriever(self.stores.keyword, self._threads.search)
        return Searcher(
            catalogue,
            keyword,
            Namer(DefinitionFinder(catalogue), PathFinder(catalogue)),
            Ranker(keyword, catalogue, self.pool),
            self.reranker,
            verifier,
            self.index,
            search,
            self.metrics,
        )

    def _new_graph(self, verifier: Verifier) -> DaemonGraph:
        """Those who answer about symbols and how they hang together."""
        catalogue, index = self.stores.catalogue, self.index
        subjects, freshness = Subjects(catalogue, index), Freshness(verifier, index)
        reader = GraphReader(catalogue, subjects, freshness, index)
        around = RelatedReader(catalogue, subjects, freshness, reader, self.searcher)
        figures = ComplexityReader(catalogue, index, self.pool, self.settings.index.max_file_bytes)
        return DaemonGraph(index, reader, around, figures)

    def _new_status(self) -> StatusReporter:
        """The one who asks all the others."""
        return StatusReporter(
            self.stores.catalogue,
            self.stores.cache,
            self.index,
            self.ingest,
            self.keyword,
            self.searcher,
            self.reranker,
            self.supervisor,
            self.maintenance,
            self.reloader,
            self.governor,
            self.pool,
            self.metrics,
            self.lag,
            self.events,
            self.settings.state_directory,
        )

    def _new_textfile(self, exporter: Exporter) -> Textfile | None:
        """Who writes figures for Prometheus, where there is a file for them."""
        settings = self.settings.metrics
        if not settings.textfile:
            return None
        textfile = Textfile(settings.textfile, settings.interval_seconds, lambda: exporter.text(self.server.stats()))
        self.status.others.append(textfile.findings)
        return textfile

    def _wire_vectors(self, stores: Stores, progress: Signal, threads: Threads) -> None:
        """Without a model that works, search is by keyword alone and says so."""
        self.searcher.vector_problem = stores.vector_problem
        if (vectors := stores.vectors) is None:
            return
        catalogue, pool = stores.catalogue, self.pool
        self.index.vector = Follower(
            vectors, catalogue.feed, vectors.read, progress, threads.vector, name="vector", metrics=self.metrics
        )
        self.index.embedder = Embedder(
            pool, catalogue, stores.cache, vectors, self.settings.embedding, progress, self.ingest.idle
        )
        self.searcher.vector = self.reserves.queries = VectorRetriever(
            vectors.view,
            vectors.model_directory,
            self.settings.embedding.max_tokens,
            pool,
            catalogue,
            threads.search,
            self.metrics,
        )

    def _chores(self) -> list[Chore]:
        vectors = self.stores.vectors
        chores: list[Chore] = [
            ("catalogue", self.stores.catalogue.maintain),
            ("trim_feed", self.stores.trim_feed),
            ("release_keyword_writer", self._release_keyword_writer),
            ("evict_embeddings", lambda: self.stores.evict_embeddings(self.settings.embedding.cache_disk_megabytes)),
            ("recycle_workers", self.pool.recycle),
            ("forget_pages", self.stores.forget_pages),
            ("return_memory", lambda: asyncio.to_thread(return_memory)),
        ]
        return [*chores, ("save_vectors", vectors.save)] if vectors else chores

    def guard(self, check: Callable[[], Awaitable[None]]) -> None:
        """Acknowledge nothing that is kept in a state directory for which ``check`` fails."""
        self.services.check_state = check
        self.maintenance.add("state", check)

    async def run_services(self) -> None:
        """Run everything but the server; ends by cancellation alone."""
        keep = self.supervisor.keep
        async with asyncio.TaskGroup() as group:
            group.create_task(keep("ingest", self.ingest.run))
            group.create_task(keep("keyword view", self.keyword.run))
            group.create_task(keep("linker", self.linker.run))
            group.create_task(keep("loop lag", self.lag.run))
            group.create_task(keep("maintenance", self.maintenance.run))
            group.create_task(keep("checkup", self.soundness.run))
            group.create_task(keep("purge", self.purger.run))
            group.create_task(keep("governor", self.governor.run))
            group.create_task(self.index.run(keep))
            group.create_task(keep("reload", self.reloader.run))
            if self.textfile is not None:
                group.create_task(keep("metrics", self.textfile.run))
            if self.index.vector is not None and self.index.embedder is not None:
                group.create_task(keep("vector view", self.index.vector.run))
                group.create_task(keep("embedder", self.index.embedder.run))

    def _adopt(self, settings: Settings) -> None:
        """Hand new settings to those who may change live."""
        if settings.limits.watches != self.settings.limits.watches:
            self.index.limit_watches(settings.limits.watches)
        self.settings = settings
        self.searcher.settings = settings.search
        self.reranker.settings = settings.rerank
        self.reader.max_bytes = settings.index.max_file_bytes
        self.services.graph.figures.max_bytes = settings.index.max_file_bytes
        self.services.settings = settings.search
        self.server.reconfigure(self.governor.adopt(settings))

    async def _release_keyword_writer(self) -> None:
        """Give back what the writer holds while nothing changes. Calls of its thread run in order, so that nothing
        applied can come between the look and the release.
        """
        if self.keyword.generation == self.stores.catalogue.feed.changed.value:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads.keyword, self.stores.keyword.release)


async def build(settings: Settings, stack: AsyncExitStack) -> Daemon:
    """Open everything below the (locked) state directory; ``stack`` closes it again in the opposite order.

    Raises:
        AgentdError: the state cannot be used. Models that cannot be used are no error.
    """
    threads = Threads()
    stack.callback(threads.close)
    metrics = Metrics()
    pool = Pool(settings.compute, metrics=metrics)
    starting = asyncio.create_task(pool.start())
    try:
        stores = await open_stores(settings, pool, starting, threads, stack)
    except BaseException:
        await asyncio.wait([starting])
        await pool.stop(0)
        raise
    stack.push_async_callback(pool.stop, WORKER_GRACE_SECONDS)
    daemon = Daemon(settings, pool, stores, threads, metrics)
    await daemon.reranker.prepare()
    return daemon
