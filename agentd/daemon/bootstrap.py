"""The composition root: the one place that builds the objects and hands them to each other.

A restart is ready only when all of it is open, so what does not depend on each other opens side by side: worker
processes start while the database and the views open.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog

from agentd.compute.pool import Lane, Pool
from agentd.daemon.maintenance import Chore, Maintenance
from agentd.daemon.reloader import Reloader
from agentd.daemon.services import DaemonServices
from agentd.daemon.status import StatusReporter
from agentd.daemon.supervisor import Supervisor
from agentd.domain import Space
from agentd.errors import ComputeError, StateUnusableError
from agentd.indexing.embedder import Embedder
from agentd.indexing.events import Events
from agentd.indexing.followers import Follower
from agentd.indexing.index import Index
from agentd.indexing.ingest import Ingest
from agentd.indexing.signal import Signal
from agentd.indexing.vectors import VectorIndex
from agentd.kernels.messages import ModelRequest
from agentd.kernels.registry import DESCRIBE_MODEL
from agentd.models import builtin_model_directory
from agentd.observability.lag import LagProbe
from agentd.observability.metrics import Metrics
from agentd.retrieval.files import FileReader
from agentd.retrieval.retrievers import KeywordRetriever, VectorRetriever
from agentd.retrieval.search import Searcher
from agentd.retrieval.verification import Verifier
from agentd.server.listener import Server
from agentd.storage.catalogue import Catalogue
from agentd.storage.embedding_cache import EmbeddingCache
from agentd.storage.keyword_view import KeywordView
from agentd.storage.vector_view import VectorView

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from agentd.config.settings import Settings

log = structlog.get_logger(__name__)

SEARCH_THREADS = 4
"""Searches of the views release the GIL; more of them at once would only queue for the cores."""
VERIFY_THREADS = 4
VIEW_NICE = 5
LAG_PROBE_SECONDS = 0.02
"""Often enough to see what queries see, seldom enough not to keep an idle machine awake."""
WORKER_GRACE_SECONDS = 1.0
"""What a worker holds at shutdown is done again after the next start: there is little to wait for."""


class Threads:
    """Daemon threads by purpose: what blocks in one must not hold up another."""

    def __init__(self) -> None:
        self.keyword = ThreadPoolExecutor(1, "keyword-view", initializer=step_back)
        self.vector = ThreadPoolExecutor(1, "vector-view", initializer=step_back)
        self.search = ThreadPoolExecutor(SEARCH_THREADS, "search")
        self.verify = ThreadPoolExecutor(VERIFY_THREADS, "verify")

    def close(self) -> None:
        """Let go of all; one that is stuck on a dead disk is left behind."""
        for executor in (self.keyword, self.vector, self.search, self.verify):
            executor.shutdown(wait=False, cancel_futures=True)


def step_back() -> None:
    """Let the loop go before this thread, and before those that tantivy starts from it (Linux has a nice value for each
    thread). Little, so that it still gives the interpreter back soon where workers take all cores.
    """
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), VIEW_NICE)


class Stores:
    """What is open below the state directory."""

    def __init__(
        self,
        catalogue: Catalogue,
        cache: EmbeddingCache,
        keyword: KeywordView,
        vectors: VectorIndex | None,
        problem: str,
    ) -> None:
        self.catalogue = catalogue
        self.cache = cache
        self.keyword = keyword
        self.vectors = vectors
        self.vector_problem = problem


class Daemon:
    """Everything that runs, wired."""

    def __init__(self, settings: Settings, pool: Pool, stores: Stores, threads: Threads) -> None:
        catalogue, progress = stores.catalogue, Signal()
        self.settings = settings
        self.pool = pool
        self.stores = stores
        self._threads = threads
        self.metrics = Metrics()
        self.lag = LagProbe(LAG_PROBE_SECONDS)
        self.supervisor = Supervisor()
        self.events = Events()
        self.ingest = Ingest(pool, catalogue, progress, settings.index)
        feed = catalogue.feed
        self.keyword = Follower(
            "keyword",
            stores.keyword,
            feed,
            feed.view_rows,
            progress,
            threads.keyword,
            more_coming=lambda: not self.ingest.idle.is_set(),
        )
        self.index = Index(
            catalogue,
            pool,
            self.ingest,
            self.keyword,
            progress,
            self.events,
            settings.index,
            private=(str(settings.state_directory), str(settings.socket), f"{settings.socket}.lock"),
            git_excludes=settings.git_excludes,
        )
        self.searcher = Searcher(
            catalogue,
            KeywordRetriever(stores.keyword, threads.search),
            Verifier(threads.verify),
            self.index,
            settings.search,
            self.metrics,
        )
        self.maintenance = Maintenance(self._chores(), settings.maintenance.interval_seconds)
        self.reloader = Reloader(settings, self.index, self._adopt)
        self.status = StatusReporter(
            catalogue,
            stores.cache,
            self.index,
            self.ingest,
            self.keyword,
            self.searcher,
            self.supervisor,
            self.maintenance,
            self.reloader,
            pool,
            self.metrics,
            self.lag,
            settings.state_directory,
        )
        self.reader = FileReader(catalogue, self.index, settings.index.max_file_bytes)
        self.services = DaemonServices(
            self.index,
            self.searcher,
            self.reader,
            self.status,
            self.events,
            settings.search,
        )
        self.server = Server(settings.server, self.services, metrics=self.metrics)
        self._wire_vectors(stores, progress, threads)

    def _wire_vectors(self, stores: Stores, progress: Signal, threads: Threads) -> None:
        """Without a model that works, search is by keyword alone and says so."""
        self.searcher.vector_problem = stores.vector_problem
        if (vectors := stores.vectors) is None:
            return
        catalogue, pool = stores.catalogue, self.pool
        self.index.vector = Follower("vector", vectors, catalogue.feed, vectors.read, progress, threads.vector)
        self.index.embedder = Embedder(
            pool, catalogue, stores.cache, vectors, self.settings.embedding, progress, self.ingest.idle
        )
        self.searcher.vector = VectorRetriever(
            vectors.view, vectors.model_directory, self.settings.embedding.max_tokens, pool, catalogue, threads.search
        )

    def _chores(self) -> list[Chore]:
        vectors = self.stores.vectors
        chores: list[Chore] = [
            ("catalogue", self.stores.catalogue.maintain),
            ("trim_feed", self._trim_feed),
            ("release_keyword_writer", self._release_keyword_writer),
            ("evict_embeddings", self._evict_embeddings),
            ("recycle_workers", self.pool.recycle),
        ]
        return [*chores, ("save_vectors", vectors.save)] if vectors else chores

    async def run_services(self) -> None:
        """Run everything but the server; ends by cancellation alone."""
        keep = self.supervisor.keep
        async with asyncio.TaskGroup() as group:
            group.create_task(keep("ingest", self.ingest.run))
            group.create_task(keep("keyword view", self.keyword.run))
            group.create_task(keep("loop lag", self.lag.run))
            group.create_task(keep("maintenance", self.maintenance.run))
            group.create_task(self.index.run(keep))
            group.create_task(keep("reload", self.reloader.run))
            if self.index.vector is not None and self.index.embedder is not None:
                group.create_task(keep("vector view", self.index.vector.run))
                group.create_task(keep("embedder", self.index.embedder.run))

    def _adopt(self, settings: Settings) -> None:
        """Hand new settings to those who may change live."""
        self.settings = settings
        self.searcher.settings = settings.search
        self.reader.max_bytes = settings.index.max_file_bytes
        self.services.settings = settings.search
        self.server.reconfigure(settings.server)

    async def _release_keyword_writer(self) -> None:
        """Give back what the writer holds while nothing changes. Calls of its thread run in order, so that nothing
        applied can come between the look and the release.
        """
        if self.keyword.generation == self.stores.catalogue.feed.changed.value:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads.keyword, self.stores.keyword.release)

    async def _trim_feed(self) -> int:
        """What every view has passed can go."""
        positions = [self.keyword.generation]
        if self.stores.vectors is not None:
            positions.append(self.stores.vectors.view.generation)
        return await self.stores.catalogue.feed.trim(min(positions))

    async def _evict_embeddings(self) -> int:
        vectors = self.stores.catalogue.vectors
        limit = self.settings.embedding.cache_disk_megabytes * 1024 * 1024
        return await self.stores.cache.evict(vectors.all_text_hashes(), await vectors.active_spaces(), limit)


async def build(settings: Settings, stack: AsyncExitStack) -> Daemon:
    """Open everything below the (locked) state directory; ``stack`` closes it again in the opposite order.

    Raises:
        AgentdError: the state cannot be used. A model that cannot be used is no error.
    """
    threads = Threads()
    stack.callback(threads.close)
    pool = Pool(settings.compute)
    starting = asyncio.create_task(pool.start())
    try:
        stores = await open_stores(settings, pool, starting, threads, stack)
    except BaseException:
        await asyncio.wait([starting])
        await pool.stop(0)
        raise
    stack.push_async_callback(pool.stop, WORKER_GRACE_SECONDS)
    return Daemon(settings, pool, stores, threads)


async def open_stores(
    settings: Settings, pool: Pool, starting: asyncio.Task[None], threads: Threads, stack: AsyncExitStack
) -> Stores:
    """Open database, cache and views; the vector view waits for the workers, who know the model's space."""
    state = settings.state_directory
    catalogue = await Catalogue.open(state / "index.db")
    stack.push_async_callback(catalogue.close)
    cache = await EmbeddingCache.open(state / "embeddings.db", settings.embedding.cache_memory_megabytes)
    stack.push_async_callback(cache.close)
    keyword = await asyncio.to_thread(KeywordView.open, state / "keyword", catalogue.feed.epoch)
    stack.push_async_callback(asyncio.to_thread, keyword.close)
    await starting
    return Stores(catalogue, cache, keyword, *await open_vectors(settings, pool, catalogue, threads, stack))


async def open_vectors(
    settings: Settings, pool: Pool, catalogue: Catalogue, threads: Threads, stack: AsyncExitStack
) -> tuple[VectorIndex | None, str]:
    """The vector index of the configured model, or None and why there is none."""
    if not settings.embedding.enabled:
        return None, "vectors are switched off (embedding.enabled)"
    directory = settings.embedding.model or str(builtin_model_directory())
    try:
        model = await pool.run(
            DESCRIBE_MODEL, ModelRequest(directory, settings.embedding.max_tokens), lane=Lane.INTERACTIVE
        )
    except ComputeError as error:
        log.error("model_unusable", directory=directory, error=error.message)
        return None, error.message
    space = Space("local", model.name, model.dimension, model.revision)
    await catalogue.vectors.activate_space(space.key)
    folder = settings.state_directory / "vectors" / space.slug
    await forget_other_spaces(catalogue, space, folder)
    view = await asyncio.to_thread(VectorView.open, folder, catalogue.feed.epoch, space.key, space.dimension)
    stack.push_async_callback(asyncio.to_thread, view.close)
    log.info("model_ready", space=space.key, vectors=view.count)
    vectors = VectorIndex(space, directory, view, catalogue.feed, threads.vector)
    stack.push_async_callback(save_for_next_start, vectors)
    return vectors, ""


async def forget_other_spaces(catalogue: Catalogue, space: Space, folder: Path) -> None:
    """Give up the queues and view folders of models configured before. Their vectors stay cached until room is needed,
    so that going back to one of them embeds nothing.
    """
    for key in await catalogue.vectors.active_spaces():
        if key != space.key:
            await catalogue.vectors.deactivate_space(key)
            log.info("space_given_up", space=key)
    await asyncio.to_thread(remove_siblings, folder)


def remove_siblings(folder: Path) -> None:
    """Remove all folders beside ``folder``; one that cannot be removed is left for the next start."""
    for other in folder.parent.glob("*/"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


async def save_for_next_start(vectors: VectorIndex) -> None:
    """Without it the next start takes the vectors from the cache: slower, but nothing is lost."""
    try:
        await vectors.save()
    except StateUnusableError as error:
        log.warning("vectors_not_saved", error=error.message)
