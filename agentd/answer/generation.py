"""A chat model writes, its text is cleaned as it streams, and half an answer never counts as one."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from agentd.errors import AgentdError, ProviderAnswerError
from agentd.providers.contracts import Discarded, Finished, Text, Thinking

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agentd.answer.cleaning import Cleaner
    from agentd.providers.contracts import ChatModel, ChatRequest

    Emit = Callable[[Mapping[str, object]], Awaitable[None]]

CHARS_A_TOKEN = 16
"""A server that goes on beyond the tokens it was allowed is stopped here."""


class Written(NamedTuple):
    """What a model wrote, cleaned, and what it had to say about it."""

    text: str
    finished: Finished
    problems: list[str]


class Writer:
    """One answer being written. ``said`` is what the client has seen of it, and ``thought`` what it has seen of the
    model's thoughts, which are told on where ``thoughts`` is set.
    """

    def __init__(self, chat: ChatModel, cleaner: Callable[[], Cleaner], emit: Emit, *, thoughts: bool = False) -> None:
        self.said = ""
        self.thought = ""
        self._chat = chat
        self._new_cleaner = cleaner
        self._cleaner = cleaner()
        self._thoughts = cleaner() if thoughts else None
        self._emit = emit
        self._problems: list[str] = []
        self._characters = 0  # as the model gave them

    async def write(self, request: ChatRequest) -> Written:
        """The whole answer, streamed on as it comes.

        Raises:
            AgentdError: the model failed; what was said is void, and the client knows.
        """
        try:
            return await self._write(request)
        except AgentdError as error:
            await self.discard(error.message)
            raise

    async def _write(self, request: ChatRequest) -> Written:
        finished: Finished | None = None
        async with aclosing(self._chat.stream(request)) as events:
            async for event in events:
                match event:
                    case Text(piece):
                        self._take(piece, request)
                        await self._say(self._cleaner.feed(piece))
                    case Thinking(piece):
                        self._take(piece, request)
                        await self._think(self._thoughts.feed(piece) if self._thoughts else "")
                    case Discarded(provider, reason):
                        self._problems.append(f"{provider} failed in the middle of its answer: {reason}")
                        await self.discard(f"{provider}: {reason}")
                    case Finished():
                        finished = event
        if finished is None:
            raise ProviderAnswerError(f"{self._chat.name} ended in the middle of its answer")
        return await self._whole(finished, request)

    async def _whole(self, finished: Finished, request: ChatRequest) -> Written:
        await self._think(self._thoughts.end() if self._thoughts else "")
        await self._say(self._cleaner.end())
        if not self.said.strip() and not (request.tools and finished.tool_calls):
            raise ProviderAnswerError(f"{finished.provider}/{finished.model} gave an empty answer")
        if finished.stop == "length":
            self._problems.append(f"the answer was cut at {request.max_tokens} tokens (chat.max_answer_tokens)")
        self._problems += self._cleaner.problems()
        return Written(self.said, finished, self._problems)

    def _take(self, piece: str, request: ChatRequest) -> None:
        """Refuse what has no end, also where nothing of it is said: a model may repeat its rules for ever."""
        self._characters += len(piece)
        if self._characters > CHARS_A_TOKEN * request.max_tokens:
            raise ProviderAnswerError(f"{self._chat.name} writes on beyond {request.max_tokens} tokens")

    async def discard(self, reason: str) -> None:
        """Tell the client that what it has seen is void."""
        self._cleaner = self._new_cleaner()
        self._thoughts = self._new_cleaner() if self._thoughts else None
        self._characters = 0
        if self.said or self.thought:
            self.said = self.thought = ""
            await self._emit({"event": "discarded", "reason": reason})

    async def _think(self, text: str) -> None:
        if text:
            self.thought += text
            await self._emit({"event": "thinking", "text": text})

    async def _say(self, text: str) -> None:
        if text:
            self.said += text
            await self._emit({"event": "chunk", "text": text})
