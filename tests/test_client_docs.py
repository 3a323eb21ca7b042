"""Every example of docs/clients.md is run, and prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripted_peer import Failure, Reply, Result, ScriptedPeer

CHECKOUT = Path(__file__).parents[1]
EXAMPLES = re.findall(
    r"```python\n(.*?)```\n\n```text\n(.*?)```",
    (CHECKOUT / "docs" / "clients.md").read_text(encoding="utf-8"),
    re.DOTALL,
)
HIT = {"path": "/srv/shop/http/retry.py", "start_line": 12, "end_line": 31, "symbol": "RetryPolicy"}
CALLS = [
    {"name": "fetch", "line": 14, "certainty": "import", "depth": 1},
    {"name": "main", "line": 3, "certainty": "exact", "depth": 2},
]
STATUS = {"documents": 2812, "state": "current"}
CALL = {"turn": 1, "call": "call_1", "tool": "read_span"}
RUN_EVENTS: tuple[dict[str, object], ...] = (
    {"event": "started", "run": "5d64afz0k3vw"},
    {"event": "tool_call", **CALL, "input": {"path": "retry.py"}},
    {"event": "tool_result", **CALL, "outcome": "ok", "found": 1},
    {"event": "chunk", "turn": 2, "text": "A request is tried again 3 times [1]."},
    {"event": "done", "run": "5d64afz0k3vw"},
)
RUN = {
    "state": "answered",
    "counts": {"turns": 2},
    "usage": {"output_tokens": 96},
    "citations": [{"n": 1, "path": "/srv/shop/http/retry.py", "start_line": 12}],
}
HEAD = {"id": "5d64afz0k3vw", "state": "answered", "task": "how often is a request tried again?"}
TURN = {"n": 1, "calls": [{"tool": "read_span", "milliseconds": 4.2, "tokens": 24}]}
PROGRESS: dict[str, object] = {"event": "progress", "status": {"vectors_pending": 8700}}


def test_every_example_has_its_output() -> None:
    page = (CHECKOUT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) == page.count("```python") > 0


@pytest.mark.parametrize(("code", "expected"), EXAMPLES)
def test_the_example_prints_what_the_page_says(code: str, expected: str, tmp_path: Path) -> None:
    added = Failure("root_invalid", "no") if 'add_root("/")' in code else Result({})
    replies: dict[str, Reply] = {
        "search": Result({"hits": [HIT], "total": 1, "complete": True, "degraded": []}),
        "graph.callers": Result({"entries": CALLS}),
        "roots.add": added,
        "index.wait": Result(STATUS, events=(PROGRESS,)),
        "index.status": Result(STATUS),
        "agent.run": Result(RUN, events=RUN_EVENTS),
        "agent.runs": Result({"runs": [HEAD]}),
        "agent.trace": Result({"turns": [TURN]}),
        "agent.stop": Result({"stopped": False}),
        "read_span": Result({"text": "class RetryPolicy:\n    attempts: int = 3\n"}),
    }
    environ = {**os.environ, "AGENTD_SOCKET": str(tmp_path / "s"), "PYTHONPATH": str(CHECKOUT)}
    with ScriptedPeer(tmp_path / "s", replies):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False, timeout=30
        )
    assert (done.stdout, done.stderr) == (expected, "")
