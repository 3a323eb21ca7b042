"""A run that is cancelled, wherever it is: what ran is stopped, and its trace is whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial

import msgspec
import pytest
from agent_harness import Bench, JumpingLoop, at_once, call, calling, saying

from agentd.agent.records import TraceRecord
from agentd.providers.contracts import Thinking

TURNS = (
    [Thinking("hm"), 1, "Let me see.", *calling(call("look", {"seconds": 2}), call("look"), call("broken"))],
    calling(call("look", {"start": 1, "seconds": 3})),
    saying("There are ", 1, "3 `TRIES` [1]."),
)


async def cancelled_in(bench: Bench, number: int) -> bool:
    """Let a run work, and cancel it in that round of its loop; whether it had not come to its end."""
    loop = jumping()
    work = asyncio.ensure_future(bench.work())
    loop.doing[loop.rounds + number] = work.cancel
    await asyncio.wait([work])
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"
    return work.cancelled()


async def rounds() -> int:
    """How many rounds a run takes that nobody cancels."""
    loop = jumping()
    before = loop.rounds
    await Bench(*TURNS).work()
    return loop.rounds - before


def jumping() -> JumpingLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    return loop


def test_in_each_of_its_rounds_a_run_can_be_cancelled() -> None:
    outcomes: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for number in range(2, at_once(rounds) + 2):
        bench = Bench(*TURNS)
        stopped = at_once(partial(cancelled_in, bench, number))
        check(bench.trace, stopped=stopped)
        states[bench.trace.run.state] += 1
        outcomes.update(made.outcome for turn in bench.trace.turns for made in turn.calls)
    assert set(outcomes) == {"ok", "final", "cancelled"}
    assert states["cancelled"] > 30
    assert states["answered"] < 5


def check(trace: TraceRecord, *, stopped: bool) -> None:
    """What holds of every trace that is final."""
    run = trace.run
    if not stopped:
        assert run.state == "answered"
    assert run.state in {"answered", "cancelled"}
    calls = [made for turn in trace.turns for made in turn.calls]
    assert {made.outcome for made in calls} <= {"ok", "final", "cancelled"}
    assert run.counts["turns"] == len(trace.turns)
    assert run.counts["tool_calls"] == len(calls) == sum(run.tools.values())
    assert run.counts["tool_errors"] == sum(made.outcome == "final" for made in calls)
    assert msgspec.json.decode(msgspec.json.encode(trace), type=TraceRecord).run == run


def test_a_cancelled_run_says_so_and_raises() -> None:
    async def cancel() -> TraceRecord:
        bench = Bench(*TURNS)
        work = asyncio.ensure_future(bench.work())
        await asyncio.sleep(1.5)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return bench.trace

    trace = at_once(cancel)
    assert trace.run.state == "cancelled"
    assert [made.outcome for made in trace.turns[0].calls] == ["cancelled", "ok", "final"]
    assert trace.run.timings["total"] == 1500
