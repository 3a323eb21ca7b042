"""The events of a run, as clients see them: one function for each, so that their fields stand in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentd.agent.records import CallRecord, RunRecord

Event = dict[str, object]

SHOWN_TEXT = 2000
"""Characters of a result that its event tells; the trace has more."""


def started(run: RunRecord, tools: Sequence[str]) -> Event:
    """The run begins."""
    return {
        "event": "started",
        "run": run.id,
        "tier": run.tier,
        "model": run.model,
        "limits": run.limits,
        "tools": [*tools],
    }


def in_turn(event: Mapping[str, object], turn: int) -> Event:
    """An event of a writer, of which the turn is known to us alone."""
    return {**event, "turn": turn}


def thinking(turn: int, text: str) -> Event:
    """What the model thinks."""
    return {"event": "thinking", "turn": turn, "text": text}


def chunk(turn: int, text: str) -> Event:
    """A piece of the answer."""
    return {"event": "chunk", "turn": turn, "text": text}


def discarded(turn: int, reason: str) -> Event:
    """All chunks so far are void."""
    return {"event": "discarded", "turn": turn, "reason": reason}


def tool_call(turn: int, record: CallRecord) -> Event:
    """A tool is about to be called."""
    return {"event": "tool_call", "turn": turn, "call": record.id, "tool": record.tool, "input": record.input}


def tool_result(turn: int, record: CallRecord) -> Event:
    """A call ended, well or not."""
    return {
        "event": "tool_result",
        "turn": turn,
        "call": record.id,
        "tool": record.tool,
        "outcome": record.outcome,
        "kind": record.kind,
        "message": record.message,
        "milliseconds": record.milliseconds,
        "bytes": record.bytes,
        "found": record.found,
        "cached": record.cached,
        "text": record.text[:SHOWN_TEXT],
        "notes": [*record.notes],
    }


def context(turn: int, dropped: Sequence[str], tokens: int) -> Event:
    """Something gave way, so that the next request has room."""
    return {"event": "context", "turn": turn, "dropped": [*dropped], "tokens": tokens}


def error(turn: int, kind: str, message: str) -> Event:
    """A failure, be it one that the run survives or the one that ends it."""
    return {"event": "error", "turn": turn, "kind": kind, "message": message}


def done(run: RunRecord) -> Event:
    """The run is over."""
    return {
        "event": "done",
        "run": run.id,
        "state": run.state,
        "limit": run.limit,
        "counts": run.counts,
        "tools": run.tools,
        "usage": msgspec.to_builtins(run.usage),
        "timings": run.timings,
    }
