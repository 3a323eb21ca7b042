"""Families about budgets: what is used of each, and what the governor does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.daemon.metrics.figures import Figures, Metric, by, one
from agentd.observability.prometheus import Family

if TYPE_CHECKING:
    from agentd.observability.prometheus import Samples
    from agentd.protocol import LimitInfo


def _budgets(figures: Figures) -> dict[str, LimitInfo]:
    return figures.status.get("limits", {})


def _steps(figures: Figures) -> Samples:
    counted = figures.metrics.counters("limit_steps").items()
    return {(dict(labels)["limit"], dict(labels)["step"]): count for labels, count in counted}


FAMILIES = (
    Metric(
        Family(
            "agentd_limit_used",
            "gauge",
            "What is used of a budget of [limits], in bytes; for descriptors a number, for free_disk what is free.",
            ("limit",),
        ),
        lambda figures: by({name: budget["used"] for name, budget in _budgets(figures).items()}),
    ),
    Metric(
        Family("agentd_limit", "gauge", "The most that there may be; for free_disk the least.", ("limit",)),
        lambda figures: by({name: budget["limit"] for name, budget in _budgets(figures).items()}),
    ),
    Metric(
        Family("agentd_limit_reached", "gauge", "1 while a budget makes the daemon shrink or pause.", ("limit",)),
        lambda figures: by({name: budget["state"] != "ok" for name, budget in _budgets(figures).items()}),
    ),
    Metric(
        Family("agentd_limit_steps_total", "counter", "What was done to get back under a budget.", ("limit", "step")),
        _steps,
    ),
    Metric(
        Family("agentd_workers_over_memory_total", "counter", "Workers that were killed over their memory."),
        lambda figures: one(sum(figures.metrics.counters("workers_over_memory").values())),
    ),
)
