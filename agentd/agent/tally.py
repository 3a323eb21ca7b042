"""What a trace adds up to: its counts are made of it, so they cannot say anything else. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agentd.answer.pipeline import total

if TYPE_CHECKING:
    from agentd.agent.records import TraceRecord

FAILED = frozenset({"retry", "final", "timed_out"})
"""Outcomes that are errors; a call that was stopped with its run is none."""


def sum_up(trace: TraceRecord) -> None:
    """Bring the counts, times and usage of ``trace.run`` up to what its turns say."""
    run, turns = trace.run, trace.turns
    calls = [call for turn in turns for call in turn.calls]
    run.counts = {
        "turns": len(turns),
        "tool_calls": len(calls),
        "tool_errors": sum(call.outcome in FAILED for call in calls),
        "cached": sum(call.cached for call in calls),
    }
    run.tools = dict(sorted(Counter(call.tool for call in calls).items()))
    run.usage = total([turn.usage for turn in turns])
    run.model = next((turn.model for turn in reversed(turns) if turn.model), run.model)
    run.timings["model"] = round(sum(turn.milliseconds for turn in turns), 3)
    run.timings["tools"] = round(sum(spans(trace)), 3)


def spans(trace: TraceRecord) -> list[float]:
    """Milliseconds from when the first call of a turn began to when the last one ended, for each turn with calls."""
    return [
        max(call.began + call.milliseconds for call in turn.calls) - min(call.began for call in turn.calls)
        for turn in trace.turns
        if turn.calls
    ]
