"""The catalogue: everything that ``index.db`` knows, by what is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.storage.database import Database
from agentd.storage.documents import Documents
from agentd.storage.feed import Feed
from agentd.storage.graph import Graph
from agentd.storage.inspection import Inspection
from agentd.storage.linker import LinkQueue
from agentd.storage.outlines import Outlines
from agentd.storage.passages import Passages
from agentd.storage.probes import Probes
from agentd.storage.purge import Purge
from agentd.storage.root_ledger import NAME, RootLedger
from agentd.storage.root_spaces import RootSpaces
from agentd.storage.roots import Roots
from agentd.storage.scans import Scans
from agentd.storage.symbols import Symbols
from agentd.storage.vector_queue import VectorQueue

if TYPE_CHECKING:
    from pathlib import Path


class Catalogue:
    """One object for each question: which folders, what is on disk, what waits, what is found, what changed, what
    is defined, what uses what.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.purge = Purge(database)
        self.roots = Roots(database, RootLedger(database.path.with_name(NAME)), self.purge)
        self.scans = Scans(database)
        self.documents = Documents(database)
        self.passages = Passages(database)
        self.feed = Feed(database)
        self.vectors = VectorQueue(database)
        self.spaces = RootSpaces(database)
        self.probes = Probes(database)
        self.symbols = Symbols(database)
        self.outlines = Outlines(database)
        self.graph = Graph(database)
        self.links = LinkQueue(database)
        self.inspection = Inspection(database)

    @classmethod
    async def open(cls, path: Path) -> Catalogue:
        """Open ``index.db``, made or migrated where needed, with the roots that somebody added, and finish the removals
        that a crash cut short.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateDamagedError: damaged where opening does not look first.
            StateUnusableError: another program's, or not readable and writable.
        """
        catalogue = cls(await Database.open(path))
        try:
            await catalogue.roots.restore()
            await catalogue.roots.finish_removals()
            await catalogue.purge.look()
        except BaseException:
            await catalogue.close()
            raise
        return catalogue

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self.database.close()

    async def maintain(self) -> None:
        """A round of maintenance, a few milliseconds of the writer: abandoned removals, free pages."""
        await self.roots.finish_removals()
        await self.database.maintain()
