"""Runs into the store and out of it."""

from __future__ import annotations

from agentd.agent.records import TraceRecord
from agentd.agent.tally import sum_up
from agentd.answer.keeping import Kind
from agentd.storage.kept_table import Head


def head(trace: TraceRecord) -> Head:
    """A run in a list."""
    run = trace.run
    return Head(run.id, run.at, run.state, run.task)


RUN = Kind("run", "agentctl runs", TraceRecord, head, lambda trace: trace.run.roots)


def interrupt(trace: TraceRecord) -> None:
    """Make a trace final whose daemon ended before the run did: calls that were running stay said to be."""
    sum_up(trace)
    trace.run.state = "interrupted"
