"""Give the agent a task, and see each step as it takes it.

python examples/agent_run.py which tests cover the retry policy
"""

from __future__ import annotations

import sys
from typing import Any

from agentd.client import AgentdClientError, Client


def show(event: Any) -> None:
    """One event of a run on standard output."""
    match event:
        case {"event": "thinking", "text": text}:
            print(f"… {text}")
        case {"event": "tool_call", "tool": tool, "input": given}:
            print(f"→ {tool} {given}")
        case {"event": "tool_result", "message": message} if message:
            print(f"← {message}")
        case {"event": "tool_result", "outcome": outcome, "found": found, "milliseconds": took}:
            print(f"← {outcome}, {found} found in {took:.0f} ms")
        case {"event": "chunk", "text": text}:
            print(text, end="", flush=True)
        case {"event": "discarded"}:
            print("\n(what was written so far is void)")
        case {"event": "error", "message": message}:
            print(f"! {message}")


def main(task: str) -> None:
    """Stream a run; Ctrl-C cancels it."""
    with Client(timeout=None) as client:
        stream = client.stream("agent.run", task=task, max_seconds=120)
        for event in stream:
            show(event)
    run = stream.result
    print()
    for citation in run["citations"]:
        print(f"[{citation['n']}] {citation.get('path') or citation.get('url')}:{citation['start_line']}")
    print(
        f"{run['counts']['turns']} turns, {run['counts']['tool_calls']} calls; agentctl trace {run['id']} has them all"
    )


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("usage: agent_run.py TASK")
    try:
        main(" ".join(sys.argv[1:]))
    except AgentdClientError as error:
        sys.exit(error.message)
