"""What the server's handlers ask about symbols and the graph."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from agentd.daemon.scope import root_ids
from agentd.retrieval.complexity import ComplexityReader
from agentd.retrieval.graph import GraphReader
from agentd.retrieval.related import RelatedReader
from agentd.retrieval.subjects import Subjects

if TYPE_CHECKING:
    from agentd import protocol as p
    from agentd.compute.pool import Pool
    from agentd.indexing.index import Index
    from agentd.retrieval.freshness import Freshness
    from agentd.retrieval.related import Meaning
    from agentd.server import graph_params as g
    from agentd.storage.catalogue import Catalogue


def open_graph(
    catalogue: Catalogue, index: Index, freshness: Freshness, meaning: Meaning, pool: Pool, max_bytes: int
) -> DaemonGraph:
    """Those who answer about symbols and how they hang together."""
    subjects = Subjects(catalogue, index)
    reader = GraphReader(catalogue, subjects, freshness, index)
    around = RelatedReader(catalogue, subjects, freshness, reader, meaning)
    return DaemonGraph(index, reader, around, ComplexityReader(catalogue, index, pool, max_bytes))


class DaemonGraph:
    """Satisfies ``agentd.server.services.GraphServices``."""

    def __init__(self, index: Index, reader: GraphReader, around: RelatedReader, figures: ComplexityReader) -> None:
        self.figures = figures
        self._index = index
        self._reader = reader
        self._around = around

    async def find_symbol(self, params: g.FindSymbolParams) -> p.SymbolList:
        """Find definitions."""
        roots = root_ids(self._index.keepers, params.roots)
        return await self._reader.find_symbol(params.name, roots, params.kinds, params.limit)

    async def related(self, params: g.RelatedParams, deadline: float | None) -> p.Related:
        """Tell what belongs to a line."""
        return await self._around.related(params.path, params.line, params.limit, within(deadline))

    async def callers(self, params: g.CallsParams, deadline: float | None) -> p.Calls:
        """Who calls it."""
        roots = root_ids(self._index.keepers, params.roots)
        return await self._reader.callers(params.symbol, roots, params.depth, params.limit, within(deadline))

    async def callees(self, params: g.CallsParams, deadline: float | None) -> p.Calls:
        """What it calls."""
        roots = root_ids(self._index.keepers, params.roots)
        return await self._reader.callees(params.symbol, roots, params.depth, params.limit, within(deadline))

    async def call_chain(self, params: g.ChainParams) -> p.Chains:
        """How one leads to the other."""
        roots = root_ids(self._index.keepers, params.roots)
        return await self._reader.call_chain(params.source, params.target, roots, params.max_depth, params.limit)

    async def dependencies(self, params: g.ImportsParams) -> p.Imports:
        """What it imports."""
        return await self._imports(params, dependents=False)

    async def dependents(self, params: g.ImportsParams) -> p.Imports:
        """What imports it."""
        return await self._imports(params, dependents=True)

    async def complexity(self, params: g.ComplexityParams, deadline: float | None) -> p.Complexity:
        """Where it is complicated."""
        return await self.figures.complexity(params.path, params.threshold, params.limit, within(deadline))

    async def _imports(self, params: g.ImportsParams, *, dependents: bool) -> p.Imports:
        roots = root_ids(self._index.keepers, params.roots)
        return await self._reader.imports(
            params.path, params.symbol, roots, params.levels, params.limit, dependents=dependents
        )


def within(deadline: float | None) -> float:
    """Seconds that are left until ``deadline``, a time of the loop; as long as it takes where there is none."""
    return math.inf if deadline is None else deadline - asyncio.get_running_loop().time()
