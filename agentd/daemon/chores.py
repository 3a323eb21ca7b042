"""What the clean-up does each time, in its order."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from agentd.daemon.maintenance import return_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.daemon.bootstrap import Daemon
    from agentd.daemon.maintenance import Chore
    from agentd.daemon.stores import Stores, Threads
    from agentd.indexing.followers import Follower
    from agentd.storage.rows import ViewRow


def chores(daemon: Daemon) -> list[Chore]:
    """Others may come after them."""
    stores = daemon.stores
    return [
        ("catalogue", stores.catalogue.maintain),
        ("trim_feed", stores.trim_feed),
        ("release_keyword_writer", daemon.release_keyword_writer),
        ("evict_embeddings", lambda: stores.evict_embeddings(daemon.settings.embedding.cache_disk_megabytes)),
        ("recycle_workers", daemon.pool.recycle),
        ("forget_pages", stores.forget_pages),
        ("return_memory", partial(asyncio.to_thread, return_memory)),
        ("save_vectors", stores.vectors.save),
    ]


async def release_keyword_writer(keyword: Follower[Sequence[ViewRow]], stores: Stores, threads: Threads) -> None:
    """Give back what the writer holds while nothing changes. Calls of its thread run in order, so that nothing applied
    can come between the look and the release.
    """
    if keyword.generation == stores.catalogue.feed.changed.value:
        await asyncio.get_running_loop().run_in_executor(threads.keyword, stores.keyword.release)
