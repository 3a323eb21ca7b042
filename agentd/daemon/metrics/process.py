"""Families about the daemon's own process and its loop."""

from __future__ import annotations

import platform
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

import agentd
from agentd.daemon.metrics.figures import Figures, Metric, by, one
from agentd.observability.prometheus import Family
from agentd.protocol import PROTOCOL_VERSION

if TYPE_CHECKING:
    from agentd.observability.prometheus import Samples

VERSIONS = (agentd.__version__, str(PROTOCOL_VERSION), platform.python_version(), sqlite3.sqlite_version)


def _memory(figures: Figures) -> Samples:
    sizes = Counter({"daemon": figures.stats["process"]["rss_bytes"]})
    for worker in figures.stats["compute"]["workers"]:
        sizes[worker["lane"]] += worker["rss_bytes"]
    return by(sizes)


def _pauses(field: str, divisor: float, figures: Figures) -> Samples:
    generations = figures.stats["loop_lag"]["garbage_collection"]
    return by({name.removeprefix("generation_"): each[field] / divisor for name, each in generations.items()})


def _services(figures: Figures) -> Samples:
    """Services of roots count together: a label is no place for paths."""
    restarts: Counter[str] = Counter()
    for name, count in figures.stats["services"].items():
        restarts[name.partition(" /")[0].replace(" ", "_")] += count
    return by(restarts)


FAMILIES = (
    Metric(
        Family("agentd_build_info", "gauge", "Versions; always 1.", ("version", "protocol", "python", "sqlite")),
        lambda _figures: {VERSIONS: 1},
    ),
    Metric(
        Family("agentd_start_time_seconds", "gauge", "When the daemon started, in seconds since the epoch."),
        lambda figures: one(figures.stats["process"]["started_at"]),
    ),
    Metric(
        Family("agentd_sample_time_seconds", "gauge", "When these figures were taken, in seconds since the epoch."),
        lambda figures: one(figures.sampled_at),
    ),
    Metric(
        Family("agentd_cpu_seconds_total", "counter", "Processor time of the daemon, its workers left out."),
        lambda figures: one(figures.stats["process"]["cpu_seconds"]),
    ),
    Metric(
        Family(
            "agentd_memory_bytes",
            "gauge",
            "Resident memory of the daemon and of the workers of each lane; pages that several share count in each.",
            ("process",),
        ),
        _memory,
    ),
    Metric(
        Family("agentd_open_descriptors", "gauge", "File descriptors that the daemon has open."),
        lambda figures: one(figures.descriptors),
    ),
    Metric(
        Family("agentd_loop_lag_seconds", "histogram", "By how much the loop was late: what any callback suffers."),
        lambda figures: {(): figures.loop_lag},
    ),
    Metric(
        Family("agentd_gc_pauses_total", "counter", "Runs of the garbage collector.", ("generation",)),
        lambda figures: _pauses("count", 1, figures),
    ),
    Metric(
        Family("agentd_gc_pause_seconds_total", "counter", "Time in the garbage collector.", ("generation",)),
        lambda figures: _pauses("total_ms", 1000, figures),
    ),
    Metric(
        Family(
            "agentd_service_restarts_total", "counter", "Services that failed and were started again.", ("service",)
        ),
        _services,
    ),
    Metric(
        Family("agentd_maintenance_runs_total", "counter", "Clean-ups."),
        lambda figures: one(figures.stats["maintenance"]["runs"]),
    ),
)
