"""The methods about runs of the agent, for the method table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.server.agent_params import RunParams
from agentd.server.method import Load, Method
from agentd.server.params import KeptParams, PageParams

if TYPE_CHECKING:
    from agentd.server.method import Context

GRACE_SECONDS = 2.0
"""A run has to have ended by its deadline; one that has not this much later is taken for stuck and ended."""


async def run(context: Context, params: RunParams) -> object:
    """Do a task, streaming what happens as fast as the client takes it."""
    return await context.services.agents.run(params, context.call.deadline, context.call.send)


async def runs(context: Context, params: PageParams) -> object:
    """List the runs that are kept."""
    return await context.services.agents.runs(params)


async def trace(context: Context, params: KeptParams) -> object:
    """Show every turn of a run."""
    return await context.services.agents.trace(params.id)


async def stop(context: Context, params: KeptParams) -> object:
    """End a run that goes on."""
    return {"stopped": await context.services.agents.stop(params.id)}


AGENT_METHODS: dict[str, Method] = {
    # Most of the time it waits for a model; its own bound says how many may.
    "agent.run": Method(RunParams, run, grace_seconds=GRACE_SECONDS, load=Load.NONE),
    "agent.runs": Method(PageParams, runs),
    "agent.trace": Method(KeptParams, trace),
    "agent.stop": Method(KeptParams, stop),
}
