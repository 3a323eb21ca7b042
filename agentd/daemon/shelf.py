"""The vector views of all spaces: a folder each."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import structlog

from agentd.errors import StateUnusableError
from agentd.indexing.vectors import VectorIndex
from agentd.storage.set_aside import copies
from agentd.storage.vector_view import VectorView

if TYPE_CHECKING:
    from collections.abc import Collection
    from concurrent.futures import Executor
    from pathlib import Path

    from agentd.domain import Space
    from agentd.storage.catalogue import Catalogue

log = structlog.get_logger(__name__)

AHEAD = "it knows of changes that index.db has lost"
"""Power loss throws the database back by the commits that were not on disk yet. It then gives their numbers again, to
other changes and other chunks, so a view that knows them would never see these."""


class Shelf:
    """See ``agentd.indexing.spaces.Shelf``. ``open_views`` are those that are open, by the key of their space."""

    def __init__(self, directory: Path, catalogue: Catalogue, thread: Executor) -> None:
        self.open_views: dict[str, VectorIndex] = {}
        self._directory = directory
        self._catalogue = catalogue
        self._thread = thread

    async def open(self, space: Space) -> VectorIndex:
        """The vectors of a space; made, empty, where there are none.

        Raises:
            StateUnusableError: the folder cannot be read and written.
        """
        folder, feed = self._directory / space.slug, self._catalogue.feed
        view = await asyncio.to_thread(VectorView.open, folder, feed.epoch, space.key, space.dimension)
        if view.newest_chunk > self._catalogue.database.newest_chunk:
            await asyncio.to_thread(view.rebuild, AHEAD, keep=False)
        vectors = self.open_views[space.key] = VectorIndex(space, view, feed, self._thread)
        return vectors

    async def discard(self, kept: Collection[str]) -> None:
        """Remove the views of all spaces but those ``kept``; what cannot go is left to the next time."""
        for key in [key for key in self.open_views if key not in kept]:
            await asyncio.to_thread(self.open_views.pop(key).view.close)
        folders = {vectors.space.slug for vectors in self.open_views.values()}
        await asyncio.to_thread(remove_others, self._directory, folders)

    async def save(self) -> None:
        """Write a snapshot of each view that has changed."""
        for vectors in list(self.open_views.values()):
            await vectors.save()

    async def close(self) -> None:
        """Save and close all. A view that cannot be saved is filled from the cache at the next start."""
        for vectors in self.open_views.values():
            try:
                await vectors.save()
            except StateUnusableError as error:
                log.warning("vectors_not_saved", error=error.message)
            await asyncio.to_thread(vectors.view.close)


def remove_others(directory: Path, kept: Collection[str]) -> None:
    """Remove all folders but those of these names and their damaged copies."""
    spared = {directory / name for name in kept}
    if directory.is_dir():
        spared |= {copy.path for copy in copies(directory) if copy.name in kept}
    for other in directory.glob("*/"):
        if other not in spared:
            shutil.rmtree(other, ignore_errors=True)
