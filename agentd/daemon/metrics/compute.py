"""Families about worker processes and the lanes that they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.daemon.metrics.figures import Figures, Metric, histograms
from agentd.observability.prometheus import Family

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.observability.prometheus import Kind, Samples


def _lane(name: str, kind: Kind, help_text: str, field: str) -> Metric:
    """A family by lane that is one field of each lane's counts."""
    return Metric(
        Family(name, kind, help_text, ("lane",)),
        lambda figures: {(lane,): counts[field] for lane, counts in figures.stats["compute"]["lanes"].items()},
    )


def _each(*fields: str, **renamed: str) -> Callable[[Figures], Samples]:
    """Reads several fields of each lane's counts, each under its name or a better one."""
    names = dict.fromkeys(fields) | renamed

    def read(figures: Figures) -> Samples:
        lanes = figures.stats["compute"]["lanes"]
        return {(lane, name): counts[field or name] for lane, counts in lanes.items() for name, field in names.items()}

    return read


FAMILIES = (
    _lane("agentd_workers", "gauge", "Worker processes.", "workers"),
    _lane("agentd_workers_busy", "gauge", "Workers that hold a task.", "busy"),
    _lane("agentd_lane_queue_length", "gauge", "Tasks that wait for a worker.", "queued"),
    _lane("agentd_lane_busy_seconds_total", "counter", "Seconds that workers have spent on tasks.", "busy_seconds"),
    Metric(
        Family("agentd_tasks_total", "counter", "Tasks that ended, by how.", ("lane", "outcome")),
        _each("done", "failed", "cancelled"),
    ),
    _lane("agentd_task_retries_total", "counter", "Tasks that were given to a second worker.", "retried"),
    Metric(
        Family(
            "agentd_workers_ended_total",
            "counter",
            "Workers that were killed (time limits, cancelled work), recycled for their memory, or replaced after any "
            "end that was not asked for.",
            ("lane", "how"),
        ),
        _each("killed", "recycled", replaced="restarts"),
    ),
    Metric(
        Family("agentd_task_wait_seconds", "histogram", "How long tasks waited for a worker.", ("lane", "kernel")),
        histograms("task_wait_ms", "lane", "kernel"),
    ),
    Metric(
        Family("agentd_task_duration_seconds", "histogram", "How long workers took for tasks.", ("lane", "kernel")),
        histograms("task_run_ms", "lane", "kernel"),
    ),
)
