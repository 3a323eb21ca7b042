"""What the index holds of a file: the only text there is of a PDF, and of a file in which secrets were masked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agentd.storage.catalogue import Catalogue


class Roots(Protocol):
    """What this needs of the index."""

    def root_of(self, path: str) -> tuple[int, str]:
        """(id, path) of the root that holds ``path``; raises OutsideRootsError."""
        ...


class ExtractedTexts:
    """Reads passages of single files."""

    def __init__(self, catalogue: Catalogue, index: Roots) -> None:
        self._catalogue = catalogue
        self._index = index

    async def texts(self, path: str) -> list[tuple[int, int, str]]:
        """(first line, last line, text) of each passage of the file at ``path`` (absolute); none where it is gone.

        Raises:
            OutsideRootsError: no root holds the path.
        """
        path = os.path.normpath(path)  # noqa: ASYNC240  # pure text, no disk
        root_id, root = self._index.root_of(path)
        return await self._catalogue.passages.texts(root_id, path[len(root) + 1 :])
