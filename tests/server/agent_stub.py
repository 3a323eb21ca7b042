"""Runs of the agent, without any model or tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agentd.protocol import Run, RunList, Trace, Usage
    from agentd.server.agent_params import RunParams
    from agentd.server.params import PageParams

USAGE: Usage = {"input_tokens": 2210, "output_tokens": 96, "counted": True}
INPUT = {"path": "retry.py", "start_line": 1, "end_line": 40}
TEXT = "[1] retry.py, lines 4-5, retry\ndef retry(policy, times=3):\n    ..."
RUN: Run = {
    "id": "5d64afz0k3vw",
    "at": 1763800000.5,
    "task": "how often is a request tried again?",
    "tier": "medium",
    "model": "ollama/qwen3",
    "state": "answered",
    "limit": "",
    "mode": "generated",
    "answer": "A request is tried again 3 times [1].",
    "citations": [
        {
            "n": 1,
            "source": "documents",
            "path": "/home/ada/engine/retry.py",
            "root": "/home/ada/engine",
            "symbol": "retry",
            "title": "",
            "start_line": 4,
            "end_line": 5,
            "hash": "sha256:5b1f0e7c",
            "text": "def retry(policy, times=3):\n    ...",
            "supported": True,
        }
    ],
    "claims": [{"text": "A request is tried again 3 times.", "citations": [1], "supported": True, "reasons": []}],
    "degraded": [],
    "counts": {"turns": 2, "tool_calls": 1, "tool_errors": 0, "cached": 0},
    "tools": {"read_span": 1},
    "timings": {"total": 2140.5, "model": 2102.8, "tools": 4.2, "first_text": 1630.1},
    "usage": USAGE,
    "limits": {"turns": 12, "tokens": 60000, "seconds": 120.0, "tool_calls": 24, "context_tokens": 6144,
               "answer_tokens": 1024, "result_tokens": 1500, "hits": 6},
    "roots": ["/home/ada/engine"],
    "error": None,
}  # fmt: skip
TRACE: Trace = {
    "run": RUN,
    "turns": [
        {
            "n": 1,
            "began": 3.1,
            "milliseconds": 1210.4,
            "first_token": 310.2,
            "model": "ollama/qwen3",
            "stop": "tools",
            "thinking": "The retry policy should be in retry.py.",
            "text": "",
            "context_tokens": 1030,
            "context": [],
            "problems": [],
            "usage": {"input_tokens": 1030, "output_tokens": 41, "counted": True},
            "calls": [
                {
                    "id": "call_1",
                    "tool": "read_span",
                    "input": INPUT,
                    "outcome": "ok",
                    "kind": "",
                    "message": "",
                    "began": 1212.0,
                    "milliseconds": 4.2,
                    "bytes": 66,
                    "tokens": 24,
                    "found": 1,
                    "cached": False,
                    "text": TEXT,
                    "notes": [],
                }
            ],
        }
    ],
}
EVENTS: list[dict[str, object]] = [
    {
        "event": "started",
        "run": RUN["id"],
        "tier": "medium",
        "model": "ollama/qwen3",
        "limits": RUN["limits"],
        "tools": ["semantic_search", "read_span"],
    },
    {"event": "thinking", "turn": 1, "text": "The retry policy should be in retry.py."},
    {"event": "tool_call", "turn": 1, "call": "call_1", "tool": "read_span", "input": INPUT},
    {
        "event": "tool_result",
        "turn": 1,
        "call": "call_1",
        "tool": "read_span",
        "outcome": "ok",
        "kind": "",
        "message": "",
        "milliseconds": 4.2,
        "bytes": 66,
        "found": 1,
        "cached": False,
        "text": TEXT,
        "notes": [],
    },
    {"event": "chunk", "turn": 2, "text": RUN["answer"]},
    {
        "event": "done",
        "run": RUN["id"],
        "state": "answered",
        "limit": "",
        "counts": RUN["counts"],
        "tools": RUN["tools"],
        "usage": USAGE,
        "timings": RUN["timings"],
    },
]


class StubAgents:
    """Knows one run, which has ended."""

    async def run(
        self, params: RunParams, _deadline: float | None, emit: Callable[[Mapping[str, object]], Awaitable[None]]
    ) -> Run:
        for event in EVENTS:
            await emit(event)
        return {**RUN, "task": params.task}

    async def runs(self, params: PageParams) -> RunList:
        head = {name: RUN[name] for name in ("id", "at", "state", "task")}
        return {"runs": [head][: params.limit], "total": 1, "next": None}  # type: ignore[typeddict-item]

    async def trace(self, run_id: str) -> Trace:
        self._find(run_id)
        return TRACE

    async def stop(self, run_id: str) -> bool:
        self._find(run_id)
        return False

    def _find(self, run_id: str) -> None:
        if run_id != RUN["id"]:
            raise NotFoundError(f"no run {run_id!r} is kept; `agentctl runs` lists them")
