"""Families about runs of the agent, and about the tools that they call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.daemon.metrics.figures import Figures, Metric, counters, histograms, one
from agentd.observability.prometheus import Family

if TYPE_CHECKING:
    from agentd.observability.prometheus import Samples


def _turns(figures: Figures) -> Samples:
    return one(sum(figures.metrics.counters("agent_turns").values()))


FAMILIES = (
    Metric(
        Family("agentd_agent_runs_running", "gauge", "Runs of the agent that go on."),
        lambda figures: one(figures.stats["agent"]["running"]),
    ),
    Metric(
        Family("agentd_agent_runs_total", "counter", "Runs of the agent that ended, by how.", ("state",)),
        counters("agent_runs", "state"),
    ),
    Metric(
        Family("agentd_agent_run_duration_seconds", "histogram", "From the beginning of a run to its end."),
        histograms("agent_run_milliseconds"),
    ),
    Metric(Family("agentd_agent_turns_total", "counter", "Requests to models that runs made."), _turns),
    Metric(
        Family(
            "agentd_agent_tokens_total",
            "counter",
            "Tokens that models read (input) and wrote (output) in runs; estimated where a server does not count.",
            ("kind",),
        ),
        counters("agent_tokens", "kind"),
    ),
    Metric(
        Family(
            "agentd_agent_tool_calls_total",
            "counter",
            "Calls of tools, by how they ended. The tool unknown is every name that there is not.",
            ("tool", "outcome"),
        ),
        counters("agent_tool_calls", "tool", "outcome"),
    ),
    Metric(
        Family("agentd_agent_tool_duration_seconds", "histogram", "From a call of a tool to its result.", ("tool",)),
        histograms("agent_tool_milliseconds", "tool"),
    ),
)
