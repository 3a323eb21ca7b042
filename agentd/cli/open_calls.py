"""Calls of tools that nobody has been told the end of yet."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.protocol import AgentEvent


class OpenCalls:
    """Calls in the order in which they were made; each is its event, or once it has ended both of its events in one.

    Results come as they are ready. Ids are the model's, and may come again in another turn.
    """

    def __init__(self) -> None:
        self._calls: dict[tuple[int, str], AgentEvent] = {}

    def __iter__(self) -> Iterator[AgentEvent]:
        return iter(tuple(self._calls.values()))

    def begin(self, event: AgentEvent) -> None:
        """A call was made."""
        self._calls[event["turn"], event["call"]] = event

    def end(self, event: AgentEvent) -> AgentEvent:
        """A call has ended: what is known of it now."""
        key = event["turn"], event["call"]
        self._calls[key] = self._calls.get(key, {"input": {}}) | event
        return self._calls[key]

    def take_ended(self) -> Iterator[AgentEvent]:
        """Those that have ended, and every call before them: they can be told in order, and are forgotten here."""
        while self._calls:
            key, call = next(iter(self._calls.items()))
            if "outcome" not in call:
                return
            del self._calls[key]
            yield call
