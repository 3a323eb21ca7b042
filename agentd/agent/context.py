"""The conversation of a run, kept within what the model can read: old results give way first, the latest last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from agentd.agent.arguments import decode
from agentd.answer.prompt import ESTIMATE_SHARE
from agentd.errors import InvalidParamsError, ToolInputError
from agentd.providers.contracts import Message, Role, ToolCall
from agentd.retrieval.budget import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.agent.contracts import Told
    from agentd.providers.contracts import Tool

FRAME_TOKENS = 6
"""What a chat template puts around a message, about."""
KEPT_SHARE = 0.75
"""Of the room that old results are brought down to at once: a server that keeps what it has read begins anew wherever a
request differs from the one before, so that should not be in every turn.
"""
LEAST_ROOM = 100
"""Tokens beside the rules and the task, without which no turn is worth its while."""


class Request(NamedTuple):
    """Messages of about ``tokens`` together with their tools, and in sentences what gave way for them."""

    messages: tuple[Message, ...]
    tokens: int
    dropped: list[str]


class Exchange:
    """A turn in which tools were called: what the model wrote, and what it was told."""

    def __init__(self, n: int, said: str, calls: Sequence[ToolCall], told: Sequence[Told]) -> None:
        self.n = n
        self._head = Message(Role.ASSISTANT, said, tuple(map(readable, calls)))
        self._lines = [Message(Role.TOOL, each.line, (), call.id) for call, each in zip(calls, told, strict=True)]
        self._results = [Message(Role.TOOL, each.text, (), call.id) for call, each in zip(calls, told, strict=True)]
        self._whole = list(map(cost, self._results))
        self._short = list(map(cost, self._lines))
        self._head_tokens = cost(self._head)
        self.shortened = 0  # the first so many results

    @property
    def messages(self) -> list[Message]:
        """As the model sees them now."""
        return [self._head, *self._lines[: self.shortened], *self._results[self.shortened :]]

    @property
    def tokens(self) -> int:
        """Of ``messages``."""
        return self._head_tokens + sum(self._short[: self.shortened]) + sum(self._whole[self.shortened :])

    def shorten(self, excess: int) -> int:
        """Make lines of the first results until ``excess`` tokens are saved, or of all; returns what was saved."""
        before = self.tokens
        while self.shortened < len(self._results) and before - self.tokens < excess:
            self.shortened += 1
        return before - self.tokens


class Context:
    """What the model has been told, and wrote. ``dropped`` counts turns of which nothing is left."""

    def __init__(self, system: str, task: str) -> None:
        self._start = (Message(Role.SYSTEM, system), Message(Role.USER, task))
        self._start_tokens = sum(map(cost, self._start))
        self._exchanges: list[Exchange] = []
        self._dropped = 0

    def check(self, room: int, tools: Sequence[Tool]) -> None:
        """Refuse a task for which the model's context is too small.

        Raises:
            InvalidParamsError: says by how much.
        """
        left = self._left(room, tools)
        if left < LEAST_ROOM:
            raise InvalidParamsError(
                f"the task is about {LEAST_ROOM - left} tokens too long for what the model can read ({room} tokens, "
                "with the rules and the tools): say it in fewer words, or configure a model with a larger context"
            )

    def fits(self, room: int, tools: Sequence[Tool]) -> bool:
        """Whether a request of ``room`` tokens can hold the task, and something beside it."""
        return self._left(room, tools) >= LEAST_ROOM

    def _left(self, room: int, tools: Sequence[Tool]) -> int:
        return within(room) - tools_cost(tools) - self._start_tokens

    def add(self, exchange: Exchange) -> None:
        """Take in a turn with its results."""
        self._exchanges.append(exchange)

    def tokens(self, tools: Sequence[Tool]) -> int:
        """Of a request as it would be if there were no bound."""
        return self._start_tokens + sum(each.tokens for each in self._exchanges) + tools_cost(tools)

    def request(self, room: int, tools: Sequence[Tool], note: str = "") -> Request:
        """All of it in ``room`` tokens, with a ``note`` of ours behind the last message.

        What had to be shortened for this stays so.
        """
        fixed = self._start_tokens + tools_cost(tools) + (estimate_tokens(note) if note else 0)
        dropped = self._fit(within(room) - fixed)
        messages = [*self._start]
        if self._dropped:
            messages[-1] = noted(messages[-1], f"({self._dropped} earlier turns are left out here to make room.)")
        messages += [message for each in self._exchanges for message in each.messages]
        if note:
            messages[-1] = noted(messages[-1], note)
        return Request(tuple(messages), fixed + sum(each.tokens for each in self._exchanges), dropped)

    def _fit(self, room: int) -> list[str]:
        """Make it so that the exchanges take ``room`` tokens at most."""
        excess = self._excess(room)
        if excess <= 0:
            return []
        before = [(each.n, each.shortened) for each in self._exchanges]
        self._shorten(self._exchanges[:-1], self._excess(int(KEPT_SHARE * room)))
        self._shorten(self._exchanges[-1:], self._excess(room))
        left_out = [self._drop() for _ in before if self._excess(room) > 0]
        shorter = {each.n: each.shortened for each in self._exchanges}
        cut = [n for n, count in before if shorter.get(n, count) > count]
        return [
            *([f"results of {turns(cut)} were shortened to a line each"] if cut else []),
            *([f"{turns(left_out)} were left out"] if left_out else []),
        ]

    def _excess(self, room: int) -> int:
        return sum(each.tokens for each in self._exchanges) - room

    @staticmethod
    def _shorten(exchanges: Sequence[Exchange], excess: int) -> None:
        for exchange in exchanges:
            if excess <= 0:
                break
            excess -= exchange.shorten(excess)

    def _drop(self) -> int:
        self._dropped += 1
        return self._exchanges.pop(0).n


def within(room: int) -> int:
    """The part of ``room`` tokens that an estimate may fill."""
    return int(room * ESTIMATE_SHARE)


def cost(message: Message) -> int:
    """Tokens of a message, about."""
    calls = sum(estimate_tokens(call.name) + estimate_tokens(call.arguments) for call in message.tool_calls)
    return estimate_tokens(message.content) + calls + FRAME_TOKENS


def tools_cost(tools: Sequence[Tool]) -> int:
    """Tokens of what the model is told of its tools, about."""
    return estimate_tokens(msgspec.json.encode(tools).decode()) if tools else 0


def noted(message: Message, note: str) -> Message:
    """``message`` with a note of ours behind it: a message of its own may not stand here in every chat template."""
    return replace(message, content=f"{message.content}\n\n{note}")


def readable(call: ToolCall) -> ToolCall:
    """``call`` as it can be shown to a model again: servers read the arguments, and refuse what is no object. What no
    tool took, because it was too long or nested too deeply, is not shown either.
    """
    arguments = call.arguments.strip() or "{}"
    try:
        decode(arguments)
    except ToolInputError:
        arguments = "{}"
    return replace(call, arguments=arguments)


def turns(numbers: Sequence[int]) -> str:
    """Turns by their numbers, in words.

    >>> turns([2]), turns([1, 2, 3])
    ('turn 2', 'turns 1, 2, 3')
    """
    return f"turn{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
