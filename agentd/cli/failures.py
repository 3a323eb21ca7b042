"""Failures that a run survives: each is told in full once, and in the end how often it came."""

from __future__ import annotations

from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentd.protocol import AgentEvent

WORDS = {2: "twice", 3: "three times"}


class Failures:
    """Those of one run, by kind and message."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, event: AgentEvent) -> None:
        """Count one."""
        self._counts[event["kind"], event["message"]] += 1

    def is_new(self, event: AgentEvent) -> bool:
        """Whether the one that was added last had not come before."""
        return self._counts[event["kind"], event["message"]] == 1

    def tell(self, reason: str) -> bool:
        """Whether one of them says what ``reason`` says."""
        return any(reason in message for _, message in self._counts)

    def repeated(self) -> list[str]:
        """Those that came again, and how often they came in all."""
        return [
            f"{kind}: {WORDS.get(count, f'{count:,} times')} in all"
            for (kind, _), count in self._counts.items()
            if count > 1
        ]
