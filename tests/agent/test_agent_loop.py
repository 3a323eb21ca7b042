"""Turns of a model with tools: what it is told, what clients see, what the trace says."""

from __future__ import annotations

import msgspec
from agent_harness import LOOK, Bench, Wanted, call, calling, ended, saying
from answer_harness import ROOT

from agentd.agent.contracts import Scope, ToolResult
from agentd.agent.records import TraceRecord
from agentd.agent.tools import tool
from agentd.answer.records import text_hash
from agentd.providers.contracts import Role, Thinking, Usage


def test_a_run_looks_answers_and_cites() -> None:
    bench = Bench([Thinking("where is "), Thinking("it?"), *LOOK], saying("There are 3 `TRIES` [1]."))
    trace = bench.run()
    run = trace.run
    assert (run.state, run.mode, run.limit, run.answer) == ("answered", "generated", "", "There are 3 `TRIES` [1].")
    assert [(each.n, each.path, each.start_line, each.hash) for each in run.citations] == [
        (1, f"{ROOT}/retry.py", 3, text_hash("TRIES = 3\n"))
    ]
    assert [claim.supported for claim in run.claims] == [True]
    assert run.degraded == []
    assert run.counts == {"turns": 2, "tool_calls": 1, "tool_errors": 0, "cached": 0}
    assert run.tools == {"look": 1}
    assert run.usage == Usage(200, 20, counted=True)
    assert run.model == "scripted/model"
    assert run.roots == [ROOT]
    assert bench.streamed == run.answer
    assert bench.names == ["started", "thinking", "thinking", "tool_call", "tool_result", "chunk", "done"]
    assert bench.stored == [1, 2]


def test_the_trace_is_the_script() -> None:
    bench = Bench([Thinking("hm"), *LOOK], saying("Three [1]."))
    trace = bench.run()
    first, second = trace.turns
    assert (first.n, first.thinking, first.text, first.stop, first.model) == (1, "hm", "", "tools", "scripted/model")
    (made,) = first.calls
    assert (made.tool, made.input, made.outcome, made.found, made.cached) == ("look", {}, "ok", 1, False)
    assert "TRIES = 3" in made.text
    assert (second.n, second.text, second.stop, second.calls) == (2, "Three [1].", "end", [])
    assert first.context_tokens < second.context_tokens


def test_a_trace_that_was_kept_before_runs_had_a_mode_can_be_read() -> None:
    kept = msgspec.to_builtins(Bench(LOOK, saying("Three [1].")).run())
    del kept["run"]["mode"]
    assert msgspec.convert(kept, TraceRecord).run.mode == "nothing"


def test_the_model_sees_its_calls_and_what_came_of_them() -> None:
    bench = Bench(calling(call("look", {"start": 1}, "abc"), call("look", {"start": 3}, "def")), saying("Three [2]."))
    bench.run()
    system, task, asked, first, second = bench.model.requests[1].messages
    assert [each.role for each in (system, task, asked, first, second)] == [
        Role.SYSTEM,
        Role.USER,
        Role.ASSISTANT,
        Role.TOOL,
        Role.TOOL,
    ]
    assert [each.id for each in asked.tool_calls] == ["abc", "def"]
    assert (first.tool_call_id, second.tool_call_id) == ("abc", "def")
    assert "source 1 | kind: file" in first.content
    assert "import time" in first.content
    assert "source 2 | kind: file" in second.content
    assert {each.name for each in bench.model.requests[0].tools} == {"look", "broken"}  # the web is not allowed


def test_text_before_calls_is_thought_and_void() -> None:
    bench = Bench(["Let me ", "look.", ended(call("look"))], saying("Three [1]."))
    trace = bench.run()
    assert bench.names == [
        "started", "chunk", "discarded", "thinking", "tool_call", "tool_result", "chunk", "done",
    ]  # fmt: skip
    assert bench.streamed == "Three [1]."
    assert (trace.turns[0].thinking, trace.turns[0].text) == ("Let me look.", "")
    assert [event["text"] for event in bench.events if event["event"] == "thinking"] == ["Let me look."]


def test_calls_of_one_turn_run_at_once_and_are_told_in_their_order() -> None:
    slow, fast = call("look", {"seconds": 5}, "slow"), call("look", {"seconds": 2, "start": 1}, "fast")
    bench = Bench(calling(slow, fast), saying("Three [1]."))
    trace = bench.run()
    assert [event["call"] for event in bench.events if event["event"] == "tool_call"] == ["slow", "fast"]
    assert [event["call"] for event in bench.events if event["event"] == "tool_result"] == ["fast", "slow"]
    told = [each.tool_call_id for each in bench.model.requests[1].messages if each.role is Role.TOOL]
    assert told == ["slow", "fast"]
    assert trace.run.timings["total"] == 5000


def test_errors_are_told_to_the_model_which_may_try_again() -> None:
    wrong = [
        calling(call("look", {"name": "no.py"})),
        calling(call("lok")),
        [ended(call("look", '{"start": 3'), call("look"))],
        calling(call("broken")),
    ]
    bench = Bench(*wrong, saying("Three [1]."), turns=9)
    trace = bench.run()
    assert [[made.outcome for made in turn.calls] for turn in trace.turns] == [
        ["retry"],
        ["retry"],
        ["retry", "ok"],
        ["final"],
        [],
    ]
    assert [made.kind for turn in trace.turns for made in turn.calls] == [
        "not_found", "tool_unknown", "tool_input", "", "internal",
    ]  # fmt: skip
    told = [each.content for each in bench.model.requests[-1].messages if each.role is Role.TOOL]
    assert "there is no no.py" in told[0]
    assert "look" in told[1]
    assert "secret" not in str(bench.events)
    assert trace.run.counts["tool_errors"] == 4
    assert trace.run.state == "answered"


def test_arguments_that_are_no_object_do_not_go_back_to_a_server() -> None:
    bench = Bench([ended(call("look", "{broken"), call("look", "[1]"), call("look"))], saying("Three [1]."))
    bench.run()
    asked = bench.model.requests[1].messages[2]
    assert [each.arguments for each in asked.tool_calls] == ["{}", "{}", "{}"]


def test_ids_are_there_once_in_a_run() -> None:
    twice = calling(call("look", {"start": 1}, "call_0"), call("look", {"start": 2}, "call_0"))
    bench = Bench(twice, calling(call("look", {"start": 3}, "call_0")), saying("Three [1]."))
    bench.run()
    ids = [each.id for message in bench.model.requests[-1].messages for each in message.tool_calls]
    assert ids[0] == "call_0"
    assert len(set(ids)) == 3
    assert all(len(each) == 9 and each.isalnum() for each in ids[1:])


def test_an_answer_tells_what_its_tools_could_not_do() -> None:
    @tool(Wanted, "Finds a part.")
    async def partly(_wanted: Wanted, _scope: Scope) -> ToolResult:
        return ToolResult(text="a part", found=1, notes=("not ready", "cut"), problems=("not ready",))

    bench = Bench(calling(call("partly")), saying("There is a part."), tools=[partly])
    run = bench.run().run
    assert "not ready" in run.degraded
    assert "cut" not in run.degraded
