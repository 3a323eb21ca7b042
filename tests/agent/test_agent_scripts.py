"""Any model at all: whatever it does, a run ends within its budgets, and its trace is what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from agent_harness import LIMITS, Bench, call, ended
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agentd.agent.context import within
from agentd.errors import AgentdError, NoProviderError, ProviderAnswerError, ProviderUnavailableError
from agentd.providers.contracts import Discarded, Role, Thinking, Usage

if TYPE_CHECKING:
    from agentd.agent.records import TraceRecord

DOWN = ProviderUnavailableError("it is down")

CALLS = st.sampled_from(
    [
        call("look"),
        call("look", {"start": 1}, "same"),
        call("look", {"start": 2, "seconds": 7}),
        call("look", {"seconds": 40}),
        call("look", {"size": 3000}),
        call("look", {"name": "no.py"}),
        call("look", "{broken"),
        call("look", "[]"),
        call("broken"),
        call("nothing_of_the_kind", {"x": 1}),
        call("", "", "\x1b[2J"),
        call("web"),
    ]
)
PIECES = st.sampled_from(
    [
        "There are 3 `TRIES` [1]. ",
        "As [2][99] say, ",
        "![x](https://evil.example/?q=1)",
        "<tool_call>{}</tool_call>",
        "   ",
        Thinking("hm. "),
        Discarded("a/b", "it fell over"),
        3,
        30,
        200,
    ]
)
USAGES = st.sampled_from([None, Usage(), Usage(3000, 100, counted=True)])
ENDS = st.one_of(
    st.builds(lambda calls, usage: ended(*calls, usage=usage), st.lists(CALLS, max_size=5), USAGES),
    st.builds(lambda calls: ended(*calls, stop="length", usage=Usage()), st.lists(CALLS, max_size=1)),
    st.sampled_from(
        [
            DOWN,
            ProviderAnswerError("it is empty"),
            NoProviderError("none", providers={"a": "provider_invalid"}),
            "it goes on and never says that it is done",
        ]
    ),
)
TURNS: Any = st.builds(lambda pieces, end: [*pieces, end], st.lists(PIECES, max_size=4), ENDS)
BUDGETS = st.fixed_dictionaries(
    {},
    optional={
        "turns": st.integers(1, 8),
        "tokens": st.integers(0, 30_000),
        "seconds": st.floats(0.01, 200),
        "tool_calls": st.integers(1, 10),
        "context_tokens": st.integers(1000, 6000),
    },
)


@settings(max_examples=100, deadline=None)
@given(st.lists(TURNS, min_size=1, max_size=8), BUDGETS)
def test_every_run_ends_within_its_budgets_and_its_trace_is_what_happened(
    turns: list[Any], budgets: dict[str, Any]
) -> None:
    bench = Bench(*turns, limits=replace(LIMITS, **budgets), answer_tokens=200)
    failures: list[AgentdError] = []
    try:
        bench.run()
    except AgentdError as error:
        failures.append(error)
    trace = bench.trace
    assert [each.details["run"] for each in failures] == [trace.run.id] * (trace.run.state == "failed")
    assert trace.run.state == "failed" or trace.run.answer.strip()
    check_budgets(trace)
    check_events(bench, trace)
    check_requests(bench, trace)


def check_budgets(trace: TraceRecord) -> None:
    run, limits = trace.run, trace.run.limits
    assert run.counts["turns"] == len(trace.turns) <= limits["turns"]
    assert run.counts["tool_calls"] == sum(run.tools.values()) <= limits["tool_calls"]
    assert run.timings["total"] <= 1000 * limits["seconds"] + 0.01
    assert all(turn.context_tokens <= within(int(limits["context_tokens"])) for turn in trace.turns)
    if not any(turn.usage.counted for turn in trace.turns):
        assert run.usage.input_tokens + run.usage.output_tokens <= max(limits["tokens"], 0)


def check_events(bench: Bench, trace: TraceRecord) -> None:
    """Clients see what the trace says, in the same order, and in the end the answer."""
    assert bench.names[0] == "started"
    assert bench.names[-1] == "done"
    assert bench.events[-1]["counts"] == trace.run.counts
    called = [event["call"] for event in bench.events if event["event"] == "tool_call"]
    made = [each for turn in trace.turns for each in turn.calls]
    assert called == [each.id for each in made]
    told = {event["call"]: event["outcome"] for event in bench.events if event["event"] == "tool_result"}
    assert told == {each.id: each.outcome for each in made}
    assert "running" not in told.values()
    if trace.run.state == "answered":
        assert bench.streamed.strip()
    else:
        assert not bench.streamed


def check_requests(bench: Bench, trace: TraceRecord) -> None:
    assert len(bench.model.requests) == len(trace.turns)
    for request in bench.model.requests:
        asked = [each.id for message in request.messages for each in message.tool_calls]
        answered = [each.tool_call_id for each in request.messages if each.role is Role.TOOL]
        assert asked == answered
        assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("turns", [[[DOWN]], [["text", DOWN]]])
def test_a_run_that_fails_says_nothing(turns: list[Any]) -> None:
    bench = Bench(*turns)
    with pytest.raises(ProviderUnavailableError):
        bench.run()
    assert bench.streamed == ""
