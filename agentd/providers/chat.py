"""A model that chats on a server, whatever its dialect."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import msgspec

from agentd.errors import ProviderRefusedError
from agentd.providers import failures
from agentd.providers.contracts import Finished, Text, Usage
from agentd.providers.http import WHOLE_TIMES, Call
from agentd.providers.portions import estimate
from agentd.providers.said import cleaned
from agentd.providers.text_tools import TextToolReader, ToolForm

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    from agentd.config.settings import ProviderSettings
    from agentd.providers.breaker import Breaker
    from agentd.providers.contracts import ChatEvent, ChatRequest
    from agentd.providers.http import Form, Server
    from agentd.providers.text_tools import Put


class ChatReader(Protocol):
    """Reads one streamed answer, cut into pieces of bytes anywhere."""

    @property
    def done(self) -> bool:
        """Whether nothing follows: the server said so, or nobody wants it."""
        ...

    def feed(self, piece: bytes) -> Iterator[ChatEvent]:
        """The events that ``piece`` completes, but for Finished. Raises ProviderError, after what came before it."""
        ...

    def end(self) -> Iterator[ChatEvent]:
        """Those that stood behind the last line end. Raises ProviderError."""
        ...

    def finished(self) -> Finished:
        """The end. Raises ProviderAnswerError where the server never said that the answer is whole."""
        ...


class Told(Protocol):
    """Makes what a server said fit to be shown."""

    def __call__(self, message: str) -> str:
        """See ``said.cleaned``."""
        ...


class ChatDialect(Protocol):
    """How a kind of server is chatted with."""

    path: str
    form: Form
    optional: Mapping[str, str]
    """Members of the body that a server may not know, with the name that some have for them; empty: left out."""

    def body(self, model: str, request: ChatRequest, context_tokens: int) -> dict[str, object]:
        """The request, streamed."""
        ...

    def reader(self, provider: ProviderSettings, estimated: Usage, told: Told) -> ChatReader:
        """For one answer; ``estimated`` usage is given where the server counts nothing."""
        ...


class RemoteChat:
    """A ChatModel on a server."""

    def __init__(self, server: Server, dialect: ChatDialect, breaker: Breaker, key: str) -> None:
        self._server = server
        self._settings = server.settings
        self._dialect = dialect
        self._breaker = breaker
        self._key = key
        self._tools = ToolForm(server.settings)
        self._renamed: dict[str, str] = {}  # members that the server did not know

    @property
    def name(self) -> str:
        """``PROVIDER/MODEL``."""
        return f"{self._server.name}/{self._settings.chat_model}"

    @property
    def context_tokens(self) -> int:
        """As configured."""
        return self._settings.context_tokens

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """See ``ChatModel``."""
        put = await self._put(request)
        last: list[Finished] = []
        with self._breaker.guard():
            async with aclosing(self._answer(request, put)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        last.append(event)
                    else:
                        yield event
        for finished in last:  # behind the guard: whoever has it may close this at once, and that is a success too
            yield finished

    async def _put(self, request: ChatRequest) -> Put:
        """In the form that the server takes, and then as the gate lets it out: it sees what is sent."""
        put = self._tools.put(request)
        return put._replace(request=await self._admitted(put.request))

    async def _admitted(self, request: ChatRequest) -> ChatRequest:
        """The request as the gate lets it out: what is said, and the arguments of tools that the model called."""
        texts = _texts(request)
        let = await self._server.gate.admit(request.outgoing, self._server.name, self._settings.base_url, texts)
        if let == texts:
            return request
        rest = iter(let)
        messages = tuple(
            msgspec.structs.replace(
                message,
                content=next(rest),
                tool_calls=tuple(msgspec.structs.replace(call, arguments=next(rest)) for call in message.tool_calls),
            )
            for message in request.messages
        )
        return msgspec.structs.replace(request, messages=messages)

    async def _answer(self, request: ChatRequest, put: Put) -> AsyncGenerator[ChatEvent]:
        """Members that the server does not know are left out, or renamed, tools that it cannot be told of are told of
        in text, and it is asked once more for each.
        """
        while True:
            try:
                async with aclosing(self._asked(put)) as events:
                    async for event in events:
                        yield event
            except ProviderRefusedError as error:  # it refused before it said anything
                if self._tools.learn(error, put):
                    put = await self._put(request)
                    continue
                optional = frozenset(self._dialect.optional) - set(self._renamed)
                body = self._dialect.body(self._settings.chat_model, put.request, self.context_tokens)
                if (member := failures.unknown_member(error, body, optional)) is None:
                    raise
                self._renamed[member] = self._dialect.optional[member]
            else:
                return

    async def _asked(self, put: Put) -> AsyncGenerator[ChatEvent]:
        texts = _texts(put.request)
        reader = self._reader(put, texts)
        watch = _Watch(self._settings)
        async with self._server.stream(self._call(put.request, texts)) as pieces:
            async for piece in pieces:
                for event in reader.feed(piece):
                    yield event
                    watch.saw(event)
                if reader.done:
                    break
                watch.check()
        for event in reader.end():
            yield event
            watch.saw(event)
        finished = reader.finished()
        watch.refuse_empty(finished)
        self._server.counts["tokens"] += finished.usage.input_tokens + finished.usage.output_tokens
        yield finished

    def _reader(self, put: Put, texts: Sequence[str]) -> ChatReader:
        estimated = Usage(sum(map(estimate, texts)))
        reader = self._dialect.reader(self._settings, estimated, lambda message: cleaned(message, self._key, texts))
        return reader if put.names is None else TextToolReader(reader, self._settings, put.names, estimated)

    def _call(self, request: ChatRequest, texts: Sequence[str]) -> Call:
        body = self._dialect.body(self._settings.chat_model, request, self.context_tokens)
        named = {self._renamed.get(name, name): value for name, value in body.items()}
        named.pop("", None)
        return Call(
            self._dialect.path,
            msgspec.json.encode(named),
            self._settings.chat_model,
            request.outgoing,
            tuple(texts),
            sum(map(estimate, texts)) + request.max_tokens,
            form=self._dialect.form,
            urgent=True,
        )


class _Watch:
    """Over one answer: that something is said now and then, and something in the end."""

    def __init__(self, provider: ProviderSettings) -> None:
        self._provider = provider
        self._said = False
        self._at = time.monotonic()

    def saw(self, event: ChatEvent) -> None:
        """Something was said, or thought, and handed on: the time that its reader takes is not the server's."""
        self._said = self._said or isinstance(event, Text)
        self._at = time.monotonic()

    def check(self) -> None:
        """Bytes came; those that only keep the connection open do so for as long as an answer may drip.

        Raises:
            ProviderUnavailableError: it says nothing.
        """
        seconds = WHOLE_TIMES * self._provider.timeout_seconds
        if time.monotonic() - self._at > seconds:
            raise failures.wordless(self._provider, seconds)

    def refuse_empty(self, finished: Finished) -> None:
        """Raise ProviderAnswerError for an answer in which nothing stands: the next of a chain may have one."""
        if not self._said and not finished.tool_calls:
            how = "its thoughts took all tokens" if finished.stop == "length" else "it stopped by itself"
            raise failures.bad_answer(self._provider, f"no text in an answer that it calls finished ({how})")


def _texts(request: ChatRequest) -> list[str]:
    return [
        text
        for message in request.messages
        for text in (message.content, *(call.arguments for call in message.tool_calls))
    ]
