"""The file of the index that a path means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agentd.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentd.storage.catalogue import Catalogue

REFRESH_SECONDS = 2.0
"""How long a file that is named, and not known yet, may take to be read."""


class IndexedRoots(Protocol):
    """What finding a file needs of the index."""

    def root_of(self, path: str) -> tuple[int, str]:
        """(id, path) of the root that holds ``path``; raises OutsideRootsError."""

    async def refresh(self, paths: Iterable[str], within: float) -> bool:
        """Bring these files (absolute) up to date in the index."""


class Place(NamedTuple):
    """A file below a root; ``path`` is relative to it."""

    root_id: int
    root: str
    path: str

    @property
    def absolute(self) -> str:
        """The absolute path."""
        return os.path.join(self.root, self.path)


class Places:
    """Finds files of the index."""

    def __init__(self, catalogue: Catalogue, index: IndexedRoots) -> None:
        self._catalogue = catalogue
        self._index = index

    async def file(self, path: str) -> Place:
        """The file at an absolute path, which is read first where the index does not know it yet.

        Raises:
            OutsideRootsError: no root holds the path.
            NotFoundError: the index knows no such file, or it has no text.
        """
        path = os.path.normpath(path)  # noqa: ASYNC240 pure text, no disk
        root_id, root = self._index.root_of(path)
        place = Place(root_id, root, path[len(root) + 1 :])
        if not await self.knows(place):
            if place.path:  # the root itself is no file, and reading it again is much to ask
                await self._index.refresh([path], REFRESH_SECONDS)
            if not await self.knows(place):
                raise NotFoundError(f"{path} is no file of the index: it is missing, ignored or skipped")
        return place

    async def knows(self, place: Place) -> bool:
        """Whether there is such a file, and it is searchable."""
        document = await self._catalogue.passages.document(place.root_id, place.path)
        return document is not None and document.skip is None
