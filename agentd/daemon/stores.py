"""What is open below the state directory, and the threads that work on it."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import structlog

from agentd.compute.pool import Lane
from agentd.daemon.shelf import AHEAD, Shelf
from agentd.domain import Space
from agentd.errors import ComputeError
from agentd.indexing.local_model import LocalModel
from agentd.kernels.messages import ModelRequest
from agentd.kernels.registry import DESCRIBE_MODEL
from agentd.models import builtin_model_directory
from agentd.retrieval.search import VECTORS_OFF
from agentd.storage.catalogue import Catalogue
from agentd.storage.embedding_cache import EmbeddingCache
from agentd.storage.kept import Kept
from agentd.storage.kept_table import ANSWERS, RUNS
from agentd.storage.keyword_view import KeywordView
from agentd.storage.private import make_private

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from agentd.compute.pool import Pool
    from agentd.config.settings import Settings

log = structlog.get_logger(__name__)

INDEX_NAME = "index.db"
ANSWERS_NAME = "answers.db"
RUNS_NAME = "runs.db"
VECTORS_NAME = "vectors"
SEARCH_THREADS = 4
"""Searches of the views release the GIL; more of them at once would only queue for the cores."""
VERIFY_THREADS = 4
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
    """What is open. Without ``local``, the model in our workers, ``vector_problem`` says why there is none."""

    catalogue: Catalogue
    cache: EmbeddingCache
    keyword: KeywordView
    vectors: Shelf
    local: LocalModel | None
    vector_problem: str
    answers: Kept
    runs: Kept

    async def trim_feed(self) -> int:
        """Forget the removals that every view has passed; returns how many."""
        views = [vectors.view.generation for vectors in self.vectors.open_views.values()]
        return await self.catalogue.feed.trim(min([self.keyword.generation, *views]))

    async def forget_pages(self) -> None:
        """Let go of the pages that SQLite holds in memory, 18 MB at most. Each has a copy in the system's cache, from
        where a query has it back in microseconds: not worth holding on to by a process that mostly waits.
        """
        await self.catalogue.database.shrink_memory()
        await self.cache.forget_pages()

    async def evict_embeddings(self, limit_megabytes: int) -> int:
        """Bring the embedding cache within its limit; returns how many vectors went."""
        hashes = self.catalogue.vectors.all_text_hashes()
        limit = limit_megabytes * 1024 * 1024
        return await self.cache.evict(hashes, await self.catalogue.spaces.in_use(), limit)


async def open_stores(
    settings: Settings, pool: Pool, starting: asyncio.Task[None], threads: Threads, stack: AsyncExitStack
) -> Stores:
    """Open database, cache and views; the model waits for the workers, who know its space."""
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
    answers = await Kept.open(state / ANSWERS_NAME, ANSWERS)
    stack.push_async_callback(answers.close)
    runs = await Kept.open(state / RUNS_NAME, RUNS)
    stack.push_async_callback(runs.close)
    shelf = Shelf(state / VECTORS_NAME, catalogue, threads.vector)
    stack.push_async_callback(shelf.close)
    await starting
    return Stores(catalogue, cache, keyword, shelf, *await open_local_model(settings, pool), answers, runs)


async def open_local_model(settings: Settings, pool: Pool) -> tuple[LocalModel | None, str]:
    """The model in our workers, or None and why there is none."""
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
    log.info("model_ready", space=space.key)
    return LocalModel(pool, directory, space, settings.embedding), ""
