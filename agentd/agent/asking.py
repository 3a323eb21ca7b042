"""One request to the model: streamed, cleaned, and noted in the trace whatever becomes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentd.agent import events
from agentd.answer.generation import Writer
from agentd.answer.pipeline import model_of
from agentd.errors import AgentdError
from agentd.providers.contracts import Usage
from agentd.retrieval.budget import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentd.agent.budget import Budget
    from agentd.agent.contracts import Emit
    from agentd.agent.records import TurnRecord
    from agentd.answer.cleaning import Cleaner
    from agentd.answer.generation import Written
    from agentd.providers.contracts import ChatModel, ChatRequest, Finished

THOUGHT_ALOUD = "the model thought aloud before it called tools"
TOO_LATE = "it was not done in time"
MOST_KEPT = 20_000
"""Characters of thoughts that a trace keeps of one turn."""


class Asking:
    """Asks the model once. What comes of it stands in ``record``, also when it fails, is late, or is cancelled."""

    def __init__(
        self, chat: ChatModel, cleaner: Callable[[], Cleaner], emit: Emit, record: TurnRecord, budget: Budget
    ) -> None:
        self._writer = Writer(chat, cleaner, self._told, thoughts=True)
        self._emit = emit
        self._record = record
        self._budget = budget
        self._pieces: list[str] = []  # that were told on, void ones too
        self._refused = False  # before it said anything
        self._late: asyncio.Timeout | None = None

    async def ask(self, request: ChatRequest, seconds: float) -> Written | None:
        """What the model wrote within ``seconds``; None where it was late.

        A model that has begun to write text by then may go on for as long as the last turn could: it may be the answer.

        Raises:
            AgentdError: the model failed; what was said is void, and the client knows.
        """
        finished: Finished | None = None
        try:
            async with asyncio.timeout(max(0.0, seconds)) as self._late:
                written = await self._writer.write(request)
            finished = written.finished
            await self._take(written)
        except TimeoutError:
            self._record.problems.append(TOO_LATE)
            await self._writer.discard(TOO_LATE)
            return None
        except AgentdError:
            self._refused = not self._pieces
            raise
        finally:
            self._note(finished)
        return written

    async def _take(self, written: Written) -> None:
        """Text that comes with calls is no answer, but thought."""
        self._record.problems += written.problems
        if written.finished.tool_calls and written.text:
            turn = self._record.n
            self._record.thinking = "\n\n".join(filter(None, (self._writer.thought, written.text)))[:MOST_KEPT]
            await self._emit(events.discarded(turn, THOUGHT_ALOUD))
            await self._emit(events.thinking(turn, written.text))
        else:
            self._record.thinking, self._record.text = self._writer.thought[:MOST_KEPT], written.text

    def _note(self, finished: Finished | None) -> None:
        record = self._record
        record.milliseconds = round(self._budget.milliseconds - record.began, 3)
        if finished is not None:
            record.model, record.stop = model_of(finished), finished.stop
        else:
            record.thinking = "".join(self._pieces)[:MOST_KEPT]  # all that it said is void
        record.usage = self._usage(finished)
        self._budget.tokens += record.usage.input_tokens + record.usage.output_tokens

    def _usage(self, finished: Finished | None) -> Usage:
        """What the server counted, or our estimate: of what was told on, also where that is void now."""
        if finished is not None and (finished.usage.input_tokens or finished.usage.output_tokens):
            return finished.usage
        if self._refused:
            return Usage()
        calls = finished.tool_calls if finished is not None else ()
        written = [*self._pieces, *(f" {call.name} {call.arguments}" for call in calls)]
        return Usage(self._record.context_tokens, estimate_tokens("".join(written)))

    async def _told(self, event: Mapping[str, object]) -> None:
        text = event.get("text")
        if isinstance(text, str):
            self._pieces.append(text)
            self._note_first(answer=event["event"] == "chunk")
        await self._emit(events.in_turn(event, self._record.n))

    def _note_first(self, *, answer: bool) -> None:
        if self._record.first_token is None:
            self._record.first_token = round(self._budget.milliseconds - self._record.began, 3)
        if answer and self._late is not None and not self._late.expired():
            self._late.reschedule(asyncio.get_running_loop().time() + max(0.0, self._budget.last_seconds))
