"""What a turn of the agent costs beyond its model and its tools: these answer at once here, at full length."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, cast

import uvloop
from msgspec import Meta, Struct

from agentd.agent.builder import AgentBuilder
from agentd.agent.contracts import Tier, ToolResult
from agentd.agent.executor import Executor
from agentd.agent.scope import RunScope
from agentd.agent.tools import tool
from agentd.answer.binding import Binder, Bound
from agentd.answer.contracts import Passage, SourceName
from agentd.answer.literal import WholePassages
from agentd.config.settings import AgentSettings, RootSettings
from agentd.providers.contracts import ChatRequest, Finished, Outgoing, Text, Thinking, ToolCall, Usage
from agentd.providers.contracts import Tool as Offered
from benchmarks.harness.figures import Figure, percentile, spread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from agentd.agent.contracts import Scope
    from agentd.providers.contracts import ChatEvent
    from benchmarks.harness.workspace import Workspace

BAR = 5.0
"""Milliseconds a turn at the median."""
TURNS = 39
"""All but the last of a large run."""
RUNS = 5
PIECES = 60
"""Of thought before each call: what a model says in a second or two."""
HITS = 8
LINES = 30
CALLS = 2
ROOT = "/tree"


class Query(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the tool; no two calls are the same."""

    number: Annotated[str, Meta(description="Which query this is")]


class Instant:
    """A ChatModel that thinks, calls the tool, and in the end answers. ``began`` are the times of its requests."""

    name = "instant/model"
    context_tokens = 131_072

    def __init__(self) -> None:
        self.began: list[float] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """Everything at once."""
        self.began.append(time.perf_counter())
        for piece in range(PIECES):
            yield Thinking(f"thought {piece} ")
        if not request.tools or len(self.began) > TURNS:
            yield Text("It is so [1].")
            yield Finished("instant", "model", "end", Usage(100, 10, counted=True))
            return
        calls = tuple(call(f"{len(self.began)}.{place}") for place in range(CALLS))
        yield Finished("instant", "model", "tools", Usage(100, 10, counted=True), calls)


def call(number: str) -> ToolCall:
    """A call of the tool."""
    return ToolCall(number, "find", f'{{"number": "{number}"}}')


class Plain(Binder):
    """Binds nothing: that is not of a turn."""

    def __init__(self) -> None:
        """Without files."""

    async def bind(
        self,
        text: str,
        passages: Sequence[Passage],  # noqa: ARG002  # see Binder
        *,
        generated: bool,  # noqa: ARG002  # the same
        seconds: float = 0,  # noqa: ARG002  # the same
    ) -> Bound:
        """The text."""
        return Bound(text, [], [], [])


def result() -> ToolResult:
    """As much as a search gives."""
    text = "".join(f"    value_{line} = compute(value, {line})  # what it is for\n" for line in range(LINES))
    passages = (
        Passage(
            source=SourceName.DOCUMENTS, path=f"{ROOT}/part{n}.py", root=ROOT, text=text, start_line=1, end_line=LINES
        )
        for n in range(HITS)
    )
    return ToolResult(passages=tuple(passages), found=HITS, roots=frozenset({ROOT}))


FOUND = result()


@tool(Query, "Find what there is.")
async def find(_query: Query, _scope: Scope) -> ToolResult:
    """At once."""
    await asyncio.sleep(0)
    return FOUND


async def emit(_event: Mapping[str, object]) -> None:
    """To a client that takes everything."""
    await asyncio.sleep(0)


async def turns(number: int) -> list[float]:
    """Milliseconds from one request of a run to the next."""
    model = Instant()
    builder = AgentBuilder(Executor(AgentSettings())).model(model).sources(Plain(), WholePassages())
    agent = builder.tier(Tier.LARGE).tools(find).build()
    scope = RunScope(f"task {number}", agent.limits, [ROOT], [], lambda root: RootSettings(path=root))
    await agent.begin(f"task {number}", scope).carry_out(emit, lambda _trace: None)
    return between(model.began)


async def bare() -> list[float]:
    """Milliseconds of the same model, tool and client, awaited one after the other, without anything in between."""
    model = Instant()
    scope = cast("Scope", None)
    request = ChatRequest((), Outgoing("chat", frozenset()), 1, tools=(Offered("find", "", {}),))
    for turn in range(TURNS):
        async for event in model.stream(request):
            await emit({"event": "thinking", "turn": turn, "text": event})
        await asyncio.gather(*(find.run(Query(f"{place}"), scope) for place in range(CALLS)))
    return between(model.began)


def between(moments: Sequence[float]) -> list[float]:
    """Milliseconds from each of ``moments`` to the next."""
    return [1000 * (later - earlier) for earlier, later in pairwise(moments)]


def run(_workspace: Workspace) -> list[Figure]:
    """Runs of forty turns, each with thoughts, two calls and results of full size."""
    found = [each for number in range(RUNS) for each in uvloop.run(turns(number))]
    beside = percentile([each for _ in range(RUNS) for each in uvloop.run(bare())], 0.5)
    beyond = [each - beside for each in found]
    return [
        Figure(
            f"agent, a turn beyond model and tools, of {len(found)}",
            spread(beyond),
            baseline=f"bare awaits p50 {beside:.1f} ms",
            bar=f"p50 {BAR:g} ms",
            met=percentile(beyond, 0.5) <= BAR,
        )
    ]
