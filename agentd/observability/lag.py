"""How late the loop is, and how much of that is garbage collection."""

from __future__ import annotations

import asyncio
import gc
from time import perf_counter, process_time
from typing import Literal, Self

from agentd.observability.metrics import Histogram

INTERVAL_SECONDS = 0.005
IDLE_SECONDS = 0.1
"""The longest interval. Whatever holds the loop up for longer is seen even where it comes out of the blue."""
IDLE_SHARE = 0.02
"""Of a core: a process that uses less is idle. The probe itself uses a tenth of that at 50 looks a second."""
_GENERATIONS = 3


class CollectorPauses:
    """Pauses by generation of the garbage collector; a context manager, for the callback is global."""

    def __init__(self) -> None:
        self._started = 0.0
        self.reset()

    def __enter__(self) -> Self:
        gc.callbacks.append(self._observe)
        return self

    def __exit__(self, *_exception: object) -> None:
        gc.callbacks.remove(self._observe)

    def reset(self) -> None:
        """Start anew."""
        self._counts = [0] * _GENERATIONS
        self._totals = [0.0] * _GENERATIONS
        self._longest = [0.0] * _GENERATIONS

    def _observe(self, phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        """Runs within the collection: it allocates nothing that the collector tracks."""
        if phase == "start":
            self._started = perf_counter()
            return
        pause = 1000 * (perf_counter() - self._started)
        generation = info["generation"]
        self._counts[generation] += 1
        self._totals[generation] += pause
        self._longest[generation] = max(self._longest[generation], pause)

    def snapshot(self) -> dict[str, dict[str, float]]:
        """JSON values by generation, in milliseconds."""
        return {
            f"generation_{generation}": {
                "count": self._counts[generation],
                "total_ms": self._totals[generation],
                "max_ms": self._longest[generation],
            }
            for generation in range(_GENERATIONS)
        }


class LagProbe:
    """Sleeps a little, over and over, and records by how much it wakes too late: what any callback would suffer.

    While the process is idle its sleep doubles, up to ``IDLE_SECONDS``, so that it does not keep the machine awake to
    learn nothing. Times of work therefore weigh more in the quantiles than times of rest, which only flatter them.
    """

    def __init__(self, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._interval = interval_seconds
        self._lag_ms = Histogram()
        self._pauses = CollectorPauses()

    @property
    def milliseconds(self) -> Histogram:
        """By how much it woke too late."""
        return self._lag_ms

    async def run(self) -> None:
        """Probe until cancelled.

        The clock is not the loop's own: uvloop's stands still during a turn and counts whole milliseconds.
        """
        with self._pauses:
            pause = self._interval
            while True:
                started, used = perf_counter(), process_time()
                await asyncio.sleep(pause)
                slept = perf_counter() - started
                self._lag_ms.observe(max(0.0, 1000 * (slept - pause)))
                idle = process_time() - used < IDLE_SHARE * slept
                pause = min(2 * pause, IDLE_SECONDS) if idle else self._interval

    def reset(self) -> None:
        """Start anew."""
        self._lag_ms.reset()
        self._pauses.reset()

    def snapshot(self) -> dict[str, object]:
        """JSON values, in milliseconds."""
        return {
            "count": self._lag_ms.count,
            "p50_ms": self._lag_ms.quantile(0.50),
            "p99_ms": self._lag_ms.quantile(0.99),
            "p999_ms": self._lag_ms.quantile(0.999),
            "max_ms": self._lag_ms.maximum,
            "garbage_collection": self._pauses.snapshot(),
        }
