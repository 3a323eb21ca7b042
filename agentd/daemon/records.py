"""Answers or runs that are kept, for as long as the configuration says and the roots that they are of are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentd.errors import RootNotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from agentd.indexing.index import Index
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.kept import Kept
    from agentd.storage.kept_table import Head


class Page(NamedTuple):
    """Part of a list, the newest first; ``next`` goes into ``before`` for the next page, None at the end."""

    heads: Sequence[Head]
    total: int
    next: str | None


class Records:
    """One file of the state, beside the roots that there are."""

    def __init__(self, store: Kept, index: Index, catalogue: Catalogue) -> None:
        self.store = store
        self._index = index
        self._catalogue = catalogue

    async def page(self, before: str | None, limit: int) -> Page:
        """Those that were made before the one with the id ``before``; all for None."""
        heads = await self.store.newest(before or "", limit)
        return Page(heads, await self.store.count(), heads[-1].id if len(heads) == limit else None)

    def refuse_removed(self, roots: Collection[str]) -> None:
        """Raise RootNotFoundError where one of ``roots`` is there no more: no text of it may be kept."""
        for root in roots:
            if root not in self._index.keepers:
                raise RootNotFoundError(f"{root} was removed while it was asked about", path=root)

    async def forget_removed(self) -> int:
        """Delete what has to do with a root which was removed; returns how many."""
        return await self.store.forget_other_roots([root.path for root in await self._catalogue.roots.all()])

    async def purge_removed(self) -> None:
        """The same, and no byte of them stays in unused space of the file.

        Raises:
            StateUnusableError: the disk has no room for a second copy of it.
        """
        await self.forget_removed()
        await self.store.write_anew()

    async def maintain(self, keep_days: int, keep_count: int) -> int:
        """Delete what was kept for long enough, and what belongs to removed roots again: a crash may have come between
        a removal and this, and a reload removes roots too. Before all roots of the configuration are there, none is
        missing. Returns how many went.
        """
        gone = await self.store.purge(keep_days, keep_count)
        return gone + (await self.forget_removed() if self._index.complete.is_set() else 0)
