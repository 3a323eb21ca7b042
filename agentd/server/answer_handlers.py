"""The methods about answers, for the method table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.server.answer_params import AskParams
from agentd.server.method import Load, Method
from agentd.server.params import KeptParams, PageParams

if TYPE_CHECKING:
    from agentd.server.method import Context

GRACE_SECONDS = 1.0
"""An answer ends at its deadline with what there is; this much later it is taken for stuck and ended."""


async def ask(context: Context, params: AskParams) -> object:
    """Answer, streaming as fast as the client takes it."""
    return await context.services.answers.ask(params, context.call.deadline, context.call.send)


async def get(context: Context, params: KeptParams) -> object:
    """Give a kept answer again."""
    return await context.services.answers.get(params.id)


async def verify(context: Context, params: KeptParams) -> object:
    """Compare what an answer cites with the disk."""
    return await context.services.answers.verify(params.id)


async def listing(context: Context, params: PageParams) -> object:
    """List the answers that are kept."""
    return await context.services.answers.list(params)


ANSWER_METHODS: dict[str, Method] = {
    # Most of the time it waits for a model; its own bound says how many may.
    "ask": Method(AskParams, ask, grace_seconds=GRACE_SECONDS, load=Load.NONE),
    "answer.get": Method(KeptParams, get),
    "answer.verify": Method(KeptParams, verify),
    "answer.list": Method(PageParams, listing),
}
