"""The dialect of OpenAI, which llama.cpp, vLLM, LM Studio, LiteLLM and most hosted models speak too.

Source: https://platform.openai.com/docs/api-reference (embeddings, chat, streaming); ``reasoning_content`` is of
DeepSeek, llama.cpp and vLLM, ``reasoning`` of OpenRouter and newer vLLM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from agentd.kernels.remote_vectors import counted
from agentd.providers import failures
from agentd.providers.contracts import Finished, Role, Text, Thinking, ToolCall, Usage
from agentd.providers.lines import ServerSentEvents
from agentd.providers.portions import estimate
from agentd.providers.said import message_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentd.config.settings import ProviderSettings
    from agentd.providers.chat import ChatReader, Told
    from agentd.providers.contracts import ChatEvent, ChatRequest, Message
    from agentd.providers.http import Form

MOST_TOOL_CALLS = 128
"""Of one answer."""

Stop = Literal["end", "length", "tools"]
_STOPS: dict[str, Stop] = {"length": "length", "max_tokens": "length", "tool_calls": "tools", "function_call": "tools"}


class OpenAIEmbedding:
    """``POST /embeddings``. Base64 is a third of the size of numbers, and a tenth of the work."""

    path = "/embeddings"
    form: Literal["openai", "ollama"] = "openai"
    optional = frozenset({"encoding_format"})

    def body(self, model: str, texts: Sequence[str], dimension: int) -> dict[str, object]:
        """See ``EmbeddingDialect``."""
        body: dict[str, object] = {"model": model, "input": list(texts), "encoding_format": "base64"}
        return body | ({"dimensions": dimension} if dimension else {})


class OpenAIChat:
    """``POST /chat/completions``. Newer models of OpenAI have another name for ``max_tokens``, and no temperature."""

    path = "/chat/completions"
    form: Form = "event-stream"
    optional: Mapping[str, str] = {"stream_options": "", "temperature": "", "max_tokens": "max_completion_tokens"}

    def body(self, model: str, request: ChatRequest, context_tokens: int) -> dict[str, object]:  # noqa: ARG002  its own affair
        """See ``ChatDialect``."""
        body: dict[str, object] = {
            "model": model,
            "messages": [_message(message) for message in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        if request.tools:
            body["tools"] = [{"type": "function", "function": tool} for tool in request.tools]
        if request.schema is not None:
            named = {"name": "answer", "schema": request.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return body

    def reader(self, provider: ProviderSettings, estimated: Usage, told: Told) -> ChatReader:
        """See ``ChatDialect``."""
        return OpenAIReader(provider, estimated, told)


def _message(message: Message) -> dict[str, object]:
    said: dict[str, object] = {"role": message.role.value, "content": message.content}
    if message.role is Role.TOOL:
        said["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return said


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, object] | None = None


class _Fragment(msgspec.Struct):
    """Of a tool call: the first has id and name, the others more of the arguments."""

    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_Fragment] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None
    index: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: object = None
    error: object = None


_CHUNK = msgspec.json.Decoder(_Chunk)


class OpenAIReader:
    """One streamed chat completion."""

    def __init__(self, provider: ProviderSettings, estimated: Usage, told: Told) -> None:
        self.done = False
        self._provider = provider
        self._told = told
        self._events = ServerSentEvents()
        self._usage = estimated
        self._finish = ""
        self._calls: dict[int, _Call] = {}
        self._written = 0

    def feed(self, piece: bytes) -> Iterator[ChatEvent]:
        """See ``ChatReader``."""
        for data in self._events.feed(piece):
            yield from self._read(data)

    def end(self) -> Iterator[ChatEvent]:
        """See ``ChatReader``."""
        for data in self._events.end():
            yield from self._read(data)

    def finished(self) -> Finished:
        """See ``ChatReader``."""
        if not self._finish:
            raise failures.bad_answer(self._provider, "a stream that ends before the answer does")
        if self._finish == "content_filter":
            raise failures.bad_answer(self._provider, "an answer that its content filter cut off")
        calls = tuple(call.whole(number) for number, call in enumerate(self._calls.values()))
        stop: Stop = "tools" if calls else _STOPS.get(self._finish, "end")
        usage = self._usage if self._usage.counted else Usage(self._usage.input_tokens, self._written)
        return Finished(self._provider.name, self._provider.chat_model, stop, usage, calls)

    def _read(self, data: bytes) -> list[ChatEvent]:
        if self.done or data.strip() == b"[DONE]":
            self.done = True
            return []
        try:
            chunk = _CHUNK.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise failures.bad_answer(self._provider, "an event that is no JSON of a chat") from error
        if chunk.error:
            raise failures.told(self._provider, self._told(message_of({"error": chunk.error})))
        read, written = (counted(chunk.usage, name) for name in ("prompt_tokens", "completion_tokens"))
        if read or written:
            self._usage = Usage(read, written, counted=True)
        return [event for choice in chunk.choices if choice.index == 0 for event in self._choice(choice)]

    def _choice(self, choice: _Choice) -> list[ChatEvent]:
        self._finish = choice.finish_reason or self._finish
        delta = choice.delta
        if delta is None:
            return []
        for fragment in delta.tool_calls or ():
            self._fragment(fragment)
        thought, text = delta.reasoning_content or delta.reasoning or "", delta.content or delta.refusal or ""
        self._written += estimate(thought + text) if thought or text else 0
        return [*([Thinking(thought)] if thought else []), *([Text(text)] if text else [])]

    def _fragment(self, fragment: _Fragment) -> None:
        """Belongs to the call of its index; without one, an id begins a new call, and the rest belongs to it."""
        last = max(self._calls, default=-1)
        place = fragment.index if fragment.index is not None else max(0, last + bool(fragment.id))
        if place not in self._calls and len(self._calls) >= MOST_TOOL_CALLS:
            raise failures.bad_answer(self._provider, f"more than {MOST_TOOL_CALLS} tool calls")
        self._calls.setdefault(place, _Call()).add(fragment)


class _Call:
    """A tool call as it comes together."""

    def __init__(self) -> None:
        self._id = ""
        self._name = ""
        self._arguments: list[str] = []

    def add(self, fragment: _Fragment) -> None:
        """Take a fragment in."""
        self._id = self._id or fragment.id or ""
        if fragment.function is None:
            return
        self._name = self._name or fragment.function.name or ""
        arguments = fragment.function.arguments
        if isinstance(arguments, dict):  # not OpenAI's way, but some servers'
            arguments = msgspec.json.encode(arguments).decode()
        self._arguments.append(arguments or "")

    def whole(self, number: int) -> ToolCall:
        """The call; servers that give no id leave one to us."""
        return ToolCall(self._id or f"call_{number}", self._name, "".join(self._arguments))
