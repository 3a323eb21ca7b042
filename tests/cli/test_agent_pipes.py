"""A run of the agent in pipes: the answer, lines of JSON, and readers that leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from agent_events import chunks, done, error, run, started, thinking, tool_call, tool_result
from scripted_peer import Endless, Failure, Result, ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
EVENTS = (started(), thinking("hm"), tool_call("a"), tool_result("a"), *chunks("So."), done())


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[ScriptedPeer]:
    root = {"path": str(tmp_path), "state": "current", "pending": 0, "vectors_pending": 0}
    with ScriptedPeer(tmp_path / "s", {"roots.list": Result({"roots": [root]})}) as peer:
        yield peer


def agentctl(peer: ScriptedPeer, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "agentd.cli.main", "--socket", peer.path, "agent", "what?", "--all", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_answer_is_the_output_and_each_call_a_line_beside_it(peer: ScriptedPeer) -> None:
    failed = tool_result("b", outcome="timed_out", kind="timeout", message="not within 30 s", found=0, bytes=0)
    dropped = {"event": "context", "turn": 2, "dropped": ["old results"], "tokens": 9}
    events = (*EVENTS[:4], tool_call("b"), failed, dropped, error("busy", "asked again"), *EVENTS[4:])
    peer.replies["agent.run"] = Result(run("So.", degraded=["x"]), events)
    output, notes = agentctl(peer).communicate(timeout=20)
    assert output == "So.\n"
    assert notes.split("\n")[:6] == [
        '✓ semantic_search(query="time")  12 found · 3.4 KiB · 45 ms',
        '✗ semantic_search(query="time")  timed out · 45 ms: timeout: not within 30 s',
        "context: old results",
        "busy: asked again",
        "degraded: x",
        "answered in 12.3 s · 2 turns · 3 calls (1 failed) · 12,345 tokens in, 890 out",
    ]


def test_a_failure_that_comes_again_is_counted_and_told_once(peer: ScriptedPeer) -> None:
    failed = error("no_provider", "box: gave an empty answer")
    degraded = ["the model failed: box: gave an empty answer"]
    peer.replies["agent.run"] = Result(run("So.", degraded=degraded), (started(), failed, failed, failed, done()))
    notes = agentctl(peer).communicate(timeout=20)[1]
    assert notes.split("\n")[:3] == [
        "no_provider: box: gave an empty answer",
        "no_provider: three times in all",
        "degraded: the model failed (as said above)",
    ]


def test_with_json_each_event_is_a_line_as_it_comes_and_the_result_the_last(peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = Endless(EVENTS)
    running = agentctl(peer, "--json")
    assert running.stdout
    assert [json.loads(running.stdout.readline()) for _ in EVENTS] == list(EVENTS)  # though it goes on
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == 130
    running.communicate()
    peer.replies["agent.run"] = Result(run("So."), EVENTS)
    lines = agentctl(peer, "--json").communicate(timeout=20)[0].splitlines()
    assert [json.loads(line) for line in lines] == [*EVENTS, run("So.")]


def test_ctrl_c_in_a_pipe_cancels_and_says_how_far_it_came(peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = Endless(EVENTS[:4], {"run": "5d64afz0k3vw"})
    running = agentctl(peer)
    assert running.stderr
    assert running.stderr.readline().startswith("✓ semantic_search")
    running.send_signal(signal.SIGINT)
    output, notes = running.communicate(timeout=10)
    assert (running.returncode, output) == (130, "")
    assert notes.startswith("cancelled after ")
    assert notes.endswith(" · 1 turn · 1 call\nrun 5d64afz0k3vw: agentctl trace 5d64afz0k3vw\n")


def test_a_reader_that_leaves_ends_the_command_quietly(peer: ScriptedPeer) -> None:
    peer.replies["agent.run"] = Endless((started(), *chunks("x" * 200_000, size=10)))
    running = agentctl(peer, "--json")
    assert running.stdout
    assert running.stderr
    running.stdout.readline()
    running.stdout.close()
    assert running.wait(10) == 141
    assert running.stderr.read() == ""
    running.stderr.close()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Result(run("So.")), 0),
        (Result(run("")), 1),
        (Result(run("There is no answer.", mode="nothing")), 1),
        (Result({name: value for name, value in run("So.").items() if name != "mode"}), 0),  # of an older daemon
        (Result(run("", state="cancelled")), 130),
        (Result(run("", state="failed")), 4),
        (Failure("busy", "4 runs go on"), 4),
        (Failure("cancelled", "stopped by agent.stop", {"run": "x"}), 4),
        (Failure("deadline", "too late"), 5),
    ],
)
def test_how_a_run_ended_is_the_exit_code(peer: ScriptedPeer, reply: Result | Failure, code: int) -> None:
    peer.replies["agent.run"] = reply
    ended = agentctl(peer)
    ended.communicate(timeout=20)
    assert ended.returncode == code
