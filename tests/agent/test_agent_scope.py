"""What a run has seen decides what may leave: text of a root that forbids the web takes the web away for good."""

from __future__ import annotations

from typing import Any

import pytest
from agent_harness import LIMITS, Bench, call, calling, saying
from answer_harness import ROOT

from agentd.agent.contracts import ToolResult
from agentd.agent.scope import RunScope, addresses_in
from agentd.config.settings import RootSettings

OPEN, SHUT = "/open", "/shut"


def rule(root: str) -> RootSettings:
    return RootSettings(path=root, egress=("web",) if root == OPEN else ("chat",))


def scope(task: str = "task", roots: Any = (SHUT, OPEN), named: Any = ()) -> RunScope:
    return RunScope(task, LIMITS, roots, named, rule)


def seen(*roots: str) -> ToolResult:
    return ToolResult(roots=frozenset(roots))


def test_a_run_that_has_seen_nothing_may_use_the_web_where_a_root_allows_it() -> None:
    run = scope()
    assert run.web_refusal() == ""
    assert run.outgoing("web").roots == {OPEN}
    assert run.spoken == (OPEN,)  # the path of another one must not be known where it could leave
    assert SHUT in scope(roots=[SHUT]).spoken
    assert "egress" in scope(roots=[SHUT]).web_refusal()


def test_text_of_a_root_that_forbids_the_web_takes_it_away_for_good() -> None:
    run = scope()
    run.saw(seen(OPEN))
    assert run.web_refusal() == ""
    run.saw(seen(SHUT))
    assert SHUT in run.web_refusal()
    run.saw(seen(OPEN))
    assert SHUT in run.web_refusal()
    assert run.outgoing("web").roots == {OPEN, SHUT}  # the gate would refuse it, too
    assert run.touched == (OPEN, SHUT)


def test_a_root_that_is_asked_for_by_name_counts_from_the_start() -> None:
    assert SHUT in scope(roots=[SHUT], named=[SHUT]).web_refusal()
    assert scope(roots=[OPEN], named=[OPEN]).outgoing("web").roots == {OPEN}
    assert scope(roots=[OPEN], named=[OPEN]).web_refusal() == ""


def test_a_model_may_be_told_of_any_root_of_the_run() -> None:
    assert scope().outgoing("chat").roots == {OPEN, SHUT}


def test_policy_is_read_when_it_is_asked_for() -> None:
    allowed = {OPEN}
    run = RunScope(
        "task", LIMITS, [OPEN], [], lambda root: RootSettings(path=root, egress=("web",) if root in allowed else ())
    )
    assert run.web_refusal() == ""
    allowed.clear()
    assert run.web_refusal()


def test_addresses_are_those_of_the_task_and_of_results() -> None:
    run = scope("Compare https://a.example/x, and what (http://b.example/y) says.")
    assert set(run.addresses) == {"https://a.example/x", "http://b.example/y"}
    run.saw(ToolResult(addresses=frozenset({"https://c.example"})))
    assert "https://c.example" in run.addresses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://a.example/x_(y).", ["https://a.example/x_(y)"]),
        ("(https://a.example)", ["https://a.example"]),
        ("<https://a.example?q=1&r=2>", ["https://a.example?q=1&r=2"]),
        ("file:///etc/passwd javascript:alert(1) ftp://a.example", []),
    ],
)
def test_addresses_end_where_a_sentence_goes_on(text: str, found: list[str]) -> None:
    assert addresses_in(text) == found


def test_a_run_loses_the_web_with_the_first_text_of_a_root_that_forbids_it() -> None:
    bench = Bench(
        calling(call("web"), call("look", {"name": "no.py"})),
        calling(call("web", {"start": 2}), call("look")),
        calling(call("web", {"start": 4})),
        saying("There are 3 `TRIES` [1]."),
        roots=[ROOT, OPEN],
        egress={OPEN: ["web"]},
    )
    trace = bench.run()
    offered = [{tool.name for tool in request.tools} for request in bench.model.requests]
    assert "web" in offered[0]
    assert "web" not in offered[-1]
    assert ROOT not in bench.model.requests[0].messages[0].content
    outcomes = [[(made.tool, made.outcome) for made in turn.calls] for turn in trace.turns]
    assert outcomes[0][0] == ("web", "ok")
    assert outcomes[2] == [("web", "final")]
    assert trace.run.roots == [OPEN, ROOT]
