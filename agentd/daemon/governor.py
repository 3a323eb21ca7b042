"""The budgets of the whole daemon, kept: what can be done without gives way first, indexing last, queries never.

Memory is looked at every second, because a file can blow a worker up in a few; the disk every five. Each budget has
its steps (``agentd.daemon.budgets`` says when one is taken); what all of them ask for together is applied to the pool.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import structlog

from agentd.compute.stats import resident_bytes
from agentd.daemon import usage
from agentd.daemon.budgets import EFFECT_SECONDS, RELAXED, Standing, advance, pressure_of, pressure_of_free
from agentd.errors import StateUnusableError
from agentd.indexing.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.compute.pool import Pool, WorkerStats
    from agentd.config.settings import ServerSettings, Settings
    from agentd.daemon.descriptors import Descriptors
    from agentd.daemon.reserves import Reserves
    from agentd.observability.metrics import Metrics
    from agentd.protocol import LimitInfo

MEMORY_SECONDS = 1.0
DISK_SECONDS = 5.0
EXACT_SECONDS = 30.0
"""How often shared pages are told apart (PSS) where memory is far from its limit; near it, at every look."""
AGAIN_SECONDS = 30.0
"""How often a budget that stays over its limit gives back once more what it gave back at first."""
LEAST_SHARE_BYTES = 256 * 1024 * 1024
"""What a worker may have in any case: less than it needs with parsers and a model would have it replaced for ever."""
MEBIBYTE = 1024 * 1024

log = structlog.get_logger(__name__)


class Budget:
    """One resource, its limit, and what has been given up for it. ``steps`` are in order; the last pauses indexing."""

    def __init__(self, name: str, setting: str, steps: tuple[str, ...], metrics: Metrics) -> None:
        self.name = name
        self.used = 0
        self.limit = 0
        self.pressure = 0.0
        self._setting = setting
        self._steps = steps
        self._standing = Standing()
        self._taken = [metrics.counter("limit_steps", limit=name, step=step) for step in steps]
        self._given_at = float("-inf")

    @property
    def paused(self) -> bool:
        """Whether indexing has to wait for it."""
        return self._standing.step == len(self._steps)

    def reached(self, step: str) -> bool:
        """Whether ``step`` has been taken, and not been taken back."""
        return self._standing.step > self._steps.index(step)

    def look(self, used: int, limit: int, pressure: float) -> None:
        """Take in a measure, in bytes; each step is logged and counted once. One who raised the limit need not wait."""
        if limit != self.limit and pressure < RELAXED:
            self._standing = Standing()
        self.used, self.limit, self.pressure = used, limit, pressure
        before = self._standing.step
        self._standing = advance(self._standing, pressure, len(self._steps), time.monotonic())
        after = self._standing.step
        facts = {"limit": self.name, "used": used, "allowed": limit}
        if after > before:
            self._taken[before].increment()
            log.warning("limit_reached", step=self._steps[before], **facts)
        elif after < before:
            log.info("limit_eased", step=self._steps[after], **facts)

    def wants_back(self, now: float) -> bool:
        """Whether it is time to give back what can be: at the first step, then now and then while over the limit."""
        due = self._standing.step > 0 and self.pressure > 1 and now - self._given_at >= AGAIN_SECONDS
        if due:
            self._given_at = now
        return due

    def info(self) -> LimitInfo:
        """For status."""
        state = "paused" if self.paused else "shrinking" if self._standing.step else "ok"
        return {"used": self.used, "limit": self.limit, "state": state}

    def problem(self) -> str:
        """A sentence while indexing waits, else nothing."""
        if not self.paused:
            return ""
        return (
            f"indexing waits, searches are answered: {self.name.replace('_', ' ')} is {self.used // MEBIBYTE:,} MiB, "
            f"{self._setting} is {self.limit // MEBIBYTE:,}; {self._advice()}"
        )

    def _advice(self) -> str:
        if self.pressure > 1:
            return "make room or change it, indexing goes on by itself"
        return (
            f"indexing goes on once there were {1 - RELAXED:.0%} to spare for {self._standing.patience:.0f} s; "
            "where it waits again and again, change the limit"
        )


class Governor:
    """Looks, decides and acts."""

    def __init__(
        self, settings: Settings, pool: Pool, reserves: Reserves, descriptors: Descriptors, metrics: Metrics
    ) -> None:
        self._settings = settings.limits
        self._changed = Signal()
        self.memory = Budget(
            "memory", "limits.memory_megabytes", ("caches", "large_workers", "one_worker", "pause"), metrics
        )
        self.disk = Budget("disk", "limits.disk_megabytes", ("reclaim", "pause"), metrics)
        self.free_disk = Budget("free_disk", "limits.free_disk_megabytes", ("reclaim", "pause"), metrics)
        self._budgets = (self.memory, self.disk, self.free_disk)
        self._pool = pool
        self._reserves = reserves
        self._descriptors = descriptors
        self._state = settings.state_directory
        self._killed = metrics.counter("workers_over_memory")
        self._cap: int | None = None
        self._open_files = 0
        self._exact_at = float("-inf")

    async def run(self) -> None:
        """The service: never returns, except by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_memory())
            group.create_task(self._watch_disk())

    def adopt(self, settings: Settings) -> ServerSettings:
        """Take other limits, and look at once. Returns the server's settings as they can be kept."""
        self._settings = settings.limits
        self._changed.give()
        return self._descriptors.fit(settings)

    async def _watch_memory(self) -> None:
        while True:
            await self.look_at_memory()
            await self._changed.wait(MEMORY_SECONDS)

    async def _watch_disk(self) -> None:
        while True:
            await self.look_at_disk()
            pressed = max(self.disk.pressure, self.free_disk.pressure) > 1
            await self._changed.wait(EFFECT_SECONDS if pressed else DISK_SECONDS)

    async def look_at_memory(self) -> None:
        """Hold workers to their share and all of them together to the budget."""
        limit = self._settings.memory_megabytes * MEBIBYTE
        workers = self._pool.stats().workers
        share = max(LEAST_SHARE_BYTES, limit // (len(workers) + 1)) if self.memory.reached("large_workers") else None
        self._killed.increment(self._pool.enforce(share))
        used = await self._memory(workers, limit)
        self.memory.look(used, limit, pressure_of(used, limit))
        if self.memory.wants_back(time.monotonic()):
            self._pool.shed_bulk()
            await self._reserves.give_memory()
        self._apply()

    async def _memory(self, workers: Sequence[WorkerStats], limit: int) -> int:
        """Bytes in use by all processes. Where even the sum that counts shared pages twice is at ease, the last exact
        figure will do: to take one holds up each process for 1 ms per 100 MB.
        """
        pids = [os.getpid(), *(worker.pid for worker in workers)]
        now = time.monotonic()
        at_most = resident_bytes(os.getpid()) + sum(worker.rss_bytes for worker in workers)
        if at_most < RELAXED * limit and now - self._exact_at < EXACT_SECONDS:
            return min(self.memory.used, at_most)
        self._exact_at = now
        return await asyncio.to_thread(usage.proportional, pids)

    async def look_at_disk(self) -> None:
        """Hold the state directory to its size, and leave room on its file system."""
        used, free, self._open_files = await asyncio.to_thread(self._measure_disk)
        most, least = self._settings.disk_megabytes * MEBIBYTE, self._settings.free_disk_megabytes * MEBIBYTE
        self.disk.look(used, most, pressure_of(used, most))
        self.free_disk.look(free, least, pressure_of_free(free, least))
        self._apply()
        now = time.monotonic()
        if any([self.disk.wants_back(now), self.free_disk.wants_back(now)]):
            try:
                await self._reserves.give_disk(max(used - most, least - free))
            except StateUnusableError as error:  # to give space back takes some, and there may be none
                log.warning("cannot_give_back", error=error.message)

    def _measure_disk(self) -> tuple[int, int, int]:
        return usage.disk_use(self._state)["total"], usage.free_bytes(self._state), usage.open_descriptors()

    def _apply(self) -> None:
        """Let the bulk lane have as many workers as all budgets allow."""
        one = self.memory.reached("one_worker")
        cap = 0 if any(budget.paused for budget in self._budgets) else 1 if one else None
        if cap != self._cap:
            self._cap = cap
            self._pool.cap_bulk(cap)

    def limits(self) -> dict[str, LimitInfo]:
        """Every budget, for status."""
        lowered = bool(self._descriptors.problem())
        return {budget.name: budget.info() for budget in self._budgets} | {
            "descriptors": {
                "used": self._open_files,
                "limit": self._descriptors.plan.limit,
                "state": "shrinking" if lowered else "ok",
            }
        }

    def findings(self) -> list[tuple[str, str]]:
        """What a person should know, in sentences, each after its kind."""
        each = [(budget.name, budget.problem()) for budget in self._budgets]
        each.append(("descriptors", self._descriptors.problem()))
        return [(f"limit_{name}", sentence) for name, sentence in each if sentence]
