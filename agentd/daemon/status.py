"""Everything that ``status``, ``stats`` and ``health`` tell, gathered from those who know."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agentd.daemon.soundness import notices
from agentd.daemon.usage import disk_use
from agentd.indexing.progress import seconds_left

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agentd.compute.pool import Pool
    from agentd.daemon.findings import Findings
    from agentd.daemon.governor import Governor
    from agentd.daemon.maintenance import Maintenance
    from agentd.daemon.models import Models
    from agentd.daemon.supervisor import Supervisor
    from agentd.indexing.events import Events
    from agentd.indexing.followers import Follower
    from agentd.indexing.index import Index
    from agentd.indexing.ingest import Ingest
    from agentd.indexing.keeper import RootKeeper
    from agentd.indexing.watcher import Watcher
    from agentd.observability.lag import LagProbe
    from agentd.observability.metrics import Metrics
    from agentd.protocol import IndexStatus, LimitInfo, RootInfo
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.embedding_cache import EmbeddingCache
    from agentd.storage.rows import RootProgress, ViewRow

DISK_SECONDS = 5.0
"""Disk use is counted at most this often: a large keyword view has many files."""


class StatusReporter:
    """Reads, never changes."""

    def __init__(
        self,
        findings: Findings,
        models: Models,
        catalogue: Catalogue,
        cache: EmbeddingCache,
        index: Index,
        ingest: Ingest,
        keyword: Follower[Sequence[ViewRow]],
        supervisor: Supervisor,
        maintenance: Maintenance,
        governor: Governor,
        pool: Pool,
        metrics: Metrics,
        lag: LagProbe,
        events: Events,
        state_directory: Path,
    ) -> None:
        self.findings = findings
        self.models = models
        self._catalogue = catalogue
        self._cache = cache
        self._index = index
        self._ingest = ingest
        self._keyword = keyword
        self._supervisor = supervisor
        self._maintenance = maintenance
        self._governor = governor
        self._pool = pool
        self._metrics = metrics
        self._lag = lag
        self._events = events
        self._state = state_directory
        self.sections: dict[str, Callable[[], object]] = {}
        """What others tell of in ``stats``, by section."""
        self._disk: tuple[float, dict[str, int]] = (0.0, {})
        self._started = time.time()
        self._began = time.monotonic()

    def problems(self) -> list[str]:
        """What a person should know, in sentences; empty when all is well."""
        return [sentence for _, sentence in self.findings.all()]

    async def roots(self) -> dict[str, RootInfo]:
        """Every root by path. One that came or went while they were counted is left out: the next look has it."""
        progress = {root.root_id: root for root in await self._catalogue.roots.progress()}
        keepers = sorted(self._index.keepers.items())
        return {
            path: self._root(keeper, progress[keeper.root.id]) for path, keeper in keepers if keeper.root.id in progress
        }

    def _root(self, keeper: RootKeeper, counts: RootProgress) -> RootInfo:
        chains = self._index.chains
        vectors, queued = chains.counted(counts.queued, counts.embeddable) if chains else (0, 0)
        return {
            "path": keeper.root.path,
            "origin": keeper.root.origin.value,
            "state": state_of(keeper, counts.pending, queued),
            "documents": counts.documents,
            "pending": counts.pending,
            "chunks": counts.chunks,
            "vectors": vectors,
            "vectors_pending": queued,
            "skipped": counts.skipped,
            **keeper.coverage.info(),
            "scanned_at": keeper.scanned_at,
        }

    async def index(self) -> IndexStatus:
        """How far the index is, over all roots."""
        roots = list((await self.roots()).values())
        spaces = self.models.running()
        pending = sum(root["pending"] for root in roots)
        vectors_pending = sum(root["vectors_pending"] for root in roots)
        files_rate = self._ingest.files.rate()
        vectors_rate = sum(service.embedder.embedded.rate() for service in spaces)
        return {
            "state": overall(roots, self._index.unfinished()),
            "generation": self._catalogue.feed.changed.value,
            "keyword_generation": self._keyword.generation,
            "vector_generation": min((service.follower.generation for service in spaces), default=0),
            "graph_pending": self._index.linker.pending if self._index.linker else 0,
            "roots": roots,
            "documents": sum(root["documents"] for root in roots),
            "pending": pending,
            "chunks": sum(root["chunks"] for root in roots),
            "vectors": sum(root["vectors"] for root in roots),
            "vectors_pending": vectors_pending,
            "skipped": summed([root["skipped"] for root in roots]),
            "files_per_second": round(files_rate, 1),
            "vectors_per_second": round(vectors_rate, 1),
            "eta_seconds": seconds_left([(pending, files_rate), (vectors_pending, vectors_rate)]),
            "space": spaces[0].vectors.space.key if spaces else None,
            "spaces": self.models.spaces(await self._catalogue.roots.progress()),
            "providers": self.models.servers(),
            "degraded": self.problems(),
            "notices": await asyncio.to_thread(notices, self._state),
            "disk_bytes": await self._disk_bytes(),
            "limits": self._governor.limits() | {"watches": watch_limit(self._index.planner.watcher)},
        }

    async def stats(self) -> Mapping[str, object]:
        """Figures by section, for people and for the bench."""
        embedders = [service.embedder for service in self.models.running()]
        return {
            "process": {
                "pid": os.getpid(),
                "state_directory": str(self._state),
                "started_at": round(self._started, 3),
                "uptime_seconds": round(time.monotonic() - self._began, 1),
                "cpu_seconds": round(time.process_time(), 3),
                **memory(),
            },
            "loop_lag": self._lag.snapshot(),
            "compute": msgspec.to_builtins(self._pool.stats()),
            "cache": msgspec.to_builtins(self._cache.counts),
            "embedding": {
                "files": self._ingest.files.total,
                "embedded": sum(embedder.embedded.total for embedder in embedders),
                "computed": sum(embedder.computed.total for embedder in embedders),
                "failed": sum(embedder.failed for embedder in embedders),
                "truncated": sum(embedder.truncated for embedder in embedders),
            },
            "views": self._views(),
            "events": {"listeners": self._events.listeners, "lost": self._events.lost},
            "maintenance": {"runs": self._maintenance.runs},
            "services": dict(self._supervisor.restarts),
            **{name: tell() for name, tell in self.sections.items()},
            "metrics": self._metrics.snapshot(),
        }

    def _views(self) -> dict[str, dict[str, float]]:
        """How far each view is behind the truth, in generations and in seconds."""
        followers: dict[str, Follower[Any]] = {"keyword": self._keyword}
        for service in self.models.running():
            behind = followers.get("vector")
            if behind is None or service.follower.generation < behind.generation:
                followers["vector"] = service.follower
        newest = self._catalogue.feed.changed.value
        return {
            name: {"behind": newest - follower.generation, "behind_seconds": round(follower.behind_seconds, 3)}
            for name, follower in followers.items()
        }

    async def _disk_bytes(self) -> dict[str, int]:
        counted_at, sizes = self._disk
        if time.monotonic() - counted_at > DISK_SECONDS or not sizes:
            sizes = await asyncio.to_thread(disk_use, self._state)
            self._disk = (time.monotonic(), sizes)
        return sizes


def watch_limit(watcher: Watcher) -> LimitInfo:
    """Directories that are watched, and the most there can be; what is beyond is polled."""
    reached = watcher.full or watcher.directories >= watcher.limit
    return {"used": watcher.directories, "limit": watcher.budget, "state": "shrinking" if reached else "ok"}


def state_of(keeper: RootKeeper, pending: int, queued: int) -> str:
    """What a root is waiting for, the first thing first."""
    if keeper.missing:
        return "missing"
    if not keeper.scans:
        return "scanning"
    if pending:
        return "indexing"
    return "embedding" if queued else "current"


def overall(roots: list[RootInfo], unfinished: list[str]) -> str:
    """The state of the least advanced root."""
    states = {root["state"] for root in roots}
    for state in ("scanning", "indexing", "embedding"):
        if state in states:
            return state
    return "indexing" if unfinished else "current"


def summed(counts: list[dict[str, int]]) -> dict[str, int]:
    """Counts by reason over all roots."""
    total: dict[str, int] = {}
    for some in counts:
        for reason, count in some.items():
            total[reason] = total.get(reason, 0) + count
    return total


def memory() -> dict[str, int]:
    """Resident memory of this process in bytes (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"rss_bytes": pages * os.sysconf("SC_PAGE_SIZE")}
