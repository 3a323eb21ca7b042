"""Which definition a line of a file belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.errors import OutsideRootsError

if TYPE_CHECKING:
    from agentd.retrieval.extracted import Roots
    from agentd.storage.catalogue import Catalogue


class Scopes:
    """Looks definitions up by their lines."""

    def __init__(self, catalogue: Catalogue, index: Roots) -> None:
        self._catalogue = catalogue
        self._index = index

    async def name_at(self, path: str, line: int) -> str:
        """The qualified name of the innermost definition around ``line`` of ``path`` (absolute); empty for none."""
        try:
            root_id, root = self._index.root_of(path)
        except OutsideRootsError:  # removed meanwhile
            return ""
        around = await self._catalogue.symbols.at(root_id, path[len(root) + 1 :], line)
        return around[-1].qualified if around else ""
