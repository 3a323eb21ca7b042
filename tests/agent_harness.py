"""Runs of an agent whose model does as a script says, over tools that find lines of the files of the answer harness.

Everything between them is real. Time is not: it jumps to whatever comes next, so that no test waits for a budget.
"""

from __future__ import annotations

import asyncio
import json
import selectors
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from answer_harness import FILES, ROOT, Disk, passage
from msgspec import Meta, Struct
from msgspec.structs import replace

from agentd.agent.builder import AgentBuilder
from agentd.agent.contracts import Limits, ToolResult
from agentd.agent.executor import Executor
from agentd.agent.scope import RunScope
from agentd.agent.tools import tool
from agentd.answer.binding import Binder
from agentd.answer.grounding import Grounder
from agentd.answer.literal import LiteralSupport, WholePassages
from agentd.config.settings import AgentSettings, RootSettings
from agentd.errors import NotFoundError
from agentd.providers.contracts import Finished, Text, ToolCall, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence

    from agentd.agent.contracts import Scope, Tool
    from agentd.agent.loop import Run
    from agentd.agent.records import TraceRecord
    from agentd.answer.contracts import Extractor
    from agentd.providers.contracts import ChatEvent, ChatRequest

T = TypeVar("T")

LIMITS = Limits(
    turns=6,
    tokens=100_000,
    seconds=100.0,
    tool_calls=20,
    context_tokens=6_000,
    answer_tokens=500,
    result_tokens=600,
    hits=4,
)
TASK = "How many tries are there?"


class _Jumping(selectors.SelectSelector):
    """Where nothing is ready, it is later at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen any more"
            self.now += max(0.0, timeout)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose time is what its timers say. ``rounds`` counts how often it went round, ``doing`` is done then."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        self.rounds = 0
        self.doing: dict[int, Callable[[], object]] = {}
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def _run_once(self) -> None:
        self.rounds += 1
        self.doing.pop(self.rounds, int)()
        super()._run_once()  # type: ignore[misc]  # of BaseEventLoop


def at_once(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What ``work`` comes to, in no time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work())


def now() -> float:
    """Seconds, of the loop that runs."""
    return asyncio.get_running_loop().time()


# What a model does in a turn


def call(name: str, arguments: object = None, identity: str = "") -> ToolCall:
    """A call; ``arguments`` that are text stand as they are."""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return ToolCall(identity, name, written)


def ended(*calls: ToolCall, stop: Any = "", usage: Usage | None = None) -> Finished:
    """The end of a turn."""
    stop = stop or ("tools" if calls else "end")
    return Finished("scripted", "model", stop, usage or Usage(100, 10, counted=True), calls)


def calling(*calls: ToolCall) -> list[object]:
    """A turn that calls tools, and says nothing."""
    return [ended(*calls)]


def saying(*pieces: object) -> list[object]:
    """A turn that writes; see ``Script`` for what a piece may be."""
    return [*pieces, ended()]


class Script:
    """A ChatModel that does ``turns`` one after the other; the last one again and again.

    In a turn text is streamed, a number is a pause in seconds, an error is raised, all else is an event. A turn may be
    a function of the request.
    """

    name = "scripted/model"

    def __init__(self, *turns: object, context_tokens: int = 8192) -> None:
        self.context_tokens = context_tokens
        self.requests: list[ChatRequest] = []
        self._turns = turns

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        self.requests.append(request)
        turn: Any = self._turns[min(len(self.requests), len(self._turns)) - 1]
        for event in turn(request) if callable(turn) else turn:
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, (int, float)):
                await asyncio.sleep(event)
            else:
                yield Text(event) if isinstance(event, str) else event


# Tools


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """Of all tools here."""

    name: Annotated[str, Meta(description="The name of a file")] = "retry.py"
    start: Annotated[int, Meta(description="The first line")] = 3
    seconds: Annotated[float, Meta(description="How long to take")] = 0.0
    size: Annotated[int, Meta(description="How many lines to tell")] = 0


@tool(Wanted, "Shows a line of a file.")
async def look(wanted: Wanted, scope: Scope) -> ToolResult:
    if wanted.seconds:
        await asyncio.sleep(wanted.seconds)
    if f"{ROOT}/{wanted.name}" not in FILES:
        raise NotFoundError(f"there is no {wanted.name}; there are {', '.join(FILES)}")
    text = "\n".join(f"line {number} of many words" for number in range(wanted.size))
    found = passage(wanted.name, wanted.start, wanted.start)
    return ToolResult(text=text, passages=(found,), found=1, roots=frozenset(scope.roots[:1]))


@tool(Wanted, "Breaks.")
async def broken(_wanted: Wanted, _scope: Scope) -> ToolResult:
    await asyncio.sleep(0)
    raise ZeroDivisionError("secret")


@tool(Wanted, "Looks something up in the web.", web=True)
async def web(_wanted: Wanted, scope: Scope) -> ToolResult:
    await asyncio.sleep(0)
    return ToolResult(text=f"for {sorted(scope.outgoing('web').roots)}", found=1)


LOOK = calling(call("look"))


# A run


class Bench:
    """Builds agents and lets them work; what they tell stands in ``events``, and each trace of a turn in ``stored``."""

    def __init__(
        self,
        *turns: object,
        limits: Limits = LIMITS,
        tools: Sequence[Tool] = (look, broken, web),
        roots: Iterable[str] = (ROOT,),
        named: Iterable[str] = (),
        egress: Mapping[str, Sequence[Any]] | None = None,
        extractor: Extractor | None = None,
        files: Mapping[str, str] = FILES,
        context_tokens: int = 8192,
        **changed: Any,
    ) -> None:
        self.model = Script(*turns, context_tokens=context_tokens)
        self.disk = Disk(files)
        self.events: list[Mapping[str, Any]] = []
        self.stored: list[int] = []
        self._limits = replace(limits, **changed)
        self._tools = tools
        self._roots, self._named = roots, named
        self._egress = egress or {}
        self._extractor = extractor or WholePassages()

    def rule(self, root: str) -> RootSettings:
        return RootSettings(path=root, egress=tuple(self._egress.get(root, ())))

    def begin(self, task: str = TASK) -> Run:
        """A run, in a loop that runs."""
        binder = Binder(Grounder(self.disk, self.disk, self.disk), LiteralSupport(0.5))
        builder = AgentBuilder(Executor(AgentSettings())).model(self.model).sources(binder, self._extractor)
        agent = builder.tools(*self._tools).limits(self._limits).clock(now).build()
        self.scope = RunScope(task, agent.limits, self._roots, self._named, self.rule)
        return agent.begin(task, self.scope)

    async def emit(self, event: Mapping[str, Any]) -> None:
        await asyncio.sleep(0)  # as a socket may
        self.events.append(event)

    async def work(self, task: str = TASK) -> TraceRecord:
        run = self.begin(task)
        self.trace = run.trace
        return await run.carry_out(self.emit, lambda trace: self.stored.append(len(trace.turns)))

    def run(self, task: str = TASK) -> TraceRecord:
        """A whole run, in no time."""
        return at_once(lambda: self.work(task))

    @property
    def streamed(self) -> str:
        """What a client shows in the end."""
        shown = ""
        for event in self.events:
            if event["event"] in {"discarded", "chunk"}:
                shown = "" if event["event"] == "discarded" else shown + event["text"]
        return shown

    @property
    def names(self) -> list[str]:
        """The events by name, chunks of one text together."""
        names = [event["event"] for event in self.events]
        return [name for place, name in enumerate(names) if name != "chunk" or names[place - 1 : place] != ["chunk"]]
