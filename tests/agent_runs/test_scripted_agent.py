"""Whole runs of the agent in a real daemon, with scripted models: each has to end within its budgets, as its script has
it, and with a trace that says what the model's server saw.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from agent_account import check, the_accounts
from agent_house import house
from budget_runs import BUDGET_RUNS
from ended_runs import ENDED_RUNS, MOMENTS
from hostile_runs import HOSTILE_RUNS
from model_runs import MODEL_RUNS
from tool_runs import TOOL_RUNS
from web_runs import WEB_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_house import House
    from agent_script import Json, Script

ENOUGH, HOSTILE = 50, 10
SCRIPTS = (*TOOL_RUNS, *MODEL_RUNS, *BUDGET_RUNS, *WEB_RUNS, *ENDED_RUNS, *HOSTILE_RUNS)


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("runs"), (*SCRIPTS, *MOMENTS)) as found:
        yield found


def test_there_are_enough_of_them() -> None:
    assert len(SCRIPTS) >= ENOUGH
    assert sum(script.hostile for script in SCRIPTS) >= HOSTILE
    assert len({script.name for script in SCRIPTS}) == len(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_run(at_home: House, script: Script) -> None:
    check(at_home.carry_out(script))


@pytest.mark.parametrize("script", MOMENTS, ids=lambda script: script.name)
def test_a_run_can_be_cancelled_at_any_moment(at_home: House, script: Script) -> None:
    """Wherever it is then, its trace is final and its sums are right; a moment too late, it has answered, whatever the
    client is told.
    """
    outcome = at_home.carry_out(script)
    the_accounts(outcome)
    state = outcome.trace["run"]["state"]
    told = outcome.error.kind if outcome.error else ""
    assert (state, told) in {("cancelled", "cancelled"), ("answered", "cancelled"), ("answered", "")}
    assert "running" not in [each["outcome"] for each in outcome.calls]
    if state == "answered":
        assert len(outcome.trace["turns"]) == len(script.says)


def test_the_figures_are_the_sums_of_all_traces(at_home: House) -> None:
    """Whatever ended a run, and whatever became of what is kept of it."""
    kept = [outcome for outcome in at_home.outcomes if outcome.script.kept]
    assert kept, "this looks back on the runs above"
    figures = samples(at_home.daemon.client.metrics())
    calls = Counter((label(each), each["outcome"]) for outcome in kept for each in outcome.calls)
    forgotten = [("read_span", "ok")] * (len(at_home.outcomes) - len(kept))  # all that such a run did
    told = {
        (tool, outcome): figures[f'agentd_agent_tool_calls_total{{tool="{tool}",outcome="{outcome}"}}']
        for tool, outcome in calls
    }
    assert told == calls + Counter(forgotten)
    states = Counter(outcome.trace["run"]["state"] for outcome in kept)
    states["cancelled"] += len(forgotten)
    assert {state: figures[f'agentd_agent_runs_total{{state="{state}"}}'] for state in states} == states
    turns = sum(len(outcome.trace["turns"]) for outcome in kept) + 2 * len(forgotten)
    assert figures["agentd_agent_turns_total"] == turns


def test_nothing_is_left_of_them(at_home: House) -> None:
    """No run, no command, and no fault that only the log knows of."""
    assert at_home.daemon.client.stats()["agent"]["running"] == 0
    assert at_home.commands() == []
    entries = [json.loads(line) for line in at_home.daemon.log.splitlines()]
    assert [each for each in entries if each["level"] in {"error", "critical"}] == []


def samples(text: str) -> dict[str, float]:
    """What the exposition format of Prometheus holds."""
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def label(call: Json) -> str:
    """What figures call a tool: those that there are not share one name."""
    return "unknown" if call["kind"] == "tool_unknown" else str(call["tool"])
