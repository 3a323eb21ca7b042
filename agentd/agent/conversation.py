"""What is said between a run and its model: requests that fit, answers that count, calls and what came of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.agent import calling, events, prompt
from agentd.agent.asking import Asking
from agentd.agent.budget import LEAST_ANSWER
from agentd.agent.circles import Circles
from agentd.agent.context import Context, Exchange, within
from agentd.agent.records import TurnRecord
from agentd.agent.tally import sum_up
from agentd.answer.cleaning import Cleaner
from agentd.errors import NoProviderError, ProviderAnswerError
from agentd.providers.contracts import ChatRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentd.agent.budget import Budget
    from agentd.agent.contracts import Emit, Toolbox
    from agentd.agent.records import Limit, TraceRecord
    from agentd.agent.scope import RunScope
    from agentd.agent.tiers import Style
    from agentd.answer.generation import Written
    from agentd.errors import AgentdError
    from agentd.providers.contracts import ChatModel, Tool

SPELLED_OUT = 'the model wrote a tool call as text: tool_calls = "text" in its [[provider]] may be what it needs'
CALLED_ANYWAY = "it called tools, which it could not any more"
_SPELLED = re.compile(
    r"\s*(?:```\w*\s*)?(?:<\s*tool_call|\{\s*\"name\"\s*:\s*\"\w+\",\s*\"(?:arguments|parameters)\"\s*:)"
)


class Conversation:
    """The turns of one run, which stand in ``trace`` as they happen. ``progress`` is told of it after each."""

    def __init__(
        self,
        trace: TraceRecord,
        scope: RunScope,
        tools: Toolbox,
        budget: Budget,
        chat: ChatModel,
        style: Style,
        temperature: float,
        emit: Emit,
        progress: Callable[[TraceRecord], None],
    ) -> None:
        self._trace = trace
        self._scope = scope
        self._tools = tools
        self._budget = budget
        self._chat = chat
        self._temperature = temperature
        self._emit = emit
        self._progress = progress
        names = [tool.name for tool in tools.offered()]
        self._rules = prompt.rules(style, tools.boundary, names)
        self._context = Context(self._rules + prompt.folders(scope.spoken), trace.run.task)
        self._circles = Circles()
        self._ids: set[str] = set()  # of calls
        self._note = ""  # for the next request

    def check(self) -> None:
        """Refuse a task that is too long for the model. Raises InvalidParamsError."""
        self._context.check(self._budget.limits.context_tokens, self._tools.offered())

    def limit(self) -> Limit:
        """Why the next turn has to be the last one; empty where it need not."""
        tokens = min(self._context.tokens(self._tools.offered()), within(self._budget.limits.context_tokens))
        return self._circles.reached or self._budget.reached(tokens)

    async def turn(self) -> Written | None:
        """Ask the model, and make the calls that it wants. What it wrote, where that is an answer.

        Raises:
            AgentdError: the model failed for good.
        """
        turn = self._begin()
        try:
            budget = self._budget
            written = await self._usable(turn, self._tools.offered(), budget.limits.context_tokens, budget.seconds)
            if written is None or not written.finished.tool_calls:
                return written
            await self._call(turn, written)
            return None
        finally:
            self._over(turn)

    async def last_turn(self, note: str) -> Written | None:
        """Ask the model for an answer, without tools; None where it gives none, or nothing is left to ask it for one.

        Raises:
            AgentdError: the model failed for good.
        """
        room = self._budget.prompt_tokens
        if not self._budget.may_ask() or not self._context.fits(room, ()):
            return None
        turn = self._begin()
        self._note = note
        try:
            written = await self._usable(turn, (), room, self._budget.last_seconds)
            if written is not None and written.finished.tool_calls:
                turn.problems.append(CALLED_ANYWAY)
                return None
            return written
        finally:
            self._over(turn)

    def _begin(self) -> TurnRecord:
        self._budget.turns += 1
        turn = TurnRecord(n=self._budget.turns, began=self._budget.milliseconds)
        self._trace.turns.append(turn)
        return turn

    def _over(self, turn: TurnRecord) -> None:
        for record in turn.calls:
            calling.stop(record, self._budget)
        self._circles.saw(turn)
        sum_up(self._trace)
        self._progress(self._trace)

    async def _usable(self, turn: TurnRecord, tools: Sequence[Tool], room: int, seconds: float) -> Written | None:
        """What the model wrote; None where it was late, or wrote nothing that can be used, which it is told of."""
        try:
            written = await self._ask(turn, tools, room, seconds)
        except (ProviderAnswerError, NoProviderError) as error:
            turn.problems.append(error.message)
            if not is_unusable(error):
                raise
            await self._emit(events.error(turn.n, error.kind, error.message))
            self._note = prompt.EMPTY
            return None
        if written is not None and not written.finished.tool_calls and _SPELLED.match(written.text):
            await self._refuse_spelled(turn)
            return None
        return written

    async def _refuse_spelled(self, turn: TurnRecord) -> None:
        """A server that does not read calls out of what its model writes gives them as text: a person should know."""
        turn.problems.append(SPELLED_OUT)
        self._trace.run.degraded = list(dict.fromkeys([*self._trace.run.degraded, SPELLED_OUT]))
        self._note = prompt.EMPTY
        await self._emit(events.discarded(turn.n, SPELLED_OUT))

    async def _ask(self, turn: TurnRecord, tools: Sequence[Tool], room: int, seconds: float) -> Written | None:
        request = self._context.request(room, tools, self._note)
        self._note = ""
        turn.context_tokens, turn.context = request.tokens, request.dropped
        if request.dropped:
            await self._emit(events.context(turn.n, request.dropped, request.tokens))
        longest = max(LEAST_ANSWER, self._budget.answer_tokens(request.tokens))
        outgoing = self._scope.outgoing("chat")
        asked = ChatRequest(request.messages, outgoing, longest, self._temperature, tuple(tools))
        return await Asking(self._chat, self._cleaner, self._emit, turn, self._budget).ask(asked, seconds)

    def _cleaner(self) -> Cleaner:
        passages = self._tools.passages
        addresses = {passage.url for passage in passages if passage.url}
        return Cleaner(len(passages), addresses, hidden=[self._rules], markers=[self._tools.boundary])

    async def _call(self, turn: TurnRecord, written: Written) -> None:
        wanted = written.finished.tool_calls
        most = min(calling.MOST_AT_ONCE, self._budget.calls_left)
        calls = calling.known(wanted[:most], turn.n, self._ids)
        if surplus := len(wanted) - len(calls):
            turn.problems.append(f"{surplus} of {len(wanted)} calls were not made")
            self._note = prompt.SURPLUS.format(count=surplus, most=most)
        self._budget.tool_calls += len(calls)
        told = await calling.make(calls, turn, self._tools, self._emit, self._budget)
        self._context.add(Exchange(turn.n, written.text, calls, told))


def is_unusable(error: AgentdError) -> bool:
    """Whether a model answered, but nothing that can be used: it may at the next try."""
    if isinstance(error, NoProviderError):
        kinds = error.details.get("providers")
        return isinstance(kinds, dict) and set(kinds.values()) == {ProviderAnswerError.kind}
    return isinstance(error, ProviderAnswerError)
