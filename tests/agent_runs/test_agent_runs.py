"""Whole runs of the agent in a real daemon, with scripted models: each has to end within its budgets, as its script has
it, and with a trace that says what the model's server saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from agent_account import check
from agent_house import house
from budget_runs import BUDGET_RUNS
from ended_runs import ENDED_RUNS
from hostile_runs import HOSTILE_RUNS
from model_runs import MODEL_RUNS
from tool_runs import TOOL_RUNS
from web_runs import WEB_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_house import House
    from agent_script import Script

SCRIPTS = (*TOOL_RUNS, *MODEL_RUNS, *BUDGET_RUNS, *WEB_RUNS, *ENDED_RUNS, *HOSTILE_RUNS)


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("runs"), SCRIPTS) as found:
        yield found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_run(at_home: House, script: Script) -> None:
    check(at_home.carry_out(script))
