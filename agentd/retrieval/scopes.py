"""Which definition lines of a file belong to."""

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

    async def name_of(self, path: str, start_line: int, end_line: int) -> str:
        """The qualified name of what lines of ``path`` (absolute) are about; empty where they are in no definition.

        It is the definition that begins with them, else the innermost one around their middle.
        """
        try:
            root_id, root = self._index.root_of(path)
        except OutsideRootsError:  # removed meanwhile
            return ""
        inside = path[len(root) + 1 :]
        first = await self._catalogue.symbols.at(root_id, inside, start_line)
        if first and first[-1].start_line == start_line:
            return first[-1].qualified
        middle = await self._catalogue.symbols.at(root_id, inside, (start_line + end_line) // 2)
        return middle[-1].qualified if middle else ""
