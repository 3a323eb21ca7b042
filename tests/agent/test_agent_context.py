"""The conversation stays within its room, whatever is in it; old results give way first."""

from __future__ import annotations

import pytest
from agent_harness import Bench, call, calling, saying
from hypothesis import given
from hypothesis import strategies as st

from agentd.agent.context import Context, Exchange, cost, within
from agentd.agent.contracts import Told
from agentd.errors import InvalidParamsError
from agentd.providers.contracts import Message, Role, Tool, ToolCall

TOOLS = (Tool("look", "Looks.", {"type": "object", "properties": {}}),)


def exchange(n: int, *sizes: int) -> Exchange:
    """A turn whose results have so many words each."""
    calls = [ToolCall(f"{n}.{place}", "look", "{}") for place in range(len(sizes))]
    return Exchange(n, "", calls, [Told("word " * size, f"{size} found") for size in sizes])


def filled(*exchanges: Exchange) -> Context:
    context = Context("rules", "task")
    for each in exchanges:
        context.add(each)
    return context


def test_what_fits_stands_as_it_is() -> None:
    request = filled(exchange(1, 10), exchange(2, 20)).request(2000, TOOLS)
    assert request.dropped == []
    assert [each.role for each in request.messages] == [
        Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT, Role.TOOL,
    ]  # fmt: skip


def test_old_results_give_way_first_and_the_latest_stays() -> None:
    context = filled(exchange(1, 300, 300), exchange(2, 300), exchange(3, 300))
    request = context.request(1000, TOOLS)
    results = [each.content for each in request.messages if each.role is Role.TOOL]
    assert results[:3] == ["300 found", "300 found", "300 found"]
    assert results[3] == "word " * 300
    assert request.dropped == ["results of turns 1, 2 were shortened to a line each"]
    assert context.request(1000, TOOLS).dropped == []  # it is said once


def test_what_gave_way_leaves_room_for_the_next_turns() -> None:
    context = filled(*(exchange(n, 100) for n in range(1, 8)))
    room = within(1000)
    assert context.request(1000, TOOLS).tokens <= 0.85 * room


def test_turns_go_where_even_their_lines_have_no_room() -> None:
    context = filled(*(exchange(n, *[50] * 10) for n in range(1, 9)))
    request = context.request(500, TOOLS)
    assert request.tokens <= within(500)
    assert any("were left out" in each for each in request.dropped)
    assert "earlier turns are left out" in request.messages[1].content


@given(
    st.lists(st.lists(st.integers(0, 2000), min_size=1, max_size=8), max_size=12),
    st.integers(400, 6000),
    st.text(max_size=50),
)
def test_a_request_is_never_longer_than_its_room(turns: list[list[int]], room: int, note: str) -> None:
    context = Context("rules", "task")
    for n, sizes in enumerate(turns, start=1):
        context.add(exchange(n, *sizes))
        request = context.request(room, TOOLS, note)
        assert request.tokens <= within(room)
        assert sum(map(cost, request.messages)) <= within(room) + 40  # a sentence on what is left out
        check_order(request.messages)


def check_order(messages: tuple[Message, ...]) -> None:
    """Each result stands behind the turn that asked for it."""
    open_calls: list[str] = []
    for message in messages[2:]:
        if message.role is Role.ASSISTANT:
            assert not open_calls
            open_calls = [each.id for each in message.tool_calls]
        else:
            assert message.tool_call_id == open_calls.pop(0)
    assert not open_calls


def test_a_task_has_to_fit() -> None:
    with pytest.raises(InvalidParamsError, match="fewer words"):
        Context("rules", "word " * 3000).check(1000, TOOLS)
    Context("rules", "task").check(1000, TOOLS)


def test_a_long_run_keeps_its_requests_within_the_budget_and_says_what_gave_way() -> None:
    found = (call("look", {"start": number % 6, "size": 60 + number}) for number in range(100))
    bench = Bench(
        lambda request: calling(next(found)) if request.tools else saying("There are 3 `TRIES` [3]."),
        turns=20,
        context_tokens=2400,
    )
    trace = bench.run()
    assert max(turn.context_tokens for turn in trace.turns) <= within(2400)
    dropped = [event for event in bench.events if event["event"] == "context"]
    assert dropped
    assert [turn.context for turn in trace.turns if turn.context] == [event["dropped"] for event in dropped]
    assert trace.run.answer == "There are 3 `TRIES` [3]."  # its text is gone from the context, its number holds
    assert [each.n for each in trace.run.citations] == [3]
