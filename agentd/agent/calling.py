"""The tool calls of one turn: made at the same time, told of as they end, handed on in their order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agentd.agent import events
from agentd.agent.contracts import Told
from agentd.agent.records import CallRecord
from agentd.agent.toolbox import read
from agentd.answer.prompt import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.agent.budget import Budget
    from agentd.agent.contracts import Emit, Toolbox
    from agentd.agent.records import TurnRecord
    from agentd.providers.contracts import ToolCall

MOST_AT_ONCE = 32
"""Calls of one turn. A model that wants more of them does not know what it looks for."""
LONGEST_NAME = 100
LONGEST_ID = 64
"""Characters; servers check ids, and one that was cut would not be known again."""
STOPPED = "it was stopped: the time of the run was nearly over"


async def make(calls: Sequence[ToolCall], turn: TurnRecord, tools: Toolbox, emit: Emit, budget: Budget) -> list[Told]:
    """What the model is to be told of each of ``calls``, in their order. Those that run when the last turn has to begin
    are stopped. All have a record in ``turn``, whatever happens.
    """
    records = [begun(call, budget) for call in calls]
    turn.calls += records
    for record in records:
        await emit(events.tool_call(turn.n, record))

    async def one(call: ToolCall, record: CallRecord) -> Told:
        told = await in_time(call, record, turn.n, tools, budget)
        await emit(events.tool_result(turn.n, record))
        return told

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(call, record)) for call, record in zip(calls, records, strict=True)]
    return [task.result() for task in tasks]


async def in_time(call: ToolCall, record: CallRecord, turn: int, tools: Toolbox, budget: Budget) -> Told:
    """Make a call, and stop it where the last turn has to begin. To tell of it is not stopped: events come whole."""
    try:
        async with asyncio.timeout(max(0.0, budget.seconds)):
            return await tools.call(call, record, turn)
    except TimeoutError:
        stop(record, budget)
        record.message = record.text = STOPPED
        return Told(STOPPED, STOPPED)


def begun(call: ToolCall, budget: Budget) -> CallRecord:
    """The record of a call that is about to be made."""
    return CallRecord(
        id=call.id, tool=call.name, input=read(call.arguments)[1], outcome="running", began=budget.milliseconds
    )


def stop(record: CallRecord, budget: Budget) -> None:
    """Note that a call which still runs, or never began, did not come to its end."""
    if record.outcome == "running":
        record.outcome = "cancelled"
        record.milliseconds = round(budget.milliseconds - record.began, 3)


def known(calls: Sequence[ToolCall], turn: int, used: set[str]) -> list[ToolCall]:
    """``calls`` with ids of which each is there once in a run, and with names of bounded length.

    An id is the server's where it can be: some check its form. Ours have nine letters and digits, as Mistral wants it.
    """
    found = []
    for place, call in enumerate(calls):
        fits = 0 < len(call.id) <= LONGEST_ID and call.id.isascii() and call.id.isprintable() and call.id not in used
        identity = call.id if fits else f"t{turn:04}c{place:03}"
        used.add(identity)
        found.append(replace(call, id=identity, name=one_line(call.name)[:LONGEST_NAME]))
    return found
