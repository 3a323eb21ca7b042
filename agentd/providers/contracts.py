"""What the rest of the daemon and the providers say to each other, whoever answers in the end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from agentd.config.settings import Egress
from agentd.domain import Space

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence


class Outgoing(Struct, frozen=True):
    """Why text is sent, and the roots (absolute paths) that it is of: each of them must allow it, unless the server is
    on this machine. Words that a person typed are of the roots that the question is about.
    """

    purpose: Egress
    roots: frozenset[str]


class Role(StrEnum):
    """Who says a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class ToolCall(Struct, frozen=True):
    """A tool that the model wants called; ``arguments`` are JSON as the model wrote it, and may be broken."""

    id: str
    name: str
    arguments: str


class Message(Struct, frozen=True):
    """One message of a conversation. A result of a tool carries the ``tool_call_id`` that it answers."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class Tool(Struct, frozen=True):
    """A tool as the model sees it; ``parameters`` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, object]


class ChatRequest(Struct, frozen=True):
    """What a model is asked. With ``schema`` (a JSON schema) the whole answer is to be JSON that fits it."""

    messages: tuple[Message, ...]
    outgoing: Outgoing
    max_tokens: int
    temperature: float = 0.0
    tools: tuple[Tool, ...] = ()
    schema: dict[str, object] | None = None


class Usage(Struct, frozen=True):
    """Tokens; ``counted`` says whether the server counted them, else they are our estimate."""

    input_tokens: int = 0
    output_tokens: int = 0
    counted: bool = False


class Thinking(Struct, frozen=True, tag=True):
    """A piece of what the model thinks, where its server tells that apart."""

    text: str


class Text(Struct, frozen=True, tag=True):
    """A piece of the answer."""

    text: str


class Discarded(Struct, frozen=True, tag=True):
    """Everything so far is void: its provider failed in the middle, and the next one begins anew."""

    provider: str
    reason: str


class Finished(Struct, frozen=True, tag=True):
    """The answer is whole. ``stop`` says why it ended: by itself, at ``max_tokens``, or to have tools called."""

    provider: str
    model: str
    stop: Literal["end", "length", "tools"]
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()


ChatEvent = Thinking | Text | Discarded | Finished


class ChatModel(Protocol):
    """One model, or a chain of them."""

    @property
    def name(self) -> str:
        """``PROVIDER/MODEL``."""
        ...

    @property
    def context_tokens(self) -> int:
        """Tokens that it reads and writes together; of a chain, the least of its models."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """Pieces as they come, then ``Finished``. Close the generator to stop the model.

        Raises:
            EgressError: a root does not allow it.
            ProviderError: it failed; of a chain, NoProviderError names all.
        """
        ...


class Embedded(Struct, frozen=True):
    """Unit vectors of some texts, in their order: int8 ``codes`` of n * dimension bytes and n float32 ``scales``, as
    ``agentd.kernels.quantise`` makes them. ``truncated`` is how many texts were longer than the model reads, ``space``
    the one that they belong to, for a model may change between two calls.
    """

    codes: bytes
    scales: bytes
    truncated: int
    tokens: int
    space: Space | None = None


class EmbeddingModel(Protocol):
    """One model of one server; what it gives belongs to ``space``."""

    @property
    def space(self) -> Space:
        """The space of its vectors; known once ``probe`` has succeeded."""
        ...

    async def probe(self) -> None:
        """Embed a fixed text: learns the dimension, and notices a model that changed behind the same name.

        Raises:
            ProviderError: it cannot be used now.
        """
        ...

    async def embed(self, texts: Sequence[str], outgoing: Outgoing, *, query: bool = False) -> Embedded:
        """Embed ``texts``, of which any number may be given: they are sent in batches within the server's limits.

        Raises:
            EgressError: a root does not allow it.
            ProviderError: it cannot be had now.
        """
        ...


class ProviderStatus(Struct, frozen=True):
    """What a provider is doing, for ``status``: ``state`` is ok, waiting (its circuit breaker is open) or refused (it
    needs a person), and ``reason`` says why in a sentence. The last failure is told on when it is over, too, with its
    time in seconds since the epoch.
    """

    name: str
    kind: str
    purposes: tuple[str, ...]
    state: Literal["ok", "untried", "waiting", "refused"]
    reason: str
    counts: Mapping[str, int]
    last_failure: str = ""
    last_failure_at: float | None = None
