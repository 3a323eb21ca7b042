"""What all samples are read from: one look at everything, so that figures of one sample fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentd.observability.metrics import Histogram, Metrics
    from agentd.observability.prometheus import Family, Samples
    from agentd.protocol import IndexStatus


class Figures(NamedTuple):
    """A look at the daemon. ``problems`` counts findings by kind."""

    status: IndexStatus
    stats: Mapping[str, Any]
    server: Mapping[str, Any]
    problems: Mapping[str, int]
    metrics: Metrics
    loop_lag: Histogram
    descriptors: int
    sampled_at: float


class Metric(NamedTuple):
    """A family, and how its samples are read."""

    family: Family
    read: Callable[[Figures], Samples]


def one(value: float) -> Samples:
    """The sample of a family without labels."""
    return {(): value}


def by(values: Mapping[str, float]) -> Samples:
    """Samples of a family with one label."""
    return {(name,): value for name, value in values.items()}


def counters(name: str, *labels: str) -> Callable[[Figures], Samples]:
    """Reads the counters called ``name``, by the values of ``labels``."""
    return lambda figures: {
        tuple(dict(key)[label] for label in labels): count for key, count in figures.metrics.counters(name).items()
    }


def histograms(name: str, *labels: str) -> Callable[[Figures], Samples]:
    """Reads the histograms called ``name`` that have observed anything, by the values of ``labels``."""

    def read(figures: Figures) -> Samples:
        found = figures.metrics.histograms(name)
        return {tuple(dict(key)[label] for label in labels): each for key, each in found.items() if each.count}

    return read
