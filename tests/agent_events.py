"""Events and results of runs, as a scripted daemon sends them to a client."""

from __future__ import annotations

from typing import Any

Event = dict[str, object]

LIMITS = {"turns": 12, "tokens": 100_000, "seconds": 300, "tool_calls": 40}
COUNTS = {"turns": 2, "tool_calls": 3, "tool_errors": 1, "cached": 0}
USAGE = {"input_tokens": 12345, "output_tokens": 890, "counted": True}
RUN_ID = "5d64afz0k3vw"


def started(**changes: object) -> Event:
    tools = ["semantic_search", "read_span"]
    known = {"run": RUN_ID, "tier": "medium", "model": "ollama/qwen3", "limits": LIMITS, "tools": tools}
    return {"event": "started", **known, **changes}


def thinking(text: str, turn: int = 1) -> Event:
    return {"event": "thinking", "turn": turn, "text": text}


def chunks(text: str, turn: int = 2, size: int = 7) -> list[Event]:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [{"event": "chunk", "turn": turn, "text": piece} for piece in pieces]


def discarded(reason: str, turn: int = 1) -> Event:
    return {"event": "discarded", "turn": turn, "reason": reason}


def tool_call(call: str, tool: str = "semantic_search", given: object = None, turn: int = 1) -> Event:
    given = {"query": "time"} if given is None else given
    return {"event": "tool_call", "turn": turn, "call": call, "tool": tool, "input": given}


def tool_result(call: str, tool: str = "semantic_search", turn: int = 1, **changes: object) -> Event:
    ended = {"outcome": "ok", "kind": "", "message": "", "milliseconds": 45.2, "bytes": 3500, "found": 12}
    shown = {"cached": False, "text": "[1] a.py:3\nb\nc\nd\ne", "notes": []}
    return {"event": "tool_result", "turn": turn, "call": call, "tool": tool, **ended, **shown, **changes}


def error(kind: str, message: str, turn: int = 1) -> Event:
    return {"event": "error", "turn": turn, "kind": kind, "message": message}


def done(state: str = "answered") -> Event:
    figures = {"counts": COUNTS, "tools": {"read_span": 3}, "usage": USAGE, "timings": {"total": 12300.0}}
    return {"event": "done", "run": RUN_ID, "state": state, "limit": "", **figures}


def run(answer: str, **changes: object) -> dict[str, Any]:
    known = {"id": RUN_ID, "at": 1.5, "task": "what?", "tier": "medium", "model": "ollama/qwen3", "state": "answered"}
    found = {
        "limit": "",
        "mode": "generated",
        "answer": answer,
        "citations": [],
        "claims": [],
        "degraded": [],
        "counts": COUNTS,
    }
    took = {"tools": {"read_span": 3}, "timings": {"total": 12300.0}, "usage": USAGE, "limits": LIMITS}
    return {**known, **found, **took, "roots": [], "error": None, **changes}
