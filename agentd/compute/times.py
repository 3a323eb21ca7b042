"""How long tasks wait for a worker, and how long they then take."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agentd.compute.stats import Lane
    from agentd.compute.task import Task
    from agentd.observability.metrics import Histogram, Metrics


class KernelTimes(NamedTuple):
    """Of one kernel in one lane."""

    wait: Histogram
    run: Histogram


class TaskTimes:
    """The histograms ``task_wait_ms`` and ``task_run_ms``, by lane and kernel."""

    def __init__(self, lane: Lane, metrics: Metrics) -> None:
        self._lane = lane
        self._metrics = metrics
        self._kernels: dict[str, KernelTimes] = {}

    def dispatched(self, task: Task) -> None:
        """A worker takes ``task``, which has waited since its submission or its failed try."""
        now = perf_counter()
        self._of(task).wait.observe(1000 * (now - task.since))
        task.since = now

    def ended(self, task: Task) -> None:
        """No worker holds ``task`` any more."""
        self._of(task).run.observe(1000 * (perf_counter() - task.since))

    def _of(self, task: Task) -> KernelTimes:
        times = self._kernels.get(task.kernel)
        if times is None:
            labels = {"lane": self._lane.value, "kernel": task.kernel}
            times = KernelTimes(
                self._metrics.histogram("task_wait_ms", **labels), self._metrics.histogram("task_run_ms", **labels)
            )
            self._kernels[task.kernel] = times
        return times
