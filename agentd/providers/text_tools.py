"""Tools for models that a server cannot tell of any: described, called and answered in the text of the conversation.

Above this, everybody sees calls as other models make them. Source of the form: the chat templates of Hermes 2 Pro and
Qwen 2.5, whose models were trained on it; others follow the description.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from agentd.providers import failures
from agentd.providers.contracts import Finished, Message, Role, Text, Usage
from agentd.providers.portions import estimate
from agentd.providers.text_calls import CLOSE, OPEN, TextCalls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from agentd.config.settings import ProviderSettings
    from agentd.errors import ProviderRefusedError
    from agentd.providers.chat import ChatReader
    from agentd.providers.contracts import ChatEvent, ChatRequest, Tool, ToolCall

log = structlog.get_logger(__name__)

MOST_HELD_CHARS = 256 * 1024
"""Of an answer, while it is not known where a call in it ends."""

DESCRIPTION = """\
# Tools

You may call functions to work on the task. These signatures describe them:
<tools>
{signatures}
</tools>

To call one, write a JSON object with its name and arguments between these tags; to call several, write several:
<tool_call>
{{"name": "NAME", "arguments": {{"ARGUMENT": "VALUE"}}}}
</tool_call>

End your message behind the last call. The results follow in the next message, between <tool_response> and
</tool_response>, in the order of the calls; never write them yourself. When you need no function, write your answer
without these tags."""

_MARKS = re.compile(r"<(?=/?tool_(?:call|response)>|/?tools>)", re.IGNORECASE)
"""Begins one of the form's own marks; in what somebody else wrote it is broken up, so that it can be none."""
_ESCAPED = r"\\u003c"
"""As JSON writes ``<`` where it must not stand."""


class Put(NamedTuple):
    """A request as it is put to the server. ``names`` are the tools that it speaks of in text; None: in none."""

    request: ChatRequest
    names: Collection[str] | None


class ToolForm:
    """How a server is told of tools: as its protocol has it, or in text. Once it has refused the former, ``auto`` means
    the latter for as long as the daemon runs.
    """

    def __init__(self, provider: ProviderSettings) -> None:
        self._provider = provider
        self._in_text = provider.tool_calls == "text"

    def put(self, request: ChatRequest) -> Put:
        """``request`` as the server takes it: in text also where it wants no further call, and holds earlier ones."""
        called = any(each.tool_calls or each.role is Role.TOOL for each in request.messages)
        if self._in_text and (request.tools or called):
            return Put(as_text(request), {tool.name for tool in request.tools})
        return Put(request, None)

    def learn(self, error: ProviderRefusedError, put: Put) -> bool:
        """Whether ``error`` says that the server cannot be told of tools, so that asking again in text may help."""
        if error.details.get("cause") != "tools" or not put.request.tools or self._provider.tool_calls != "auto":
            return False
        if not self._in_text:  # a request at the same time may have been quicker
            log.info("tools_in_text", provider=self._provider.name, reason=error.message)
        self._in_text = True
        return True


def as_text(request: ChatRequest) -> ChatRequest:
    """``request`` in messages of text alone. Roles take turns behind the system's, as many chat templates want it."""
    said = [_said(message) for message in request.messages]
    if request.tools:
        begins = bool(said) and said[0].role is Role.SYSTEM
        rules = f"{said[0].content}\n\n" if begins else ""
        said[:begins] = [Message(Role.SYSTEM, rules + _described(request.tools))]
    joined = (Message(role, "\n".join(each.content for each in run)) for role, run in groupby(said, lambda it: it.role))
    return replace(request, messages=tuple(joined), tools=())


def _described(tools: Sequence[Tool]) -> str:
    signatures = (msgspec.json.encode({"type": "function", "function": tool}).decode() for tool in tools)
    return DESCRIPTION.format(signatures="\n".join(signatures))


def _said(message: Message) -> Message:
    content = _MARKS.sub("< ", message.content)
    if message.role is Role.TOOL:
        return Message(Role.USER, f"<tool_response>\n{content}\n</tool_response>")
    return Message(message.role, "\n".join([*([content] if content else []), *map(_called, message.tool_calls)]))


def _called(call: ToolCall) -> str:
    """A call as the model wrote it. What stands for a mark in its arguments is escaped as JSON allows, and what is no
    JSON is shown as a string.
    """
    arguments = msgspec.Raw(call.arguments.encode()) if _is_object(call.arguments) else call.arguments
    written = msgspec.json.encode({"name": call.name, "arguments": arguments}).decode()
    return f"{OPEN}\n{_MARKS.sub(_ESCAPED, written)}\n{CLOSE}"


def _is_object(arguments: str) -> bool:
    try:
        msgspec.json.decode(arguments, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


class TextToolReader:
    """A ChatReader over another, whose text holds the calls."""

    def __init__(
        self, reader: ChatReader, provider: ProviderSettings, names: Collection[str], estimated: Usage
    ) -> None:
        self._reader = reader
        self._provider = provider
        self._calls = TextCalls(names)
        self._usage = estimated
        self._written = 0

    @property
    def done(self) -> bool:
        """Whether nothing follows that counts, whatever else the model would write."""
        return self._reader.done or self._calls.done

    def feed(self, piece: bytes) -> Iterator[ChatEvent]:
        """See ``ChatReader``."""
        return self._read(self._reader.feed(piece))

    def end(self) -> Iterator[ChatEvent]:
        """See ``ChatReader``."""
        yield from self._read(self._reader.end())
        if rest := self._calls.end():
            yield Text(rest)

    def finished(self) -> Finished:
        """The end, with the calls; where the model was stopped behind them, its server has counted nothing."""
        if self._calls.done and not self._reader.done:
            usage = Usage(self._usage.input_tokens, self._written)
            finished = Finished(self._provider.name, self._provider.chat_model, "tools", usage)
        else:
            finished = self._reader.finished()
        calls = (*finished.tool_calls, *self._calls.calls)
        return replace(finished, tool_calls=calls, stop="tools" if calls else finished.stop)

    def _read(self, events: Iterator[ChatEvent]) -> Iterator[ChatEvent]:
        for event in events:
            if not isinstance(event, Text):
                yield event
                continue
            self._written += estimate(event.text)
            if text := self._calls.feed(event.text):
                yield Text(text)
            if self._calls.holding > MOST_HELD_CHARS:
                raise failures.bad_answer(self._provider, f"a call of a tool of more than {MOST_HELD_CHARS} characters")
