"""Every tool call is counted and traced here, whatever tool it is of and however it ends. Nothing is awaited for it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from agentd.agent.outcomes import Failure
from agentd.retrieval.budget import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from agentd.agent.contracts import ToolResult
    from agentd.agent.records import CallRecord
    from agentd.observability.metrics import Counter, Histogram, Metrics

UNKNOWN = "unknown"
"""The label of all calls of tools that do not exist: the model makes up any number of names."""

SAMPLES = 5
SAMPLE_CHARS = 160
"""Tokens of a result are estimated from a few pieces of it: all of a long one would take a millisecond."""


class Tracer:
    """Keeps ``agent_tool_calls`` by tool and outcome, and ``agent_tool_milliseconds`` by tool; fills records in."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._calls: dict[tuple[str, str], Counter] = {}
        self._durations: dict[str, Histogram] = {}

    async def traced(
        self, record: CallRecord, work: Awaitable[ToolResult | Failure], label: str
    ) -> ToolResult | Failure:
        """What comes of ``work``, which raises nothing but what ends the call from outside. ``record`` is filled in."""
        began = perf_counter()
        try:
            done = await work
        except BaseException:
            record.outcome = "cancelled"
            raise
        else:
            _fill(record, done)
            return done
        finally:
            milliseconds = 1000 * (perf_counter() - began)
            record.milliseconds = round(milliseconds, 3)
            self._count(label, record.outcome, milliseconds)

    def _count(self, label: str, outcome: str, milliseconds: float) -> None:
        counter = self._calls.get((label, outcome))
        if counter is None:
            counter = self._metrics.counter("agent_tool_calls", tool=label, outcome=outcome)
            self._calls[label, outcome] = counter
            self._durations[label] = self._metrics.histogram("agent_tool_milliseconds", tool=label)
        counter.increment()
        self._durations[label].observe(milliseconds)


def _fill(record: CallRecord, done: ToolResult | Failure) -> None:
    if isinstance(done, Failure):
        record.outcome, record.kind, record.message = done.outcome, done.kind, done.message
        return
    texts = done.texts
    record.outcome = "ok"
    record.found = done.found
    record.notes = list(done.notes)
    record.bytes = sum(len(each) if each.isascii() else len(each.encode(errors="replace")) for each in texts)
    record.tokens = estimated(texts)


def estimated(texts: list[str]) -> int:
    """Tokens of ``texts`` together, from samples."""
    pieces = [each for each in texts if each]
    chars = sum(map(len, pieces))
    sample = "".join(each[:SAMPLE_CHARS] for each in pieces[:SAMPLES])
    return round(estimate_tokens(sample) * chars / len(sample)) if sample else 0
