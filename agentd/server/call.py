"""A request between its line and its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from msgspec import UNSET

from agentd.server.wire import encode_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentd.errors import AgentdError
    from agentd.server.wire import Request, RequestId


class Channel(Protocol):
    """What a call needs of its connection."""

    number: int

    def offer(self, line: bytes) -> bool:
        """Write a line if there is room for it now."""
        ...

    async def send(self, line: bytes) -> None:
        """Write a line once there is room for it; dropped where the connection is gone."""
        ...

    def cancel(self, request_id: RequestId, by: Call) -> bool:
        """End another request of this connection; False where none of that id is running."""
        ...


class Call:
    """One request, its task and how it ends."""

    def __init__(self, request: Request, channel: Channel, size: int = 0) -> None:
        self.request = request
        self.channel = channel
        self.size = size  # bytes of its line
        self.received = asyncio.get_running_loop().time()
        self.deadline: float | None = None  # loop time in seconds; set by the dispatcher once params are decoded
        self.task: asyncio.Task[None] | None = None
        self.verdict: AgentdError | None = None  # why it was cancelled: the answer that the client gets
        self.started = False
        self.finished = False

    @property
    def id(self) -> RequestId | None:
        """None for a notification."""
        return None if self.request.id is UNSET else self.request.id

    @property
    def name(self) -> str:
        """How logs and internal errors name this call."""
        return f"{self.channel.number}-{'notification' if self.id is None else self.id}"

    def cancel(self, verdict: AgentdError) -> bool:
        """End it with ``verdict`` as its answer; False where the answer is already made."""
        if self.finished or self.verdict is not None:
            return False
        self.verdict = verdict
        # A task that is cancelled before its first step never runs, and nobody would answer: it looks at the verdict.
        if self.started and self.task is not None:
            self.task.cancel()
        return True

    def offer(self, event: Mapping[str, object]) -> None:
        """Stream an event now or not at all: for progress, where the next one says it all again."""
        if self.id is not None:
            self.channel.offer(encode_event(self.id, event))

    async def send(self, event: Mapping[str, object]) -> None:
        """Stream an event, waiting for the client to take what went before."""
        if self.id is not None:
            await self.channel.send(encode_event(self.id, event))
