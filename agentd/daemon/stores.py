"""What is open below the state directory, and the threads that work on it."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import structlog

from agentd.compute.pool import Lane
from agentd.domain import Space
from agentd.errors import ComputeError, StateUnusableError
from agentd.indexing.vectors import VectorIndex
from agentd.kernels.messages import ModelRequest
from agentd.kernels.registry import DESCRIBE_MODEL
from agentd.models import builtin_model_directory
from agentd.retrieval.search import VECTORS_OFF
from agentd.storage.catalogue import Catalogue
from agentd.storage.embedding_cache import EmbeddingCache
from agentd.storage.keyword_view import KeywordView
from agentd.storage.private import make_private
from agentd.storage.set_aside import copies
from agentd.storage.vector_view import VectorView

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from agentd.compute.pool import Pool
    from agentd.config.settings import Settings

log = structlog.get_logger(__name__)

INDEX_NAME = "index.db"
VECTORS_NAME = "vectors"
SEARCH_THREADS = 4
"""Searches of the views release the GIL; more of them at once would only queue for the cores."""
VERIFY_THREADS = 4
AHEAD = "it knows of changes that index.db has lost"
"""Power loss throws the database back by the commits that were not on disk yet. It then gives their numbers again, to
other changes and other chunks, so a view that knows them would never see these."""
VIEW_NICE = 5


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


class Stores(NamedTuple):
    """What is open. Without ``vectors``, ``vector_problem`` says why there are none."""

    catalogue: Catalogue
    cache: EmbeddingCache
    keyword: KeywordView
    vectors: VectorIndex | None
    vector_problem: str

    async def trim_feed(self) -> int:
        """Forget the removals that every view has passed; returns how many."""
        positions = [self.keyword.generation]
        if self.vectors is not None:
            positions.append(self.vectors.view.generation)
        return await self.catalogue.feed.trim(min(positions))

    async def forget_pages(self) -> None:
        """Let go of the pages that SQLite holds in memory, 18 MB at most. Each has a copy in the system's cache, from
        where a query has it back in microseconds: not worth holding on to by a process that mostly waits.
        """
        await self.catalogue.database.shrink_memory()
        await self.cache.forget_pages()

    async def evict_embeddings(self, limit_megabytes: int) -> int:
        """Bring the embedding cache within its limit; returns how many vectors went."""
        queue = self.catalogue.vectors
        limit = limit_megabytes * 1024 * 1024
        return await self.cache.evict(queue.all_text_hashes(), await queue.active_spaces(), limit)


async def open_stores(
    settings: Settings, pool: Pool, starting: asyncio.Task[None], threads: Threads, stack: AsyncExitStack
) -> Stores:
    """Open database, cache and views; the vector view waits for the workers, who know the model's space."""
    state = settings.state_directory
    await asyncio.to_thread(make_private, state)
    catalogue = await Catalogue.open(state / INDEX_NAME)
    stack.push_async_callback(catalogue.close)
    cache = await EmbeddingCache.open(state / "embeddings.db", settings.embedding.cache_memory_megabytes)
    stack.push_async_callback(cache.close)
    keyword = await asyncio.to_thread(KeywordView.open, state / "keyword", catalogue.feed.epoch)
    stack.push_async_callback(asyncio.to_thread, keyword.close)
    if keyword.generation > catalogue.feed.changed.value:
        await asyncio.to_thread(keyword.rebuild, AHEAD, keep=False)
    await starting
    return Stores(catalogue, cache, keyword, *await open_vectors(settings, pool, catalogue, threads, stack))


async def open_vectors(
    settings: Settings, pool: Pool, catalogue: Catalogue, threads: Threads, stack: AsyncExitStack
) -> tuple[VectorIndex | None, str]:
    """The vector index of the configured model, or None and why there is none."""
    if not settings.embedding.enabled:
        return None, VECTORS_OFF
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
    folder = settings.state_directory / VECTORS_NAME / space.slug
    await forget_other_spaces(catalogue, space, folder)
    view = await asyncio.to_thread(VectorView.open, folder, catalogue.feed.epoch, space.key, space.dimension)
    stack.push_async_callback(asyncio.to_thread, view.close)
    if view.newest_chunk > catalogue.database.newest_chunk:
        await asyncio.to_thread(view.rebuild, AHEAD, keep=False)
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
    """Remove all folders beside ``folder`` but its damaged copies; what cannot be removed is left to the next start."""
    kept = {folder, *(copy.path for copy in copies(folder.parent) if copy.name == folder.name)}
    for other in folder.parent.glob("*/"):
        if other not in kept:
            shutil.rmtree(other, ignore_errors=True)


async def save_for_next_start(vectors: VectorIndex) -> None:
    """Without it the next start takes the vectors from the cache: slower, but nothing is lost."""
    try:
        await vectors.save()
    except StateUnusableError as error:
        log.warning("vectors_not_saved", error=error.message)
