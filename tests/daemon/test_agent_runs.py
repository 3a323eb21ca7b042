"""Runs in tasks of their own: whatever ends one, and whenever, its end is kept and told once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from agentd.agent.records import CallRecord, RunRecord, TraceRecord, TurnRecord
from agentd.daemon.agent_runs import Going, Runs
from agentd.daemon.records import Records
from agentd.errors import AgentdError, NoProviderError, RootNotFoundError, StateUnusableError
from agentd.observability.metrics import Metrics
from agentd.storage.kept import Kept
from agentd.storage.kept_table import RUNS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from pathlib import Path

    from agentd.agent.contracts import Emit

WITHIN = 10.0


class Shelf(Records):
    """What is kept, beside the roots that a test says there are."""

    def __init__(self, store: Kept) -> None:
        self.store = store
        self.roots = {"/a", "/b"}

    def refuse_removed(self, roots: Collection[str]) -> None:
        for root in set(roots) - self.roots:
            raise RootNotFoundError(f"{root} was removed", path=root)

    async def forget_removed(self) -> int:
        return await self.store.forget_other_roots(sorted(self.roots))


class Scripted:
    """A run that makes a turn whenever ``turns`` says so, and ends as ``ending`` does."""

    def __init__(self, number: int = 1, ending: Exception | None = None) -> None:
        record = RunRecord(id=f"{number:04}", at=float(number), task="a task", tier="small", model="m", state="running")
        self.trace = TraceRecord(run=record)
        self.ending = ending
        self._turns: asyncio.Queue[str] = asyncio.Queue()
        self.begun = asyncio.Event()

    def turn(self) -> None:
        self._turns.put_nowait("turn")

    def end(self) -> None:
        self._turns.put_nowait("end")

    async def carry_out(self, emit: Emit, progress: Callable[[TraceRecord], None]) -> TraceRecord:
        self.begun.set()
        try:
            while await self._turns.get() == "turn":
                self.trace.turns.append(TurnRecord(n=len(self.trace.turns) + 1, began=0.0))
                await emit({"event": "chunk", "turn": len(self.trace.turns), "text": "x"})
                progress(self.trace)
        except asyncio.CancelledError:
            self.trace.run.state = "cancelled"
            raise
        if self.ending is not None:
            self.trace.run.state = "failed"
            raise self.ending
        self.trace.run.state = "answered"
        return self.trace


class Desk:
    """Runs over a real store, and what their clients were told."""

    def __init__(self, store: Kept) -> None:
        self.shelf = Shelf(store)
        self.metrics = Metrics()
        self.stopping = False
        self.runs = Runs(self.shelf, self.metrics, lambda: self.stopping)
        self.told: list[Any] = []
        self.touched: set[str] = {"/a"}

    def begin(self, work: Scripted, *, keep: bool = False) -> asyncio.Task[TraceRecord]:
        """As a request does."""

        async def emit(event: Any) -> None:
            self.told.append(event)

        going = Going(work, lambda: self.touched, emit)
        return asyncio.create_task(self.runs.carry_out(going, keep=keep))

    async def listed(self) -> list[str]:
        """States of runs, the newest first."""
        return [head.label for head in (await self.runs.page(None, 10)).heads]

    async def kept(self, work: Scripted) -> TraceRecord:
        return await self.runs.trace(work.trace.run.id)

    async def state(self, work: Scripted) -> str:
        """As the store has it."""
        heads = {head.id: head.label for head in await self.shelf.store.newest()}
        return heads.get(work.trace.run.id, "")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await Kept.open(tmp_path / "runs.db", RUNS)
    async with asyncio.timeout(WITHIN):
        yield Desk(store)
    await store.close()


async def test_a_run_is_kept_when_it_begins_after_turns_and_when_it_ends(desk: Desk) -> None:
    work = Scripted()
    request = desk.begin(work)
    await work.begun.wait()
    assert await desk.state(work) == "running"
    written = noting_writes(desk)
    work.turn()
    await written.wait()
    assert b'"turns":[{' in (await desk.shelf.store.get(work.trace.run.id) or b"")
    work.end()
    assert (await request).run.state == "answered"
    assert await desk.state(work) == "answered"
    assert (await desk.kept(work)).run.roots == ["/a"]
    assert desk.runs.going == {}


def noting_writes(desk: Desk) -> asyncio.Event:
    """Set when something has been kept."""
    written, put = asyncio.Event(), desk.shelf.store.put

    async def noted(*what: Any) -> None:
        await put(*what)
        written.set()

    desk.shelf.store.put = noted  # type: ignore[assignment,method-assign]
    return written


async def test_a_run_that_breaks_is_logged_once_and_told_without_its_text(desk: Desk) -> None:
    work = Scripted(ending=ZeroDivisionError("secret"))
    with structlog.testing.capture_logs() as logs:
        request = desk.begin(work)
        work.end()
        with pytest.raises(AgentdError) as broke:
            await request
    assert (broke.value.kind, broke.value.details["run"]) == ("internal", "0001")
    assert "secret" not in broke.value.message
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["run_broke"]
    assert await desk.state(work) == "failed"


async def test_a_failure_is_told_with_the_run(desk: Desk) -> None:
    work = Scripted(ending=NoProviderError("all failed"))
    request = desk.begin(work)
    work.end()
    with pytest.raises(NoProviderError) as failed:
        await request
    assert failed.value.details == {"run": "0001"}
    assert desk.metrics.counter("agent_runs", state="failed").value == 1


@pytest.mark.parametrize("steps", range(12))
async def test_a_client_that_leaves_at_any_moment_leaves_a_run_that_has_ended(desk: Desk, steps: int) -> None:
    work = Scripted()
    request = desk.begin(work)
    for _ in range(steps):
        await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait([request])
    assert request.cancelled()
    assert desk.runs.going == {}
    assert await desk.state(work) == ("cancelled" if steps else "")


@pytest.mark.parametrize("steps", range(1, 12))
async def test_a_run_that_is_kept_going_is_stopped_by_name_at_any_moment(desk: Desk, steps: int) -> None:
    work = Scripted()
    request = desk.begin(work, keep=True)
    for _ in range(steps):
        await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait([request])
    assert list(desk.runs.going) == ["0001"]
    assert await desk.runs.stop("0001") is True
    assert await desk.state(work) == "cancelled"
    assert await desk.runs.stop("0001") is False
    work.turn()
    assert desk.told == []


async def test_a_client_that_leaves_while_the_end_is_kept_does_not_keep_it_from_being(desk: Desk) -> None:
    work = Scripted()
    request = desk.begin(work)
    await work.begun.wait()
    put, writing, go_on = desk.shelf.store.put, asyncio.Event(), asyncio.Event()

    async def slow(*what: Any) -> None:
        writing.set()
        await go_on.wait()
        await put(*what)

    desk.shelf.store.put = slow  # type: ignore[assignment,method-assign]
    work.end()
    await writing.wait()
    request.cancel()
    stopped = asyncio.create_task(desk.runs.stop("0001"))
    await asyncio.sleep(0)
    go_on.set()
    assert await stopped is False
    await asyncio.wait([request])
    assert await desk.state(work) == "answered"


async def test_stopping_twice_at_once_ends_it_once(desk: Desk) -> None:
    work = Scripted()
    request = desk.begin(work)
    await work.begun.wait()
    stopped = await asyncio.gather(desk.runs.stop("0001"), desk.runs.stop("0001"), desk.runs.close())
    assert list(stopped[:2]) == [True, True]
    with pytest.raises(AgentdError, match="stopped"):
        await request
    assert await desk.state(work) == "cancelled"


async def test_the_end_of_the_daemon_interrupts(desk: Desk) -> None:
    followed, left = Scripted(1), Scripted(2)
    requests = [desk.begin(followed), desk.begin(left)]
    await asyncio.gather(followed.begun.wait(), left.begun.wait())
    desk.stopping = True
    requests[1].cancel()  # as draining does
    await desk.runs.close()
    await asyncio.wait(requests)
    assert [await desk.state(each) for each in (followed, left)] == ["interrupted"] * 2
    assert str(requests[0].exception()) == "the daemon is shutting down"


async def test_what_a_killed_daemon_left_is_interrupted_and_counted(desk: Desk) -> None:
    work = Scripted()
    call = CallRecord(id="c", tool="read_span", input={}, outcome="running")
    work.trace.turns.append(TurnRecord(n=1, began=0.0, calls=[call]))
    request = desk.begin(work)
    await work.begun.wait()
    assert await desk.listed() == ["running"]
    next_daemon = Desk(desk.shelf.store)
    assert await next_daemon.listed() == ["interrupted"]
    trace = await next_daemon.kept(work)
    assert (trace.run.state, trace.run.counts["tool_calls"], trace.run.tools) == ("interrupted", 1, {"read_span": 1})
    assert trace.turns[0].calls[0].outcome == "running"
    request.cancel()
    await asyncio.wait([request])


async def test_a_removed_root_ends_the_runs_that_saw_it_and_leaves_nothing_of_them(desk: Desk) -> None:
    work = Scripted()
    request = desk.begin(work)
    await work.begun.wait()
    desk.touched.add("/b")
    desk.shelf.roots.discard("/b")
    await desk.runs.forget_removed()
    with pytest.raises(RootNotFoundError, match="/b") as ended:
        await request
    assert ended.value.details["run"] == "0001"
    assert await desk.state(work) == ""


async def test_a_run_that_cannot_be_kept_does_not_begin(desk: Desk) -> None:
    work = Scripted()

    async def full(*_: object) -> None:
        raise StateUnusableError("no space left")

    desk.shelf.store.put = full  # type: ignore[assignment,method-assign]
    with pytest.raises(StateUnusableError):
        await desk.begin(work)
    assert not work.begun.is_set()
    assert desk.runs.going == {}
