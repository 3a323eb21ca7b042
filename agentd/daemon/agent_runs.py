"""Runs that go on, each in a task of its own, so that one can outlive its client; and what is kept of all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

from agentd.agent.keeping import RUN, interrupt
from agentd.answer.keeping import Keeper
from agentd.errors import AgentdError, CancelledError, RootNotFoundError, ShuttingDownError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from agentd.agent.contracts import Emit
    from agentd.agent.records import TraceRecord
    from agentd.daemon.records import Page, Records
    from agentd.observability.metrics import Metrics

log = structlog.get_logger(__name__)

EndState = Literal["cancelled", "interrupted"]
STATES = ("answered", "failed", "cancelled", "interrupted")
"""How runs end."""
RECORD_SECONDS = 0.5
"""Between two writes of a run that goes on. Each has its whole trace: some milliseconds of the loop, if it is long."""


class Work(Protocol):
    """A run of the agent, as ``agentd.agent.loop`` has it."""

    @property
    def trace(self) -> TraceRecord:
        """All there is of it, at any moment."""
        ...

    async def carry_out(self, emit: Emit, progress: Callable[[TraceRecord], None]) -> TraceRecord:
        """Work until there is an answer."""
        ...


class Going:
    """A run that goes on. ``touched`` are the roots that it has seen or was asked about by name."""

    def __init__(self, work: Work, touched: Callable[[], Collection[str]], emit: Emit) -> None:
        self.trace = work.trace
        self.news = asyncio.Event()
        self.verdict: AgentdError | None = None  # why it was ended: the answer that its client gets
        self.end_state: EndState = "cancelled"
        self.task: asyncio.Task[TraceRecord] | None = None
        self._work = work
        self._touched = touched
        self._emit: Emit | None = emit
        self._working = False

    @property
    def id(self) -> str:
        """Of the run."""
        return self.trace.run.id

    @property
    def touched(self) -> Collection[str]:
        """Roots that it has seen, or was asked about by name."""
        return self._touched()

    async def carry_out(self) -> None:
        """Work, unless it was ended before. Raises as ``Work`` does."""
        if self.verdict is not None:
            raise asyncio.CancelledError
        self._working = True
        try:
            await self._work.carry_out(self._tell, lambda _trace: self.news.set())
        finally:
            self._working = False

    def end(self, verdict: AgentdError, state: EndState = "cancelled") -> None:
        """Have it end; ``verdict`` is what its client is told. Only its work is cancelled, and once: what comes before
        and after keeps it, and has to be finished.
        """
        if self.verdict is not None:
            return
        self.verdict, self.end_state = verdict, state
        if self._working and self.task is not None:
            self.task.cancel()

    def leave(self) -> None:
        """Nobody listens any more."""
        self._emit = None

    async def _tell(self, event: Mapping[str, object]) -> None:
        if event["event"] == "tool_result" and event["outcome"] != "ok":
            kind, outcome = event["kind"], event["outcome"]
            log.info("tool_failed", run=self.id, turn=event["turn"], tool=event["tool"], outcome=outcome, kind=kind)
        if self._emit is not None:
            await self._emit(event)


class Runs:
    """Begins runs, ends them and keeps them. ``stopping`` says whether the daemon is."""

    def __init__(self, records: Records, metrics: Metrics, stopping: Callable[[], bool]) -> None:
        self.going: dict[str, Going] = {}
        self.records = records
        self.ended_at = 0.0  # by the loop's clock: when the last one did
        self._stopping = stopping
        self._keeper = Keeper(RUN, records.store, records.refuse_removed)
        self._ended = {state: metrics.counter("agent_runs", state=state) for state in STATES}
        self._turns = metrics.counter("agent_turns")
        self._tokens = {kind: metrics.counter("agent_tokens", kind=kind) for kind in ("input", "output")}
        self._milliseconds = metrics.histogram("agent_run_milliseconds")

    async def carry_out(self, going: Going, *, keep: bool) -> TraceRecord:
        """Let a run begin, and wait until it has ended and is kept. One that is not to go on without its client ends
        when this is cancelled.

        Raises:
            AgentdError: it failed or was ended; ``run`` in its details is its id.
            StateUnusableError: it cannot be kept.
        """
        self.going[going.id] = going
        going.task = task = asyncio.create_task(self._live(going))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # there may be nobody left to be told
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            going.leave()
            if not keep:
                going.end(*self._verdict())
                await asyncio.wait([task])
            raise

    async def trace(self, run_id: str) -> TraceRecord:
        """All there is of a run. Raises NotFoundError."""
        if (going := self.going.get(run_id)) is not None:
            return self._current(going)
        trace = await self._keeper.get(run_id)
        if trace.run.state == "running" and run_id not in self.going:
            interrupt(trace)
        return trace

    async def page(self, before: str | None, limit: int) -> Page:
        """Runs in a list. What is kept as running and is not, a daemon left that was killed, or had no disk left."""
        going = set(self.going)
        page = await self.records.page(before, limit)
        going |= set(self.going)  # what ended or began meanwhile was running, whatever was read of it
        heads = [
            head._replace(label="interrupted") if head.label == "running" and head.id not in going else head
            for head in page.heads
        ]
        return page._replace(heads=heads)

    async def stop(self, run_id: str) -> bool:
        """End a run, and return when it has ended; False where it had before. Raises NotFoundError."""
        going = self.going.get(run_id)
        if going is None:
            await self._keeper.get(run_id)
            return False
        going.end(CancelledError("the run was stopped"))
        await self._ended_all([going])
        return going.trace.run.state == "cancelled"

    async def forget_removed(self) -> int:
        """End the runs that have seen a root which was removed, or were asked about it by name, and delete what is kept
        of it; returns how many were deleted.
        """
        hit = []
        for going in self.going.values():
            try:
                self.records.refuse_removed(going.touched)
            except RootNotFoundError as error:
                going.end(error)
                hit.append(going)
        await self._ended_all(hit)
        return await self.records.forget_removed()

    async def close(self) -> None:
        """End all runs, because the daemon stops."""
        going = list(self.going.values())
        for each in going:
            each.end(ShuttingDownError("the daemon is shutting down"), "interrupted")
        await self._ended_all(going)

    def _verdict(self) -> tuple[AgentdError, EndState]:
        """Why a run ends whose client is there no more."""
        if self._stopping():
            return ShuttingDownError("the daemon is shutting down"), "interrupted"
        return CancelledError("the run was ended, because its client left"), "cancelled"

    @staticmethod
    async def _ended_all(going: Collection[Going]) -> None:
        if tasks := [each.task for each in going if each.task is not None]:
            await asyncio.wait(tasks)

    async def _live(self, going: Going) -> TraceRecord:
        """From the moment at which its beginning is kept to that at which its end is."""
        error = None
        try:
            await self._keep(going)
            error = await self._carried_out(going)
            await self._keep_end(going)
        except AgentdError as unkept:
            error = error or unkept
        finally:
            del self.going[going.id]
            self.ended_at = asyncio.get_running_loop().time()
        if error is not None:
            error.details["run"] = going.id
            raise error
        return going.trace

    async def _carried_out(self, going: Going) -> AgentdError | None:
        """Why it failed or was ended, if it did or was."""
        run = going.trace.run
        log.info("run_started", run=run.id, tier=run.tier, model=run.model)
        recording = asyncio.create_task(self._record(going))
        try:
            await going.carry_out()
        except asyncio.CancelledError:
            run.state = going.end_state
            return going.verdict or CancelledError("the run was cancelled")
        except AgentdError as error:
            return error
        except Exception:  # an outermost edge: nobody may be left to be told
            log.exception("run_broke", run=run.id)
            return AgentdError(f"internal error; the daemon's log has it as run {run.id}")
        finally:
            recording.cancel()
            self._count(going.trace)
        return None

    async def _record(self, going: Going) -> None:
        """Keep what there is of a run after each turn: the newest, and never holding the run up."""
        while True:
            await going.news.wait()
            going.news.clear()
            try:
                await self._keep(going)
            except AgentdError as error:
                log.warning("run_not_kept", run=going.id, kind=error.kind, error=error.message)
            await asyncio.sleep(RECORD_SECONDS)

    async def _keep(self, going: Going) -> None:
        await self._keeper.put(self._current(going))

    async def _keep_end(self, going: Going) -> None:
        """A run that has seen what was removed meanwhile leaves nothing; what was kept of it before goes, too."""
        try:
            await self._keep(going)
        except RootNotFoundError:
            await self.records.store.delete(going.id)
            raise

    @staticmethod
    def _current(going: Going) -> TraceRecord:
        """The trace, which knows by now which roots it tells of."""
        going.trace.run.roots = sorted(going.touched)
        return going.trace

    def _count(self, trace: TraceRecord) -> None:
        run, turns = trace.run, len(trace.turns)
        self._ended[run.state].increment()
        self._turns.increment(turns)
        self._tokens["input"].increment(run.usage.input_tokens)
        self._tokens["output"].increment(run.usage.output_tokens)
        self._milliseconds.observe(run.timings.get("total", 0.0))
        log.info(
            "run_ended",
            run=run.id,
            state=run.state,
            limit=run.limit,
            error=run.error.kind if run.error else "",
            turns=turns,
            tool_calls=sum(run.tools.values()),
            tokens=run.usage.input_tokens + run.usage.output_tokens,
            milliseconds=run.timings.get("total", 0.0),
        )
