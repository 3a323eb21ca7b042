"""Whichever budget is reached first leaves one turn, which must answer; a run never takes more than it was given."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from agent_harness import LIMITS, LOOK, Bench, call, calling, ended, saying
from answer_harness import ROOT
from msgspec.structs import replace

from agentd.providers.contracts import ChatRequest, Usage

if TYPE_CHECKING:
    from agentd.agent.records import RunRecord


def always_looking(request: ChatRequest) -> list[object]:
    """Calls as long as there are tools, never the same; then it answers."""
    if not request.tools:
        return saying("There are 3 `TRIES` [1].")
    return calling(call("look", {"start": 3, "size": len(request.messages)}))


def within_limits(run: RunRecord) -> bool:
    limits = run.limits
    return (
        run.counts["turns"] <= limits["turns"]
        and run.counts["tool_calls"] <= limits["tool_calls"]
        and run.usage.input_tokens + run.usage.output_tokens <= limits["tokens"]
        and run.timings["total"] <= 1000 * limits["seconds"]
    )


@pytest.mark.parametrize(
    ("limit", "budget"), [("turns", {"turns": 3}), ("tool_calls", {"tool_calls": 2}), ("tokens", {"tokens": 9_000})]
)
def test_a_budget_that_is_reached_leaves_a_turn_that_answers(limit: str, budget: dict[str, int]) -> None:
    bench = Bench(always_looking, limits=replace(LIMITS, **{"turns": 50, **budget}))
    run = bench.run().run
    assert (run.state, run.limit, run.answer) == ("answered", limit, "There are 3 `TRIES` [1].")
    assert any(f"(max_{limit}: " in each for each in run.degraded)
    assert within_limits(run)
    last = bench.model.requests[-1]
    assert last.tools == ()
    assert "You can call no more tools, because" in last.messages[-1].content


def test_without_a_budget_that_is_reached_nothing_is_said_of_one() -> None:
    run = Bench(LOOK, saying("There are 3 `TRIES` [1].")).run().run
    assert (run.limit, run.degraded) == ("", [])


def test_tokens_of_a_server_that_counts_more_than_we_do_count() -> None:
    dear = [ended(call("look"), usage=Usage(90_000, 9_600, counted=True))]
    run = Bench(dear, saying("Three [1].")).run().run
    assert (run.limit, run.counts["turns"]) == ("tokens", 1)
    assert [each.text for each in run.citations] == ["TRIES = 3\n"]  # an extract: there was nothing left for a turn


def test_a_tool_that_runs_when_time_is_over_is_stopped_and_the_last_turn_answers() -> None:
    slow = call("look", {"seconds": 1000}, "slow")
    fast = call("look", {"start": 3}, "fast")
    bench = Bench(calling(slow, fast), saying("There are 3 `TRIES` [1]."), seconds=20.0)
    trace = bench.run()
    assert (trace.run.state, trace.run.limit) == ("answered", "seconds")
    assert [(made.id, made.outcome) for made in trace.turns[0].calls] == [("slow", "cancelled"), ("fast", "ok")]
    assert trace.run.answer == "There are 3 `TRIES` [1]."
    assert within_limits(trace.run)
    told = [event for event in bench.events if event["event"] == "tool_result"]
    assert [(event["call"], event["outcome"]) for event in told] == [("fast", "ok"), ("slow", "cancelled")]


def test_a_model_that_thinks_too_long_gives_way_to_the_last_turn() -> None:
    bench = Bench(LOOK, saying(1000), saying("There are 3 `TRIES` [1]."))
    trace = bench.run()
    assert (trace.run.limit, trace.run.answer) == ("seconds", "There are 3 `TRIES` [1].")
    assert trace.turns[1].problems == ["it was not done in time"]
    assert within_limits(trace.run)


def test_a_model_that_has_begun_its_answer_may_end_it() -> None:
    bench = Bench(LOOK, saying(60, "There are ", 25, "3 `TRIES` [1]."))
    run = bench.run().run
    assert (run.state, run.limit, run.answer) == ("answered", "", "There are 3 `TRIES` [1].")
    assert within_limits(run)


def test_a_model_that_is_late_in_the_end_gives_way_to_an_extract() -> None:
    bench = Bench(LOOK, saying("There are ", 1000))
    run = bench.run().run
    assert (run.state, run.limit) == ("answered", "seconds")
    assert [(each.path, each.text) for each in run.citations] == [(f"{ROOT}/retry.py", "TRIES = 3\n")]
    assert "the model gave no answer in the end" in run.degraded
    assert bench.streamed == run.answer
    assert within_limits(run)


def test_the_same_calls_again_are_told_and_then_stopped() -> None:
    bench = Bench(LOOK, LOOK, LOOK, saying("There are 3 `TRIES` [1]."))
    trace = bench.run()
    assert [[made.cached for made in turn.calls] for turn in trace.turns] == [[False], [True], [True], []]
    assert (trace.run.limit, trace.run.answer) == ("repetition", "There are 3 `TRIES` [1].")
    assert "was made in turn 1" in bench.model.requests[2].messages[-1].content
    assert trace.run.counts["cached"] == 2


def test_nothing_but_calls_that_fail_ends_in_the_last_turn() -> None:
    wrong = (calling(call("look", {"name": f"no{number}.py"})) for number in count())
    bench = Bench(lambda request: next(wrong) if request.tools else saying("I found nothing."))
    trace = bench.run()
    assert (trace.run.limit, trace.run.counts["turns"], trace.run.counts["tool_errors"]) == ("errors", 4, 3)
    assert trace.run.answer == "I found nothing."


def test_two_hundred_calls_at_once_are_as_many_as_may_be_made() -> None:
    many = calling(*(call("look", {"size": number}) for number in range(200)))
    bench = Bench(many, saying("There are 3 `TRIES` [1]."))
    trace = bench.run()
    assert trace.run.counts["tool_calls"] == 20
    assert trace.turns[0].problems == ["180 of 200 calls were not made"]
    assert trace.run.limit == "tool_calls"
    assert within_limits(trace.run)


def test_calls_that_were_not_made_are_told_of() -> None:
    many = calling(*(call("look", {"size": number}) for number in range(40)))
    bench = Bench(many, saying("There are 3 `TRIES` [1]."), tool_calls=100)
    assert bench.run().run.counts["tool_calls"] == 32
    assert "8 more calls of that turn were not made" in bench.model.requests[1].messages[-1].content


def test_a_run_of_one_turn_has_no_tools() -> None:
    bench = Bench(saying("I know nothing."), turns=1)
    run = bench.run().run
    assert (run.limit, run.answer, bench.model.requests[0].tools) == ("turns", "I know nothing.", ())


def test_a_budget_that_allows_no_turn_ends_with_a_sentence() -> None:
    bench = Bench(LOOK, tokens=100)
    run = bench.run().run
    assert (run.state, run.limit, run.counts["turns"], run.citations) == ("answered", "tokens", 0, [])
    assert run.answer


def test_a_call_that_comes_after_the_time_for_calls_is_told_of_too() -> None:
    late = ["Let me see. ", 30, ended(call("look"))]
    bench = Bench(late, late, late, saying("There are 3 `TRIES` [1]."))
    trace = bench.run()
    made = [each.id for turn in trace.turns for each in turn.calls]
    assert len(made) == 3
    assert [event["call"] for event in bench.events if event["event"] == "tool_result"] == made
    assert within_limits(trace.run)
