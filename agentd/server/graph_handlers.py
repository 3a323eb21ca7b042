"""The methods about symbols and the graph, for the method table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.server.graph_params import (
    CallsParams,
    ChainParams,
    ComplexityParams,
    FindSymbolParams,
    ImportsParams,
    RelatedParams,
)
from agentd.server.method import Load, Method

if TYPE_CHECKING:
    from agentd.server.method import Context

GRACE_SECONDS = 0.25
"""These answer at their deadline with what they have; this much later they are taken for stuck and ended."""


async def find_symbol(context: Context, params: FindSymbolParams) -> object:
    """Find definitions."""
    return await context.services.graph.find_symbol(params)


async def related(context: Context, params: RelatedParams) -> object:
    """Tell what belongs to a line."""
    return await context.services.graph.related(params, context.call.deadline)


async def callers(context: Context, params: CallsParams) -> object:
    """Who calls it."""
    return await context.services.graph.callers(params, context.call.deadline)


async def callees(context: Context, params: CallsParams) -> object:
    """What it calls."""
    return await context.services.graph.callees(params, context.call.deadline)


async def call_chain(context: Context, params: ChainParams) -> object:
    """How one leads to the other."""
    return await context.services.graph.call_chain(params)


async def dependencies(context: Context, params: ImportsParams) -> object:
    """What it imports."""
    return await context.services.graph.dependencies(params)


async def dependents(context: Context, params: ImportsParams) -> object:
    """What imports it."""
    return await context.services.graph.dependents(params)


async def complexity(context: Context, params: ComplexityParams) -> object:
    """Where it is complicated."""
    return await context.services.graph.complexity(params, context.call.deadline)


GRAPH_METHODS: dict[str, Method] = {
    "find_symbol": Method(FindSymbolParams, find_symbol),
    "related": Method(RelatedParams, related, grace_seconds=GRACE_SECONDS),
    "graph.callers": Method(CallsParams, callers, grace_seconds=GRACE_SECONDS),
    "graph.callees": Method(CallsParams, callees, grace_seconds=GRACE_SECONDS),
    "graph.call_chain": Method(ChainParams, call_chain, load=Load.HEAVY),
    "graph.dependencies": Method(ImportsParams, dependencies),
    "graph.dependents": Method(ImportsParams, dependents),
    "graph.complexity": Method(ComplexityParams, complexity, grace_seconds=GRACE_SECONDS, load=Load.HEAVY),
}
