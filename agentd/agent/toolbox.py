"""The tools of one run, on the executor that all runs share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from msgspec import json
from msgspec.structs import replace

from agentd.agent.arguments import decode, tool_hint
from agentd.agent.contracts import ToolResult
from agentd.agent.evidence import Evidence
from agentd.agent.outcomes import Failure, judged
from agentd.agent.tracing import UNKNOWN
from agentd.errors import ToolInputError, ToolUnknownError
from agentd.providers.contracts import Tool as Offered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.agent.contracts import Scope, Told, Tool
    from agentd.agent.executor import Executor
    from agentd.agent.records import CallRecord
    from agentd.answer.contracts import Passage
    from agentd.providers.contracts import ToolCall

MAX_TEXT = 8000
"""Characters of what the model was shown that a trace keeps of one call."""
MAX_INPUT = 2000
"""Characters of arguments that are no JSON."""
MOST_PROBLEMS = 10
"""That an answer tells of."""

_Key = tuple[str, bytes]


class _Made(NamedTuple):
    """A call that was made, or is being made; ``done`` holds None where it was cancelled."""

    turn: int
    done: asyncio.Future[ToolResult | Failure | None]


class RunToolbox:
    """Satisfies ``Toolbox``. A call that failed may be made again; one that did not is answered from the first time,
    and of identical calls of one turn one is made.
    """

    def __init__(self, executor: Executor, tools: Iterable[Tool], scope: Scope) -> None:
        self._executor = executor
        self._tools = {tool.name: tool for tool in tools}
        self._scope = scope
        self._evidence = Evidence()
        self._made: dict[_Key, _Made] = {}
        self._problems: dict[str, None] = {}  # in the order of their coming
        self._slots = asyncio.Semaphore(executor.parallel)
        self._described = {
            name: Offered(name, tool.description, dict(tool.schema)) for name, tool in self._tools.items()
        }

    @property
    def passages(self) -> Sequence[Passage]:
        """See ``Toolbox``."""
        return self._evidence.passages

    @property
    def problems(self) -> Sequence[str]:
        """See ``Toolbox``."""
        return list(self._problems)[:MOST_PROBLEMS]

    @property
    def boundary(self) -> str:
        """See ``Toolbox``."""
        return self._evidence.boundary

    def offered(self) -> Sequence[Offered]:
        """See ``Toolbox``. Those of the web are gone once the run may not use it."""
        refused = bool(self._scope.web_refusal())
        return [self._described[name] for name, tool in self._tools.items() if not (tool.web and refused)]

    async def call(self, call: ToolCall, record: CallRecord, turn: int) -> Told:
        """See ``Toolbox``."""
        arguments, record.input = read(call.arguments)
        label = call.name if call.name in self._tools else UNKNOWN
        work = self._once((call.name, arguments), call, record, turn)
        done = await self._executor.tracer.traced(record, work, label)
        self._see(done, self._tools.get(call.name))
        if isinstance(done, Failure):
            told = self._evidence.failed(call.name, done)
        else:
            told = self._evidence.told(call.name, done, self._scope.limits.result_tokens)
        record.text = told.text[:MAX_TEXT]
        return told

    async def _once(self, key: _Key, call: ToolCall, record: CallRecord, turn: int) -> ToolResult | Failure:
        """What came of the same call before, or of this one."""
        while (made := self._made.get(key)) is not None:
            earlier = await asyncio.shield(made.done)  # others wait for it, too
            if earlier is not None:
                record.cached = True
                return repeated(earlier, made.turn)
        done = asyncio.get_running_loop().create_future()
        self._made[key] = _Made(turn, done)
        outcome: ToolResult | Failure | None = None
        try:
            outcome = await self._attempt(call)
        finally:
            if not isinstance(outcome, ToolResult):
                del self._made[key]
            done.set_result(outcome)
        return outcome

    async def _attempt(self, call: ToolCall) -> ToolResult | Failure:
        tool = self._tools.get(call.name)
        if tool is None:
            names = [each.name for each in self.offered()]
            return judged(ToolUnknownError(f"there is no such tool; {tool_hint(call.name, names)}"))._replace(
                tells=False
            )
        async with self._slots:
            return await self._executor.attempt(tool, call.arguments, self._scope)

    def _see(self, done: ToolResult | Failure, tool: Tool | None) -> None:
        """The scope learns at once what the model is about to: a failure may name any file of the run's roots."""
        if isinstance(done, ToolResult):
            self._scope.saw(done)
            self._problems.update(dict.fromkeys(done.problems))
        elif done.tells and tool is not None and not tool.web:
            self._scope.saw(ToolResult(roots=frozenset(self._scope.roots)))


def read(arguments: str) -> tuple[bytes, object]:
    """Arguments in the one form that identical calls share, and as a trace shows them."""
    try:
        decoded = decode(arguments)
    except ToolInputError:
        return arguments.encode(errors="replace"), arguments[:MAX_INPUT]
    return json.encode(decoded, order="sorted"), decoded


def repeated(earlier: ToolResult | Failure, turn: int) -> ToolResult | Failure:
    """The same once more, said to be that."""
    if isinstance(earlier, Failure):
        return earlier
    note = f"this very call was made in turn {turn} already, with this result: do something else now"
    return replace(earlier, notes=(note, *earlier.notes))
