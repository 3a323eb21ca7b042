"""What the server counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import cast

import msgspec

from agentd.observability.recent import Recent


@dataclass(slots=True)
class ServerStats:
    """Totals since the start, but for the first five, which are now. Written on the loop alone.

    ``in_flight`` requests are open, of which ``running`` are worked on and ``waiting`` wait for their turn; clients
    make the daemon hold ``held_bytes``: unfinished lines, requests, untaken answers.
    """

    connections: int = 0
    in_flight: int = 0
    running: int = 0
    waiting: int = 0
    held_bytes: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by kind of the error that was the answer
    aborted_slow: int = 0  # connections whose client did not take its answers in time
    shed: int = 0  # connections that were closed because their clients held the most
    slow_lines: int = 0  # connections that were closed over a line that did not end
    requests: Counter[str] = field(default_factory=Counter)  # by method; only methods that exist
    errors: Counter[str] = field(default_factory=Counter)  # by kind
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)  # by method; ``ok`` or the kind of the error
    recent: dict[str, Recent] = field(default_factory=dict)  # milliseconds by method, over the last minute
    bytes_in: int = 0
    bytes_out: int = 0

    def snapshot(self) -> dict[str, object]:
        """JSON values, for ``stats``."""
        return cast("dict[str, object]", msgspec.to_builtins(self, enc_hook=_recent))

    def record(self, method: str, outcome: str, milliseconds: float) -> None:
        """A request was answered."""
        self.requests[method] += 1
        if outcome != "ok":
            self.errors[outcome] += 1
        if method not in self.outcomes:
            self.outcomes[method], self.recent[method] = Counter(), Recent()
        self.outcomes[method][outcome] += 1
        self.recent[method].observe(milliseconds)


def _recent(recent: object) -> object:
    return cast("Recent", recent).snapshot()
