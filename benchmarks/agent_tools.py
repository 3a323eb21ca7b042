"""What counting and tracing adds to a tool call: the same function awaited as it is, and through the tracer.

Also what all that the toolbox does takes: reading the arguments, finding out whether the call was made before, running
it within its bounds, and writing what the model is told.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, cast

import uvloop
from msgspec import Meta, Struct

from agentd.agent.contracts import Limits, ToolResult
from agentd.agent.executor import Executor
from agentd.agent.records import CallRecord
from agentd.agent.toolbox import RunToolbox
from agentd.agent.tools import tool
from agentd.agent.tracing import Tracer
from agentd.answer.contracts import Passage, SourceName
from agentd.config.settings import AgentSettings
from agentd.observability.metrics import Metrics
from agentd.providers.contracts import ToolCall
from benchmarks.harness.figures import Figure, median, spread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from agentd.agent.contracts import Scope
    from benchmarks.harness.workspace import Workspace

CALLS = 3000
BATCH = 100
"""Calls that are timed together: one alone is near the resolution of the clock."""
BAR_MICROSECONDS = 50.0

ROOT = "/code"
LINES = "    return [each for each in found if each.score > least]  # in the order of the ranking\n" * 12
LIMITS = Limits(
    turns=16, tokens=400_000, seconds=300.0, tool_calls=CALLS, context_tokens=28_000, answer_tokens=1500,
    result_tokens=2500, hits=8,
)  # fmt: skip


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of the tool that is measured."""

    number: Annotated[int, Meta(description="Makes each call another one")] = 0


class Unbounded:
    """A scope of one root, for whom nothing is out of bounds."""

    roots = named = (ROOT,)
    limits = LIMITS
    addresses: Collection[str] = ()

    def saw(self, result: ToolResult) -> None:
        """See ``Scope``."""

    def web_refusal(self) -> str:
        """See ``Scope``."""
        return ""


RESULT = ToolResult(
    passages=tuple(
        Passage(
            source=SourceName.DOCUMENTS,
            text=LINES,
            start_line=100 * at + 1,
            end_line=100 * at + 12,
            path=f"{ROOT}/src/found_{at}.py",
            root=ROOT,
        )
        for at in range(8)
    ),
    found=8,
    roots=frozenset({ROOT}),
)
"""Eight passages of a kilobyte: what a search of a medium run gives."""


@tool(Asked, "Gives what it always gives.")
async def look(_asked: Asked, _scope: Scope) -> ToolResult:
    """Take no time."""
    return RESULT


def run(_workspace: Workspace) -> list[Figure]:
    """Microseconds a call, of batches of them."""
    return uvloop.run(measured())


async def measured() -> list[Figure]:
    """Bare, traced, and through the toolbox, in turns, so that all of them see the same machine."""
    scope = cast("Scope", Unbounded())
    tracer = Tracer(Metrics())
    tools = RunToolbox(Executor(AgentSettings()), [look], scope)

    async def bare(_number: int) -> object:
        return await look.run(Asked(), scope)

    async def traced(number: int) -> object:
        record = CallRecord(id=str(number), tool="look", input=None, outcome="running")
        return await tracer.traced(record, look.run(Asked(), scope), "look")

    async def called(number: int) -> object:
        call = ToolCall(str(number), "look", f'{{"number": {number}}}')
        record = CallRecord(id=call.id, tool="look", input=call.arguments, outcome="running")
        return await tools.call(call, record, 1)

    bares, traces, calls = await in_turns(bare, traced, called)
    tracing = [one - other for one, other in zip(traces, bares, strict=True)]
    added = median(tracing)
    return [
        Figure(
            "tool call: counting and tracing it, 8 passages found",
            f"{added:.1f} µs",
            baseline=f"bare await {median(bares):.1f} µs",
            bar=f"{BAR_MICROSECONDS:.0f} µs",
            met=added <= BAR_MICROSECONDS,
        ),
        Figure("tool call: the same, worst of batches", f"{max(tracing):.1f} µs"),
        Figure(
            "tool call: all around the tool, its result written for the model", spread([each / 1000 for each in calls])
        ),
    ]


async def in_turns(*ways: Callable[[int], Awaitable[Any]]) -> list[list[float]]:
    """Microseconds a call of each batch, by way."""
    took: list[list[float]] = [[] for _ in ways]
    for batch in range(CALLS // BATCH):
        for place, way in enumerate(ways):
            began = time.perf_counter()
            for number in range(BATCH):
                await way(batch * BATCH + number)
            took[place].append(1e6 * (time.perf_counter() - began) / BATCH)
    return took
