"""Single files as the index has them, and what the ignore rules say about those that it does not have.

Made to be distrusted: a caller compares the answer with the disk by itself, so that what both the index and its scans
got wrong comes to light.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from agentd.compute.pool import Priority
from agentd.indexing.patience import stream_patiently
from agentd.indexing.places import absolute, relative
from agentd.kernels.registry import WALK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.compute.pool import Pool
    from agentd.indexing.index import Index
    from agentd.indexing.keeper import RootKeeper
    from agentd.protocol import InspectedFile
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.inspection import InspectedRow, PassageRow


class Inspector:
    """Answers ``index.inspect``. Reads, never changes, and has nothing scanned."""

    def __init__(self, catalogue: Catalogue, index: Index, pool: Pool) -> None:
        self._inspection = catalogue.inspection
        self._index = index
        self._pool = pool

    async def inspect(
        self, paths: Iterable[str], roots: Sequence[str], sample: int, *, passages: bool
    ) -> list[InspectedFile]:
        """The files at ``paths`` (absolute), then up to ``sample`` by chance of ``roots`` (none given: of all).

        Raises:
            OutsideRootsError: no root holds one of the paths.
        """
        asked: dict[RootKeeper, list[str]] = defaultdict(list)
        for path in paths:
            keeper = self._index.keeper_of(path)
            asked[keeper].append(relative(path, keeper.root.path))
        found = [file for keeper, names in asked.items() for file in await self._at(keeper, names, passages=passages)]
        keepers = [keeper for path, keeper in sorted(self._index.keepers.items()) if not roots or path in roots]
        counts = shares(sample, [keeper.coverage.directories for keeper in keepers])
        for keeper, count in zip(keepers, counts, strict=True):
            rows = await self._inspection.sample(keeper.root.id, count) if count else []
            found += await self._described(keeper, rows, passages=passages)
        return found

    async def _at(self, keeper: RootKeeper, names: list[str], *, passages: bool) -> list[InspectedFile]:
        known = await self._inspection.known(keeper.root.id, names)
        found = await self._described(keeper, list(known.values()), passages=passages)
        unknown = tuple(name for name in names if name not in known)
        wanted = await self._let_through(keeper, unknown) if unknown else set()
        for name in unknown:
            found.append(unknown_file(keeper.root.path, name, "missing" if name in wanted else "ignored"))
        return found

    async def _let_through(self, keeper: RootKeeper, names: tuple[str, ...]) -> set[str]:
        """Those that a scan of the root would list now."""
        listed: set[str] = set()
        request = keeper.walk_request(names)
        async for page in stream_patiently(self._pool, WALK, request, Priority.WALK):
            listed.update(entry.path for entry in page.entries)
        return listed

    async def _described(
        self, keeper: RootKeeper, rows: Sequence[InspectedRow], *, passages: bool
    ) -> list[InspectedFile]:
        texts = await self._inspection.passages([row.id for row in rows]) if passages else {}
        return [described(keeper.root.path, row, texts.get(row.id)) for row in rows]


def shares(count: int, sizes: Sequence[int]) -> list[int]:
    """``count`` divided in proportion to ``sizes``, with something for each that is not empty.

    >>> shares(10, [90, 10, 0]), shares(1, [5, 5]), shares(0, [3])
    ([9, 1, 0], [1, 1], [0])
    """
    total = sum(sizes)
    return [max(count * size // total, 1) if size and count else 0 for size in sizes]


def described(root: str, row: InspectedRow, passage: PassageRow | None) -> InspectedFile:
    """A document as the protocol shows it."""
    return {
        "path": absolute(root, row.path),
        "root": root,
        "state": row.state,
        "skip": row.skip or None,
        "size": row.size,
        "modified_ns": row.modified_ns,
        "passage": None
        if passage is None
        else {
            "start_line": passage.start_line,
            "end_line": passage.end_line,
            "text": passage.text,
            "embedded": passage.embedded,
        },
    }


def unknown_file(root: str, path: str, state: str) -> InspectedFile:
    """A file that there is no document for."""
    return {
        "path": absolute(root, path),
        "root": root,
        "state": state,
        "skip": None,
        "size": 0,
        "modified_ns": 0,
        "passage": None,
    }
