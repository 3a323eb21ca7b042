"""docs/agent.md says of tiers, budgets and tools what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from agentd.agent import asking, calling, circles, toolbox
from agentd.agent.builtin import NAMES
from agentd.agent.builtin.web import WEB_SECONDS
from agentd.agent.contracts import Outcome, Tier
from agentd.agent.records import Limit, State
from agentd.agent.tiers import LARGE_CONTEXT, MEDIUM_CONTEXT, PLANS
from agentd.config.settings import AgentSettings, ChatSettings, ProviderSettings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "agent.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
AGENT, CHAT = AgentSettings(), ChatSettings()


def section(title: str) -> str:
    """What stands under a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the first table of a section, without those of its head."""
    table = next(block for block in section(title).split("\n\n") if block.lstrip().startswith("|"))
    lines = table.strip().split("\n")
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def names(title: str) -> list[str]:
    """What the rows of a table are about."""
    return [row[0].strip("| `") for row in rows(title)]


def test_the_contents_are_the_sections() -> None:
    contents = re.findall(r"^- \[(.+)\]\(#(.+)\)$", PAGE, re.MULTILINE)
    assert [title for title, _ in contents] == re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert all(anchor == title.lower().replace(" ", "-") for title, anchor in contents)


def test_the_tiers_are_the_plans() -> None:
    plans = [PLANS[tier] for tier in Tier]
    figures = ("turns", "tool_calls", "seconds", "tokens", "context_tokens", "result_tokens", "hits")
    expected = [[f"{getattr(plan.limits, name):,.0f}" for plan in plans] for name in figures]
    found = [[cell.strip("| ") for cell in row[1:]] for row in rows("Tiers")]
    assert found == [*expected, [plan.style for plan in plans]]
    assert f"below {MEDIUM_CONTEXT:,} tokens small, below {LARGE_CONTEXT:,} medium, else large" in TEXT


def test_the_tools_are_the_built_in_ones() -> None:
    assert names("Tools") == list(NAMES)


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("Budgets", [limit for limit in get_args(Limit) if limit]),
        ("How a run ends", get_args(State)),
        ("When a call fails", [outcome for outcome in get_args(Outcome) if outcome not in {"ok", "running"}]),
    ],
)
def test_every_value_of_a_field_is_explained(title: str, values: list[str]) -> None:
    assert sorted(names(title)) == sorted(values)


@pytest.mark.parametrize(
    "said",
    [
        f"`agent.max_running` ({AGENT.max_running})",
        f"`agent.parallel_tools` ({AGENT.parallel_tools})",
        f"`agent.tool_seconds` ({AGENT.tool_seconds:g}) at most, one of the web {WEB_SECONDS:g}",
        f"`agent.keep_days` ({AGENT.keep_days}) and up to `agent.keep_count` ({AGENT.keep_count})",
        f"`chat.max_answer_tokens` ({CHAT.max_answer_tokens:,})",
        f"`chat.temperature` ({CHAT.temperature:g})",
        f"the default is {ProviderSettings('ollama', 'ollama').context_tokens:,}",
        f"Of more than {calling.MOST_AT_ONCE} in a turn",
        f"thoughts ({asking.MOST_KEPT:,} characters)",
        f"the first {toolbox.MAX_TEXT:,} characters of what the model was shown",
    ],
)
def test_defaults_and_bounds_are_those_of_the_code(said: str) -> None:
    assert said in TEXT


def test_circles_are_told_of_as_they_are_found() -> None:
    words = {2: "two", 3: "three"}
    assert f"{words[circles.MOST_REPEATED]} turns one after the other in which every call had been made before" in TEXT
    assert f"{words[circles.MOST_FRUITLESS]} turns one after the other in which no call succeeded" in TEXT
