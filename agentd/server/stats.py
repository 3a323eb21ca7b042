"""What the server counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import cast

import msgspec


@dataclass(slots=True)
class ServerStats:
    """Totals since the start, but for ``connections`` and ``in_flight``, which are now. Written on the loop alone."""

    connections: int = 0
    in_flight: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by kind of the error that was the answer
    aborted_slow: int = 0  # connections whose client did not take its answers in time
    requests: Counter[str] = field(default_factory=Counter)  # by method; only methods that exist
    errors: Counter[str] = field(default_factory=Counter)  # by kind
    bytes_in: int = 0
    bytes_out: int = 0

    def snapshot(self) -> dict[str, object]:
        """JSON values, for ``stats``."""
        return cast("dict[str, object]", msgspec.to_builtins(self))
