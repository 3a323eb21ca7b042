"""What ``status --watch`` remembers: the daemon tells totals, and this makes rates and curves of them."""

from __future__ import annotations

import math
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from agentd.protocol import IndexStatus

KEPT = 240
"""Samples of each curve: four minutes at one a second, as many as a wide terminal shows."""

OWN_METHODS = {"hello", "index.status", "index.events", "stats", "metrics", "health", "cancel"}
"""Those that look at the daemon; shown, they would drown the others, for this view calls them all the time."""

BARS = "▁▂▃▄▅▆▇█"


class History:
    """Curves by name, one value a sample: ``search`` and other methods, ``cpu``, ``memory``, ``lane bulk``, ..."""

    def __init__(self) -> None:
        self.status: IndexStatus | None = None
        self.stats: dict[str, Any] = {}
        self._curves: dict[str, deque[float]] = {}
        self._totals: dict[str, float] = {}
        self._at = 0.0
        self._daemon: object = None

    def add(self, now: float, status: IndexStatus, stats: dict[str, Any]) -> None:
        """Take in a sample that was taken at ``now`` (seconds of any clock)."""
        if (daemon := stats.get("process", {}).get("pid")) != self._daemon:
            self._totals, self._daemon = {}, daemon  # another process counts from 0
        totals, seconds = totals_of(stats), now - self._at
        for name, total in totals.items():
            if name in self._totals and seconds > 0:
                self._append(name, max(0.0, total - self._totals[name]) / seconds)
        self._append("memory", float(memory_bytes(stats)))
        self._append("files", status["files_per_second"])
        self._append("vectors", status["vectors_per_second"])
        self._totals, self._at = totals, now
        self.status, self.stats = status, stats

    def curve(self, name: str) -> Sequence[float]:
        """The values of ``name``, oldest first."""
        return self._curves.get(name, ())

    def last(self, name: str) -> float:
        """The newest value of ``name``; 0.0 where there is none."""
        curve = self.curve(name)
        return curve[-1] if curve else 0.0

    def methods(self) -> list[str]:
        """Methods that were called, those that were busy lately first."""
        called = [name for name in self.stats.get("server", {}).get("requests", {}) if name not in OWN_METHODS]
        return sorted(called, key=lambda name: (-sum(self.curve(name)), name))

    def _append(self, name: str, value: float) -> None:
        self._curves.setdefault(name, deque(maxlen=KEPT)).append(value)


def totals_of(stats: dict[str, Any]) -> dict[str, float]:
    """What only grows, by the name of the curve that its rate is: requests, and seconds of processor and of lanes."""
    totals = dict(stats.get("server", {}).get("requests", {}))
    totals["cpu"] = stats.get("process", {}).get("cpu_seconds", 0.0)
    for lane, counts in stats.get("compute", {}).get("lanes", {}).items():
        totals[f"lane {lane}"] = counts["busy_seconds"]
    return totals


def memory_bytes(stats: dict[str, Any]) -> int:
    """Resident memory of the daemon and its workers, shared pages counted each time; 0 where it does not say."""
    processes = [stats.get("process", {}), *stats.get("compute", {}).get("workers", [])]
    return sum(process.get("rss_bytes", 0) for process in processes)


def sparkline(values: Sequence[float], width: int, top: float = 0.0) -> str:
    """The last ``width`` values as bars, the highest for ``top`` or for the largest of them; as wide as it is long.

    >>> sparkline([0, 1, 2, 4], 4), sparkline([1], 3), sparkline([0.5], 1, top=1.0)
    ('▁▂▄█', '  █', '▄')
    """
    shown = list(values)[-width:] if width > 0 else []
    highest = max([top, *shown], default=0.0)
    return "".join(bar(value / highest if highest > 0 else 0.0) for value in shown).rjust(width)


def bar(share: float) -> str:
    """A bar of ``share`` (0 to 1) of the full height; next to nothing is the lowest, not none."""
    return BARS[min(max(math.ceil(share * len(BARS)) - 1, 0), len(BARS) - 1)]
