"""A run: turns of a model with tools, until it answers or a budget is reached; then one turn that must answer.

Whatever happens, the trace says what was done, and an answer is made of what was found: a model that never answers, or
fails when something was found, gives way to an extract of the passages that the run has seen.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import structlog

from agentd.agent import calling, events, prompt
from agentd.agent.conversation import Conversation
from agentd.agent.records import RunError
from agentd.agent.tally import sum_up
from agentd.answer.contracts import SourceName
from agentd.answer.pipeline import Draft, extracted, model_of
from agentd.errors import AgentdError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentd.agent.budget import Budget
    from agentd.agent.contracts import Emit, Toolbox
    from agentd.agent.records import State, TraceRecord
    from agentd.agent.scope import RunScope
    from agentd.agent.tiers import Style
    from agentd.answer.binding import Binder
    from agentd.answer.contracts import Extractor
    from agentd.answer.generation import Written
    from agentd.providers.contracts import ChatModel

log = structlog.get_logger(__name__)

NOTHING = "There is no answer: the model gave none, and no text was found that could be shown instead."
MOST_EXTRACTED = 40
"""Passages, of which an extract has a few: the first searches were in the words of the task."""
NO_ANSWER = "the model gave no answer in the end"
FAULT = "a fault of agentd; its log says more"
LIMITS = {
    "turns": "the run used all of its turns (max_turns: {0.turns})",
    "tokens": "the run used nearly all of its tokens (max_tokens: {0.tokens:,})",
    "seconds": "the run used nearly all of its time (max_seconds: {0.seconds:g})",
    "tool_calls": "the run made all of its tool calls (max_tool_calls: {0.tool_calls})",
    "repetition": "the model made the same calls again and again, and was stopped",
    "errors": "the model made nothing but calls that failed, and was stopped",
}
"""For a person, by limit."""


class Means(NamedTuple):
    """What runs of one agent share."""

    chat: ChatModel
    binder: Binder
    extractor: Extractor
    style: Style
    temperature: float


class Run:
    """One run. ``trace`` tells what there is of it at any moment, and is final once ``carry_out`` has ended."""

    def __init__(self, trace: TraceRecord, scope: RunScope, tools: Toolbox, budget: Budget, means: Means) -> None:
        self.trace = trace
        self._run = trace.run
        self._scope = scope
        self._tools = tools
        self._budget = budget
        self._means = means

    async def carry_out(self, emit: Emit, progress: Callable[[TraceRecord], None]) -> TraceRecord:
        """Work until there is an answer; ``progress`` is told of the trace after each turn, and must not wait.

        Raises:
            AgentdError: there is none, and nothing to make one of; ``run`` in its details is the id.
            CancelledError: of asyncio, when somebody cancels it; the state is then ``cancelled``.
        """
        try:
            await self._work(self._noting(emit), progress)
            self._close("answered")
        except asyncio.CancelledError:
            self._close("cancelled")
            raise
        except AgentdError as error:
            error.details["run"] = self._run.id
            self._close("failed", RunError(error.kind, error.message))
            await emit(events.error(self._budget.turns, error.kind, error.message))
            await emit(events.done(self._run))
            raise
        except BaseException:
            self._close("failed", RunError(AgentdError.kind, FAULT))
            raise
        await emit(events.done(self._run))
        return self.trace

    async def _work(self, emit: Emit, progress: Callable[[TraceRecord], None]) -> None:
        means = self._means
        talk = Conversation(
            self.trace,
            self._scope,
            self._tools,
            self._budget,
            means.chat,
            means.style,
            means.temperature,
            emit,
            progress,
        )
        await emit(events.started(self._run, [tool.name for tool in self._tools.offered()]))
        talk.check()
        await self._bind(await self._draft(talk, emit))

    async def _draft(self, talk: Conversation, emit: Emit) -> Draft:
        try:
            written = await self._answer(talk)
        except AgentdError as error:
            if not self._tools.passages:
                raise
            log.warning("run_without_model", run=self._run.id, kind=error.kind, error=error.message)
            await emit(events.error(self._budget.turns, error.kind, error.message))
            return await self._extract(f"the model failed: {error.message}", emit)
        return await self._extract(NO_ANSWER, emit) if written is None else self._generated(written)

    async def _answer(self, talk: Conversation) -> Written | None:
        """What the model answered within the budgets, or in the last turn, which has one more try."""
        while not (limit := talk.limit()):
            if (written := await talk.turn()) is not None:
                return written
        self._run.limit = limit
        self._run.degraded.append(LIMITS[limit].format(self._budget.limits))
        first = await talk.last_turn(prompt.LAST.format(reason=prompt.REASONS[limit]))
        return first or await talk.last_turn(prompt.AGAIN)

    def _generated(self, written: Written) -> Draft:
        usage, problems = written.finished.usage, tuple(written.problems)
        passages = list(self._tools.passages)
        return Draft(written.text, passages, "generated", model_of(written.finished), usage, problems)

    async def _extract(self, problem: str, emit: Emit) -> Draft:
        """The passages that answer best; they were found in searches of their own, so the order is that of numbers."""
        whole_first = sorted(
            self._tools.passages, key=lambda each: each.source is SourceName.GRAPH
        )  # a line says little
        passages, changed = await self._means.binder.standing(whole_first[:MOST_EXTRACTED])
        if passages:
            draft = await extracted(self._means.extractor, self._run.task, passages, (problem, *changed))
        else:  # which says that the model gave none
            why = () if problem == NO_ANSWER else (problem,)
            draft = Draft(NOTHING, [], "extractive", problems=(*why, *changed))
        await emit(events.chunk(self._budget.turns, draft.text))
        return draft

    async def _bind(self, draft: Draft) -> None:
        run = self._run
        generated, left = draft.mode == "generated", self._budget.limits.seconds - self._budget.elapsed
        bound = await self._means.binder.bind(draft.text, draft.passages, generated=generated, seconds=left)
        run.mode = draft.mode if generated or draft.passages else "nothing"
        run.answer, run.citations, run.claims = bound.text, bound.citations, bound.claims
        run.degraded = list(dict.fromkeys([*run.degraded, *draft.problems, *self._tools.problems, *bound.problems]))

    def _close(self, state: State, error: RunError | None = None) -> None:
        """Make the trace final. Nothing is awaited, so that it is whatever ends the run."""
        run = self._run
        for turn in self.trace.turns:
            for record in turn.calls:
                calling.stop(record, self._budget)
        sum_up(self.trace)
        run.state, run.error, run.roots = state, error, [*self._scope.touched]
        run.timings["total"] = self._budget.milliseconds

    def _noting(self, emit: Emit) -> Emit:
        """``emit``, which also notes when the text began that stood in the end."""
        timings = self._run.timings

        async def noted(event: Mapping[str, object]) -> None:
            if event["event"] == "chunk":
                timings.setdefault("first_text", self._budget.milliseconds)
            elif event["event"] == "discarded":
                timings.pop("first_text", None)
            await emit(event)

        return noted
