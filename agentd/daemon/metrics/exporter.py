"""Gathers everything once and renders it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from agentd.daemon.metrics import agent, compute, index, limits, process, providers, requests
from agentd.daemon.metrics.figures import Figures
from agentd.observability.prometheus import render

if TYPE_CHECKING:
    from agentd.daemon.status import StatusReporter
    from agentd.observability.lag import LagProbe
    from agentd.observability.metrics import Metrics
    from agentd.server.stats import ServerStats

PARTS = (process, requests, index, providers, agent, compute, limits)
TABLE = tuple(family for part in PARTS for family in part.FAMILIES)


class Exporter:
    """The daemon in figures."""

    def __init__(self, reporter: StatusReporter, metrics: Metrics, lag: LagProbe) -> None:
        self._reporter = reporter
        self._metrics = metrics
        self._lag = lag

    async def text(self, server: ServerStats) -> str:
        """The text exposition. It is rendered in a thread: a thousand lines take milliseconds."""
        figures = Figures(
            status=await self._reporter.index(),
            stats=await self._reporter.stats(),
            server=server.snapshot(),
            problems=Counter(kind for kind, _ in self._reporter.findings.all()),
            metrics=self._metrics,
            loop_lag=self._lag.milliseconds,
            descriptors=0,
            sampled_at=time.time(),
        )
        return await asyncio.to_thread(exposition, figures)


def exposition(figures: Figures) -> str:
    """Every family of the table that has samples."""
    descriptors = len(list(Path("/proc/self/fd").iterdir())) - 1  # listing them opens one
    figures = figures._replace(descriptors=descriptors)
    return render((metric.family, metric.read(figures)) for metric in TABLE)
