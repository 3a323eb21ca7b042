"""The method table: wire <-> domain, a few lines each."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing

import agentd
from agentd.errors import DeadlineError
from agentd.protocol import METHODS, PROTOCOL_VERSION
from agentd.server.agent_handlers import AGENT_METHODS
from agentd.server.answer_handlers import ANSWER_METHODS
from agentd.server.graph_handlers import GRAPH_METHODS
from agentd.server.method import Context, Load, Method
from agentd.server.params import (
    CancelParams,
    HelloParams,
    InspectParams,
    ListFilesParams,
    MultiSearchParams,
    Params,
    ReadSpanParams,
    ReindexParams,
    RootParams,
    SearchParams,
    WaitParams,
)

SEARCH_GRACE_SECONDS = 0.25
"""A search answers at its deadline with what it has; this much later it is taken for stuck and ended."""


async def hello(_context: Context, _params: HelloParams) -> object:
    """Say who is here."""
    return {
        "name": "agentd",
        "version": agentd.__version__,
        "protocol": PROTOCOL_VERSION,
        "pid": os.getpid(),
        "methods": METHODS,
    }


async def search(context: Context, params: SearchParams) -> object:
    """Search."""
    return await context.services.search(params, context.call.deadline)


async def multi_search(context: Context, params: MultiSearchParams) -> object:
    """Search for several queries at once."""
    return await context.services.multi_search(params, context.call.deadline)


async def read_span(context: Context, params: ReadSpanParams) -> object:
    """Read lines of a file."""
    return await context.services.read_span(params.path, params.start_line, params.end_line)


async def list_files(context: Context, params: ListFilesParams) -> object:
    """List what the index knows."""
    return await context.services.list_files(params)


async def roots_add(context: Context, params: RootParams) -> object:
    """Add a root."""
    return await context.services.add_root(params.path)


async def roots_remove(context: Context, params: RootParams) -> object:
    """Remove a root."""
    return await context.services.remove_root(params.path)


async def roots_list(context: Context, _params: Params) -> object:
    """List the roots."""
    return {"roots": await context.services.roots()}


async def index_status(context: Context, _params: Params) -> object:
    """Say how far the index is."""
    return await context.services.index_status()


async def index_wait(context: Context, params: WaitParams) -> object:
    """Wait until the index is current, streaming progress where asked. A time-out carries the status."""

    def progress(status: object) -> None:
        context.call.offer({"event": "progress", "status": status})

    scope = asyncio.timeout(params.limit_seconds)
    try:
        async with scope:
            return await context.services.index_wait(params.for_, progress if params.events else None)
    except TimeoutError:
        if not scope.expired():
            raise
    message = f"the index was not current within {params.limit_seconds} s; wait longer, or see what is pending"
    raise DeadlineError(message, status=await context.services.index_status())


async def index_reindex(context: Context, params: ReindexParams) -> object:
    """Read files again."""
    return await context.services.reindex(params.path)


async def index_inspect(context: Context, params: InspectParams) -> object:
    """Show what the index holds of single files."""
    return {"files": await context.services.inspect(params)}


async def index_events(context: Context, _params: Params) -> object:
    """Stream events until cancelled, as fast as the client takes them."""
    async with aclosing(context.services.index_events()) as events:
        async for event in events:
            await context.call.send(event)
    return {}


async def stats(context: Context, _params: Params) -> object:
    """Figures: the server's own and those of the services."""
    return {"server": context.stats.snapshot(), **await context.services.stats()}


async def metrics(context: Context, _params: Params) -> object:
    """The same for Prometheus."""
    return {"text": await context.services.metrics(context.stats)}


async def health(context: Context, _params: Params) -> object:
    """Whether all is well."""
    return await context.services.health()


async def cancel(context: Context, params: CancelParams) -> object:
    """End another request of the connection."""
    return {"cancelled": context.call.channel.cancel(params.id, by=context.call)}


METHOD_TABLE: dict[str, Method] = {
    "hello": Method(HelloParams, hello, unlimited=True, load=Load.NONE),
    "search": Method(SearchParams, search, grace_seconds=SEARCH_GRACE_SECONDS),
    "multi_search": Method(MultiSearchParams, multi_search, grace_seconds=SEARCH_GRACE_SECONDS, load=Load.HEAVY),
    "read_span": Method(ReadSpanParams, read_span),
    "list_files": Method(ListFilesParams, list_files),
    **GRAPH_METHODS,
    **ANSWER_METHODS,
    **AGENT_METHODS,
    "roots.add": Method(RootParams, roots_add),
    "roots.remove": Method(RootParams, roots_remove),
    "roots.list": Method(Params, roots_list),
    "index.status": Method(Params, index_status),
    "index.wait": Method(WaitParams, index_wait, own_deadline=True, endless=True, load=Load.NONE),
    "index.reindex": Method(ReindexParams, index_reindex),
    "index.inspect": Method(InspectParams, index_inspect, load=Load.HEAVY),
    "index.events": Method(Params, index_events, endless=True, load=Load.NONE),
    "stats": Method(Params, stats),
    "metrics": Method(Params, metrics),
    "health": Method(Params, health, load=Load.NONE),
    "cancel": Method(CancelParams, cancel, unlimited=True, load=Load.NONE),
}
