"""The trace of a run as a person sees it, on a real pseudo-terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from agent_events import USAGE, run
from pty_harness import Terminal
from scripted_peer import Result, ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER = (
    "# Time\n\nIt is **tried again**, `retries` times [1].\n\n- one, which has more words than the terminal has room"
    " for\n- two\n"
)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    with ScriptedPeer(tmp_path / "s") as peer:
        yield peer


def call(**changes: object) -> dict[str, object]:
    told = {"id": "a", "tool": "read_span", "input": {}, "outcome": "ok", "kind": "", "message": "", "notes": []}
    took = {"began": 10.0, "milliseconds": 2.0, "bytes": 0, "tokens": 0, "found": 0, "cached": False, "text": ""}
    return {**told, **took, **changes}


def turn(*calls: dict[str, object]) -> dict[str, object]:
    said = {"thinking": "", "text": "", "stop": "tools", "model": "m", "context": [], "problems": []}
    took = {"n": 1, "began": 0.0, "milliseconds": 9.0, "first_token": None, "context_tokens": 9, "usage": USAGE}
    return {**said, **took, "calls": [*calls]}


def shown(peer: ScriptedPeer, directory: Path, trace: dict[str, Any], **environ: str) -> Terminal:
    """The trace on a terminal of 57 columns."""
    peer.replies["agent.trace"] = Result(trace)
    words = ("--socket", peer.path, "trace", "5d64afz0k3vw")
    terminal = Terminal(*words, directory=directory, environ={"TZ": "UTC", **environ}, columns=57)
    try:
        assert terminal.end() == 0
    finally:
        terminal.close()
    return terminal


def test_the_answer_is_drawn_as_it_was_when_it_came(peer: ScriptedPeer, tmp_path: Path) -> None:
    cited = {"n": 1, "source": "documents", "path": f"{tmp_path}/a.py", "root": str(tmp_path), "symbol": "now"}
    cited |= {"start_line": 3, "end_line": 4, "hash": "sha256:ab", "text": "x", "supported": True}
    terminal = shown(peer, tmp_path, {"run": run(ANSWER, citations=[cited]), "turns": []})
    assert terminal.screen().text().partition("what?\n")[2].partition(" · ")[0] == (
        "\nTime\n\nIt is tried again, retries times [1].\n\n"
        " • one, which has more words than the terminal has room\n   for\n • two\n"
        "\n[1] a.py:3-4  now\n\nanswered in 12.3 s"
    )


def test_a_terminal_that_knows_no_escapes_has_the_answer_as_it_was_written(peer: ScriptedPeer, tmp_path: Path) -> None:
    terminal = shown(peer, tmp_path, {"run": run(ANSWER), "turns": []}, TERM="dumb")
    assert "\n# Time\n\nIt is **tried again**, `retries` times [1].\n" in terminal.plain()
    assert "\x1b" not in terminal.seen


def test_of_a_failure_the_message_stands_out_and_its_kind_does_not(peer: ScriptedPeer, tmp_path: Path) -> None:
    failed = call(
        outcome="retry", kind="tool_input", message="no file of the index is at b.py, which nobody ever wrote"
    )
    terminal = shown(peer, tmp_path, {"run": run("So."), "turns": [turn(failed)]})
    assert "\x1b[2mtool_input: \x1b[0m\x1b[33mno file of the index is at b.py, which\x1b[0m" in terminal.seen
    assert "\x1b[33m  nobody ever wrote\x1b[0m" in terminal.seen


def test_what_a_result_lacks_stands_out(peer: ScriptedPeer, tmp_path: Path) -> None:
    terminal = shown(peer, tmp_path, {"run": run("So."), "turns": [turn(call(notes=["2 hits left out"]))]})
    assert "\x1b[33m! 2 hits left out\x1b[0m" in terminal.seen
