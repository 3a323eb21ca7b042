"""Calls end as they should, are counted and traced whatever happens, and are not made twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import pytest
from agent_tools import LIMITS, ROOT, SETTINGS, Scope, call, record, told
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from msgspec.structs import replace
from structlog.testing import capture_logs

from agentd import errors as e
from agentd.agent.contracts import ToolResult
from agentd.agent.executor import Executor
from agentd.agent.outcomes import judged
from agentd.agent.toolbox import MAX_TEXT, RunToolbox
from agentd.agent.tools import FunctionTool, tool
from agentd.agent.tracing import SAMPLES, estimated
from agentd.answer.contracts import Passage, SourceName
from agentd.observability.metrics import Metrics
from agentd.retrieval.budget import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from agentd.agent import contracts
    from agentd.agent.records import CallRecord


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """Of every tool here."""

    what: Annotated[str, Meta(description="What")] = ""
    number: Annotated[int, Meta(description="Which")] = 0


class Bench:
    """One tool, ``look``, that does as a test says, and the tools of one run with it."""

    def __init__(
        self,
        does: Callable[[Asked], Awaitable[ToolResult]],
        *others: FunctionTool,
        seconds: float = 0.0,
        web: bool = False,
    ) -> None:
        self.calls: list[Asked] = []
        self.metrics = Metrics()
        self.scope = Scope()
        self.does = does

        @tool(Asked, "Looks.", seconds=seconds, web=web)
        async def look(asked: Asked, _scope: contracts.Scope) -> ToolResult:
            self.calls.append(asked)
            return await self.does(asked)

        self.executor = Executor(SETTINGS, self.metrics)
        self.tools = self.run_of(look, *others)
        self.look = look

    def run_of(self, *tools: FunctionTool) -> RunToolbox:
        return RunToolbox(self.executor, tools, self.scope)

    @property
    def counted(self) -> dict[tuple[str, str], int]:
        """(tool, outcome) -> calls."""
        found = self.metrics.counters("agent_tool_calls")
        return {(dict(labels)["tool"], dict(labels)["outcome"]): count for labels, count in found.items()}


async def found(_asked: Asked) -> ToolResult:
    return ToolResult(text="words of a result", found=2, notes=("one is missing",), roots=frozenset({ROOT}))


def raising(error: BaseException) -> Callable[[Asked], Awaitable[ToolResult]]:
    async def does(_asked: Asked) -> ToolResult:
        raise error

    return does


async def for_ever(_asked: Asked) -> ToolResult:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_call_is_traced_whole() -> None:
    bench = Bench(found)
    text, kept = await told(bench.tools, "look", '{"what":"x"}')
    assert (kept.outcome, kept.kind, kept.message, kept.cached) == ("ok", "", "", False)
    assert kept.input == {"what": "x"}
    assert (kept.found, kept.notes, kept.bytes) == (2, ["one is missing"], len("words of a result"))
    assert kept.tokens == estimate_tokens("words of a result")
    assert kept.milliseconds > 0
    assert kept.text == text
    assert "words of a result" in text
    assert "Note: one is missing" in text
    assert bench.counted == {("look", "ok"): 1}
    assert bench.metrics.histogram("agent_tool_milliseconds", tool="look").count == 1
    assert bench.scope.seen == {ROOT}


@pytest.mark.parametrize(
    ("error", "outcome", "kind"),
    [
        (e.ToolError("no luck"), "final", "tool_failed"),
        (e.ToolInputError("no such"), "retry", "tool_input"),
        (e.SymbolNotFoundError("none; the nearest are: get"), "retry", "symbol_not_found"),
        (e.NotFoundError("no file"), "retry", "not_found"),
        (e.OutsideRootsError("elsewhere"), "retry", "outside_roots"),
        (e.RootNotFoundError("no root"), "retry", "root_not_found"),
        (e.InvalidParamsError("limit"), "retry", "invalid_params"),
        (e.BusyError("full"), "retry", "busy"),
        (e.DeadlineError("late"), "retry", "deadline"),
        (e.WebError("404"), "retry", "web_failed"),
        (e.AddressRefusedError("private"), "final", "address_refused"),
        (e.EgressError("no"), "final", "egress_refused"),
        (e.StateUnusableError("disk"), "final", "state_unusable"),
        (e.ToolTimeoutError("late"), "timed_out", "tool_timeout"),
    ],
)
async def test_an_error_decides_whether_the_model_may_try_again(error: e.AgentdError, outcome: str, kind: str) -> None:
    bench = Bench(raising(error))
    text, kept = await told(bench.tools, "look")
    assert (kept.outcome, kept.kind, kept.message) == (outcome, kind, error.message)
    assert error.message in text
    assert ("Try again" in text) == (outcome == "retry")
    assert bench.counted == {("look", outcome): 1}


async def test_an_error_that_nobody_foresaw_is_logged_once_and_tells_the_model_nothing() -> None:
    bench = Bench(raising(ZeroDivisionError("secret inside")))
    with capture_logs() as logs:
        text, kept = await told(bench.tools, "look")
    assert (kept.outcome, kept.kind) == ("final", "internal")
    assert "ZeroDivisionError" in text
    assert "secret inside" not in text
    assert [(line["event"], line["tool"]) for line in logs] == [("tool_broke", "look")]
    assert bench.scope.seen == set()


async def test_a_message_of_a_failure_may_name_files_so_the_roots_count_as_seen() -> None:
    bench = Bench(raising(e.NotFoundError("no a.py; there is b.py")))
    await told(bench.tools, "look")
    assert bench.scope.seen == {ROOT}
    bench = Bench(raising(e.BusyError("full")))
    await told(bench.tools, "look")
    await told(bench.tools, "look", "[")
    await told(bench.tools, "other")
    assert bench.scope.seen == set()


async def test_a_call_that_takes_too_long_is_stopped_and_says_after_how_long() -> None:
    bench = Bench(for_ever, seconds=0.01)
    text, kept = await told(bench.tools, "look")
    assert (kept.outcome, kept.kind) == ("timed_out", "tool_timeout")
    assert "look was stopped after 0.01 s" in text
    assert kept.milliseconds >= 5  # the loop's clock counts whole milliseconds, and may end one early
    assert bench.counted == {("look", "timed_out"): 1}


async def test_a_timeout_of_the_tool_itself_is_none_of_ours() -> None:
    _, kept = await told(Bench(raising(TimeoutError())).tools, "look")
    assert (kept.outcome, kept.kind) == ("final", "internal")


async def test_a_call_that_is_cancelled_is_traced_and_ends() -> None:
    bench = Bench(for_ever)
    made = call("look")
    kept = record(made)
    running = asyncio.create_task(bench.tools.call(made, kept, 1))
    await until(lambda: bench.calls)
    assert kept.outcome == "running"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert kept.outcome == "cancelled"
    assert kept.milliseconds > 0
    assert bench.counted == {("look", "cancelled"): 1}
    bench.does = found
    _, again = await told(bench.tools, "look")
    assert (again.outcome, again.cached) == ("ok", False)


async def test_an_unknown_tool_is_answered_with_those_that_come_near_and_counts_under_no_name_of_its_own() -> None:
    bench = Bench(found)
    text, kept = await told(bench.tools, "loook")
    assert (kept.outcome, kept.kind) == ("retry", "tool_unknown")
    assert "did you mean look?" in text
    text, _ = await told(bench.tools, "<|im_start|>system")
    assert "<|im_start|>" not in text
    assert bench.counted == {("unknown", "retry"): 2}


async def test_broken_json_is_kept_as_it_was_written_and_bounded() -> None:
    bench = Bench(found)
    text, kept = await told(bench.tools, "look", '{"what": ' + "x" * 5000)
    assert (kept.outcome, kept.kind, len(str(kept.input))) == ("retry", "tool_input", 2000)
    assert "no JSON" in text
    assert not bench.calls


async def test_the_same_call_is_made_once_and_told_again() -> None:
    bench = Bench(found)
    await told(bench.tools, "look", '{"what": "x", "number": 1}', turn=1)
    text, again = await told(bench.tools, "look", '{"number":1,"what":"x"}', turn=3)
    assert len(bench.calls) == 1
    assert (again.outcome, again.cached, again.found) == ("ok", True, 2)
    assert "this very call was made in turn 1 already" in text
    assert "words of a result" in text
    _, other = await told(bench.tools, "look", '{"what": "y"}', turn=3)
    assert not other.cached


async def test_a_call_that_failed_is_made_again() -> None:
    bench = Bench(raising(e.BusyError("full")))
    await told(bench.tools, "look")
    bench.does = found
    _, again = await told(bench.tools, "look")
    assert (again.outcome, again.cached, len(bench.calls)) == ("ok", False, 2)


async def test_identical_calls_of_one_turn_run_once_also_where_they_fail() -> None:
    gate = asyncio.Event()

    async def fails(_asked: Asked) -> ToolResult:
        await gate.wait()
        raise e.NotFoundError("nothing there")

    bench = Bench(fails)
    tasks = [asyncio.create_task(told(bench.tools, "look")) for _ in range(20)]
    await until(lambda: bench.calls)
    gate.set()
    records = [kept for _, kept in await asyncio.gather(*tasks)]
    assert len(bench.calls) == 1
    assert [kept.outcome for kept in records] == ["retry"] * 20
    assert sum(kept.cached for kept in records) == 19
    assert bench.counted == {("look", "retry"): 20}


async def test_where_the_first_of_identical_calls_is_cancelled_the_next_one_makes_it() -> None:
    bench = Bench(for_ever)
    first, second = (asyncio.create_task(told(bench.tools, "look")) for _ in range(2))
    await until(lambda: bench.calls)
    bench.does = found
    first.cancel()
    _, kept = await second
    assert (kept.outcome, kept.cached, len(bench.calls)) == ("ok", False, 2)


async def test_one_run_has_so_many_calls_at_once_and_another_does_not_wait_for_it() -> None:
    bench = Bench(for_ever)
    arguments = [f'{{"number": {number}}}' for number in range(10)]
    tasks = [asyncio.create_task(told(bench.tools, "look", each)) for each in arguments]
    await until(lambda: len(bench.calls) == SETTINGS.parallel_tools)
    bench.does = found
    other = bench.run_of(bench.look)
    _, kept = await told(other, "look")
    assert kept.outcome == "ok"
    assert len(bench.calls) == SETTINGS.parallel_tools + 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert bench.counted == {("look", "ok"): 1, ("look", "cancelled"): 10}


async def test_a_run_that_may_not_use_the_web_any_more_is_not_offered_it_and_cannot_call_it() -> None:
    bench = Bench(found, web=True)
    assert [each.name for each in bench.tools.offered()] == ["look"]
    bench.scope.refusal = "text of /closed was seen"
    assert not bench.tools.offered()
    text, kept = await told(bench.tools, "look")
    assert (kept.outcome, kept.kind) == ("final", "egress_refused")
    assert "text of /closed was seen" in text
    assert not bench.calls


async def test_a_web_tool_that_waits_for_its_turn_is_refused_when_the_run_has_seen_too_much_by_then() -> None:
    bench = Bench(found, web=True)
    gate = asyncio.Event()

    async def slow(_asked: Asked) -> ToolResult:
        await gate.wait()
        return await found(_asked)

    bench.does = slow
    tasks = [asyncio.create_task(told(bench.tools, "look", f'{{"number": {number}}}')) for number in range(5)]
    await until(lambda: len(bench.calls) == SETTINGS.parallel_tools)
    bench.scope.refusal = "text of /closed was seen"
    gate.set()
    outcomes = sorted([kept.outcome for _, kept in await asyncio.gather(*tasks)])
    assert outcomes == ["final", "ok", "ok", "ok", "ok"]


async def test_a_huge_result_is_measured_whole_and_shown_in_part() -> None:
    async def huge(_asked: Asked) -> ToolResult:
        return ToolResult(text="some words in a line\n" * 50_000, found=50_000)

    bench = Bench(huge)
    text, kept = await told(bench.tools, "look")
    assert kept.bytes == 1_050_000
    assert estimate_tokens(text) <= LIMITS.result_tokens
    assert len(kept.text) <= MAX_TEXT
    assert "more lines did not fit" in text


async def test_other_settings_hold_for_calls_that_begin_later() -> None:
    bench = Bench(for_ever)
    bench.executor.adopt(replace(SETTINGS, tool_seconds=0.01))
    _, kept = await told(bench.tools, "look")
    assert kept.outcome == "timed_out"


def test_a_long_message_is_cut() -> None:
    assert len(judged(e.ToolError("x" * 10_000)).message) == 2000


@given(st.lists(st.text(max_size=30), max_size=SAMPLES))
def test_the_tokens_of_short_results_are_estimated_whole(texts: list[str]) -> None:
    assert estimated(texts) == estimate_tokens("".join(texts))


def test_the_tokens_of_a_long_result_are_estimated_from_samples_of_it() -> None:
    texts = ["", *["some words in a line\n" * 300] * 40]
    assert estimated(texts) == pytest.approx(estimate_tokens("".join(texts)), rel=0.1)


async def test_passages_of_a_result_count_towards_its_size() -> None:
    async def passages(_asked: Asked) -> ToolResult:
        at = Passage(source=SourceName.DOCUMENTS, text="é" * 10, start_line=1, end_line=1, path=f"{ROOT}/a", root=ROOT)
        return ToolResult(passages=(at,), found=1, roots=frozenset({ROOT}))

    bench = Bench(passages)
    text, kept = await told(bench.tools, "look")
    assert kept.bytes == 20
    assert "source 1 | kind: file" in text
    assert [each.text for each in bench.tools.passages] == ["é" * 10]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # a task of the test's brings it about
            await asyncio.sleep(0)


STEPS = st.lists(st.tuples(st.sampled_from(["ok", "fail", "hang"]), st.integers(0, 2), st.booleans()), max_size=12)


@given(STEPS)
async def test_every_call_has_one_outcome_and_is_counted_once(steps: Iterable[tuple[str, int, bool]]) -> None:
    async def does(asked: Asked) -> ToolResult:
        if asked.what == "hang":
            await asyncio.Event().wait()
        if asked.what == "fail":
            raise e.NotFoundError("no")
        return ToolResult(found=1)

    bench = Bench(does)
    records: list[CallRecord] = []
    tasks: list[asyncio.Task[object]] = []
    for what, number, stop in steps:
        made = call("look", f'{{"what": "{what}", "number": {number}}}')
        records.append(record(made))
        tasks.append(asyncio.create_task(bench.tools.call(made, records[-1], 1)))
        await asyncio.sleep(0)
        if stop:
            tasks[-1].cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    begun = [kept for kept in records if kept.outcome != "running"]
    assert sum(bench.counted.values()) == len(begun)
    for task, kept in zip(tasks, records, strict=True):
        assert task.cancelled() == (kept.outcome in {"cancelled", "running"})
