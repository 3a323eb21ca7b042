"""Runs that reach a budget: one turn is left then, which has to answer, and where it does not, what was found does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_script import Says, Script, call, calls, says
from tool_runs import ANSWER, NO_SOURCE, RETRY

if TYPE_CHECKING:
    from agent_house import Outcome

SILENT = Says(hangs=True)
DREAM = call("dream")
SPELLED = '<tool_call>\n{"name": "read_span", "arguments": {"path": "engine/retry.py"}}\n</tool_call>'
NOTHING = "There is no answer: the model gave none"


def chapter(number: int) -> Says:
    return calls(call("read_span", path=f"book/chapter_{number}.md"))


def shortened(outcome: Outcome) -> None:
    """Old results gave way, the trace and an event say which, and no request was longer than the model reads."""
    turns = [turn for turn in outcome.trace["turns"] if turn["context"]]
    assert turns
    told = [(each["turn"], each["dropped"], each["tokens"]) for each in outcome.of("context")]
    assert told == [(turn["n"], turn["context"], turn["context_tokens"]) for turn in turns]
    assert (
        max(turn["context_tokens"] for turn in outcome.trace["turns"])
        <= outcome.trace["run"]["limits"]["context_tokens"]
    )
    assert "shortened to a line" in str(told)
    assert "Line 20 of chapter 1 " not in str(outcome.asked[-1])
    assert "Line 20 of chapter 6 " in str(outcome.asked[-1])


def tier(outcome: Outcome, name: str, turns: int) -> None:
    run = outcome.trace["run"]
    assert (run["tier"], run["limits"]["turns"]) == (name, turns)
    assert run["limits"]["context_tokens"] <= 32_768 - run["limits"]["answer_tokens"]


def without_tools(outcome: Outcome) -> None:
    """The last turn had none, and was told why."""
    assert "tools" not in outcome.asked[-1]
    assert "You can call no more tools" in str(outcome.asked[-1]["messages"][-1]["content"])


BUDGET_RUNS = (
    Script(
        name="two turns",
        options={"max_turns": 2},
        says=(calls(RETRY), ANSWER),
        turns=("ok", ""),
        limit="turns",
        cited=("retry.py",),
        degraded=("max_turns",),
        check=without_tools,
    ),
    Script(
        name="a last turn that calls on",
        options={"max_turns": 3},
        says=(calls(RETRY), calls(call("find_symbol", name="send")), calls(call("find_symbol", name="fetch"))),
        turns=("ok", "ok", ""),
        limit="turns",
        cited=("retry.py",),
        degraded=("max_turns", "no answer"),
        holds=("No model wrote this",),
    ),
    Script(
        name="a last turn with one more try",
        options={"max_tool_calls": 1},
        says=(calls(RETRY), calls(RETRY), ANSWER),
        turns=("ok", "", ""),
        limit="tool_calls",
        cited=("retry.py",),
        degraded=("max_tool_calls",),
    ),
    Script(
        name="more calls in a turn than are left",
        options={"max_tool_calls": 3},
        says=(calls(RETRY, *(call("find_symbol", name=name) for name in ("send", "fetch", "price"))), ANSWER),
        turns=("ok ok ok", ""),
        limit="tool_calls",
        cited=("retry.py",),
        degraded=("max_tool_calls",),
        check=without_tools,
    ),
    Script(
        name="tokens",
        options={"max_tokens": 16_000},
        says=(calls(RETRY, usage={"prompt_tokens": 12_000, "completion_tokens": 20}), ANSWER),
        turns=("ok", ""),
        limit="tokens",
        cited=("retry.py",),
        degraded=("max_tokens",),
        check=without_tools,
    ),
    Script(
        name="too few tokens for anything",
        options={"max_tokens": 500},
        says=(),
        turns=(),
        limit="tokens",
        holds=(NOTHING,),
        degraded=("max_tokens",),
    ),
    Script(
        name="a tool that takes all the time",
        options={"max_seconds": 1.2},
        says=(calls(DREAM, RETRY), ANSWER),
        turns=("cancelled ok", ""),
        limit="seconds",
        cited=("retry.py",),
        degraded=("max_seconds",),
    ),
    Script(
        name="no time for anything",
        options={"max_seconds": 0.001},
        says=(),
        turns=(),
        limit="seconds",
        holds=(NOTHING,),
        degraded=("max_seconds",),
    ),
    Script(
        name="a last turn that spells its call out",
        options={"max_tool_calls": 1},
        says=(calls(RETRY), says(SPELLED), ANSWER),
        turns=("ok", "", ""),
        limit="tool_calls",
        cited=("retry.py",),
        degraded=("max_tool_calls",),
    ),
    Script(
        name="a model that falls silent",
        options={"max_seconds": 1.0},
        says=(calls(RETRY), SILENT, SILENT),
        turns=("ok", "", ""),
        limit="seconds",
        cited=("retry.py",),
        degraded=("max_seconds", "no answer"),
    ),
    Script(
        name="a deadline, and nothing found by then",
        options={"deadline_ms": 800},
        says=(SILENT, SILENT),
        turns=("", ""),
        limit="seconds",
        holds=(NOTHING,),
        degraded=("max_seconds",),
    ),
    Script(
        name="a context that old results leave",
        provider={"context_tokens": 8192},
        says=(*map(chapter, range(1, 7)), says("Chapter one tells of trees [1].")),
        turns=("ok",) * 6 + ("",),
        cited=("chapter_1.md",),
        check=shortened,
    ),
    Script(
        name="a small tier by request",
        options={"tier": "small"},
        says=(calls(RETRY), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=lambda outcome: tier(outcome, "small", 8),
    ),
    Script(
        name="a medium tier by the model's context",
        says=(calls(RETRY), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=lambda outcome: tier(outcome, "medium", 16),
    ),
    Script(
        name="a large tier by request, as far as the model's context goes",
        options={"tier": "large"},
        says=(calls(RETRY), ANSWER),
        turns=("ok", ""),
        cited=("retry.py",),
        check=lambda outcome: tier(outcome, "large", 40),
    ),
    Script(
        name="a task that is longer than the model reads",
        provider={"context_tokens": 8192},
        task="How long does it wait? " * 2000,
        says=(),
        turns=(),
        state="failed",
        error="invalid_params",
    ),
    Script(
        name="an answer that is cut",
        says=(calls(RETRY), says("It waits `2**attempt` seconds [1], and", finish="length")),
        turns=("ok", ""),
        cited=("retry.py",),
        degraded=("cut at 1024 tokens",),
    ),
    Script(
        name="calls that cannot be made, again and again",
        says=(*(calls(call("find_symbol", title=str(n))) for n in range(3)), says("I do not know.")),
        turns=("retry", "retry", "retry", ""),
        limit="errors",
        degraded=("nothing but calls that failed", *NO_SOURCE),
    ),
)
