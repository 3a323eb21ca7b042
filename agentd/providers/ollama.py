"""The dialect of Ollama.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md ("Generate a chat completion", "Generate Embeddings").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from agentd.kernels.remote_vectors import plausible
from agentd.providers import failures
from agentd.providers.contracts import Finished, Role, Text, Thinking, ToolCall, Usage
from agentd.providers.lines import Lines
from agentd.providers.openai import MOST_TOOL_CALLS
from agentd.providers.portions import estimate
from agentd.providers.said import message_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentd.config.settings import ProviderSettings
    from agentd.providers.chat import ChatReader, Told
    from agentd.providers.contracts import ChatEvent, ChatRequest, Message
    from agentd.providers.http import Form

KEEP_ALIVE = "15m"
"""How long a model stays loaded after a request: between two questions of a person, not for ever in their memory."""


class OllamaEmbedding:
    """``POST /api/embed``. It would cut long texts by itself and say nothing; we want to know, and count it."""

    path = "/api/embed"
    form: Literal["openai", "ollama"] = "ollama"
    optional: frozenset[str] = frozenset()

    def body(self, model: str, texts: Sequence[str], dimension: int) -> dict[str, object]:
        """See ``EmbeddingDialect``."""
        body: dict[str, object] = {"model": model, "input": list(texts), "truncate": False, "keep_alive": KEEP_ALIVE}
        return body | ({"dimensions": dimension} if dimension else {})


class OllamaChat:
    """``POST /api/chat``. Without ``num_ctx`` it would read a few thousand tokens, and drop the rest unsaid."""

    path = "/api/chat"
    form: Form = "ndjson"
    optional: Mapping[str, str] = {}

    def body(self, model: str, request: ChatRequest, context_tokens: int) -> dict[str, object]:
        """See ``ChatDialect``."""
        body: dict[str, object] = {
            "model": model,
            "messages": _messages(request),
            "stream": True,
            "truncate": False,
            "keep_alive": KEEP_ALIVE,
            "options": {
                "num_ctx": context_tokens,
                "num_predict": request.max_tokens,
                "temperature": request.temperature,
            },
        }
        if request.tools:
            body["tools"] = [{"type": "function", "function": tool} for tool in request.tools]
        return body | ({"format": request.schema} if request.schema is not None else {})

    def reader(self, provider: ProviderSettings, estimated: Usage, told: Told) -> ChatReader:
        """See ``ChatDialect``."""
        return OllamaReader(provider, estimated, told)


def _messages(request: ChatRequest) -> list[dict[str, object]]:
    """Results name their tool: that of the last call with their id, for servers that give none have ours counted anew
    in each answer.
    """
    names: dict[str, str] = {}
    said = []
    for message in request.messages:
        names |= {call.id: call.name for call in message.tool_calls}
        said.append(_message(message, names))
    return said


def _message(message: Message, names: dict[str, str]) -> dict[str, object]:
    said: dict[str, object] = {"role": message.role.value, "content": message.content}
    if message.role is Role.TOOL:
        said["tool_name"] = names.get(message.tool_call_id, message.tool_call_id)
    if message.tool_calls:
        said["tool_calls"] = [
            {"function": {"name": call.name, "arguments": _arguments(call.arguments)}} for call in message.tool_calls
        ]
    return said


def _arguments(written: str) -> dict[str, object]:
    """An object, as Ollama wants it; what a model wrote that is none is nothing that it could read again."""
    try:
        return msgspec.json.decode(written, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {}


class _Function(msgspec.Struct):
    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class _ToolCall(msgspec.Struct):
    function: _Function
    id: str = ""


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    done: bool = False
    done_reason: str = ""
    prompt_eval_count: object = 0
    eval_count: object = 0
    error: object = None


_LINE = msgspec.json.Decoder(_Line)


class OllamaReader:
    """One streamed chat."""

    def __init__(self, provider: ProviderSettings, estimated: Usage, told: Told) -> None:
        self.done = False
        self._provider = provider
        self._told = told
        self._lines = Lines()
        self._usage = estimated
        self._reason = ""
        self._calls: list[ToolCall] = []
        self._written = 0

    def feed(self, piece: bytes) -> Iterator[ChatEvent]:
        """See ``ChatReader``."""
        for line in self._lines.feed(piece):
            yield from self._read(line)

    def end(self) -> Iterator[ChatEvent]:
        """See ``ChatReader``."""
        for line in self._lines.end():
            yield from self._read(line)

    def finished(self) -> Finished:
        """See ``ChatReader``."""
        if not self.done:
            raise failures.bad_answer(self._provider, "a stream that ends before the answer does")
        stop: Literal["end", "length", "tools"] = "length" if self._reason == "length" else "end"
        usage = self._usage if self._usage.counted else Usage(self._usage.input_tokens, self._written)
        calls = tuple(self._calls)
        return Finished(self._provider.name, self._provider.chat_model, "tools" if calls else stop, usage, calls)

    def _read(self, data: bytes) -> list[ChatEvent]:
        if self.done or not data.strip():
            return []
        try:
            line = _LINE.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise failures.bad_answer(self._provider, "a line that is no JSON of a chat") from error
        if line.error:
            raise failures.told(self._provider, self._told(message_of({"error": line.error})))
        if line.done:
            self._end(line)
        return self._message(line.message) if line.message is not None else []

    def _end(self, line: _Line) -> None:
        self.done = True
        self._reason = line.done_reason
        read, written = plausible(line.prompt_eval_count), plausible(line.eval_count)
        if read or written:
            self._usage = Usage(read, written, counted=True)

    def _message(self, message: _Message) -> list[ChatEvent]:
        for call in message.tool_calls or ():
            if len(self._calls) >= MOST_TOOL_CALLS:
                raise failures.bad_answer(self._provider, f"more than {MOST_TOOL_CALLS} tool calls")
            identity = call.id or f"call_{len(self._calls)}"
            self._calls.append(ToolCall(identity, call.function.name, bytes(call.function.arguments).decode()))
        thought, text = message.thinking or "", message.content or ""
        self._written += estimate(thought + text) if thought or text else 0
        return [*([Thinking(thought)] if thought else []), *([Text(text)] if text else [])]
