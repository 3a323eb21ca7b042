"""Families about the index: what it holds, what it has yet to do, and what it leaves out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from agentd.daemon.metrics.figures import Figures, Metric, by, histograms, one
from agentd.observability.prometheus import Family

if TYPE_CHECKING:
    from agentd.observability.prometheus import Samples

STATES = ("scanning", "indexing", "embedding", "current", "missing")


def _roots(figures: Figures) -> Samples:
    counts = Counter(root["state"] for root in figures.status["roots"])
    return by({state: counts[state] for state in dict.fromkeys((*STATES, *counts))})


def _cache(figures: Figures) -> Samples:
    cache = figures.stats["cache"]
    return by({"memory": cache["memory_hits"], "disk": cache["disk_hits"], "miss": cache["misses"]})


def _directories(figures: Figures) -> Samples:
    roots = figures.status["roots"]
    watched = sum(root["watched_directories"] for root in roots)
    return by({"watched": watched, "polled": sum(root["polled_directories"] for root in roots)})


def _coverage(figures: Figures) -> Samples:
    """None where there is nothing to watch."""
    counts = _directories(figures)
    total = sum(cast("float", count) for count in counts.values())
    return one(cast("float", counts["watched",]) / total) if total else {}


def _disk(figures: Figures) -> Samples:
    return by({name: size for name, size in figures.status["disk_bytes"].items() if name != "total"})


def _views(name: str) -> Metric:
    unit, what = {"behind": ("generations", "Generations"), "behind_seconds": ("seconds", "Seconds")}[name]
    return Metric(
        Family(f"agentd_view_lag_{unit}", "gauge", f"{what} that the view is behind what is stored.", ("view",)),
        lambda figures: by({view: lag[name] for view, lag in figures.stats["views"].items()}),
    )


FAMILIES = (
    Metric(Family("agentd_roots", "gauge", "Roots by state.", ("state",)), _roots),
    Metric(
        Family("agentd_documents", "gauge", "Files that are indexed or about to be."),
        lambda figures: one(figures.status["documents"]),
    ),
    Metric(
        Family("agentd_documents_pending", "gauge", "Files that are to be read."),
        lambda figures: one(figures.status["pending"]),
    ),
    Metric(Family("agentd_chunks", "gauge", "Passages."), lambda figures: one(figures.status["chunks"])),
    Metric(
        Family("agentd_vectors", "gauge", "Passages with a vector."), lambda figures: one(figures.status["vectors"])
    ),
    Metric(
        Family("agentd_vectors_pending", "gauge", "Passages that wait for their vector."),
        lambda figures: one(figures.status["vectors_pending"]),
    ),
    Metric(
        Family("agentd_links_pending", "gauge", "Files whose edges to others are to be followed."),
        lambda figures: one(figures.status["graph_pending"]),
    ),
    Metric(
        Family("agentd_files_skipped", "gauge", "Files that are left out, by reason.", ("reason",)),
        lambda figures: by(figures.status["skipped"]),
    ),
    Metric(
        Family("agentd_generation", "gauge", "The newest generation of what is stored."),
        lambda figures: one(figures.status["generation"]),
    ),
    _views("behind"),
    _views("behind_seconds"),
    Metric(
        Family("agentd_files_indexed_total", "counter", "Files that were read and stored."),
        lambda figures: one(figures.stats["embedding"]["files"]),
    ),
    Metric(
        Family(
            "agentd_vectors_added_total", "counter", "Vectors that were added to the view, computed or from the cache."
        ),
        lambda figures: one(figures.stats["embedding"]["embedded"]),
    ),
    Metric(
        Family("agentd_vectors_computed_total", "counter", "Texts that were embedded."),
        lambda figures: one(figures.stats["embedding"]["computed"]),
    ),
    Metric(
        Family("agentd_vectors_failed_total", "counter", "Passages that could not be embedded."),
        lambda figures: one(figures.stats["embedding"]["failed"]),
    ),
    Metric(
        Family("agentd_vectors_truncated_total", "counter", "Texts that were longer than the model reads."),
        lambda figures: one(figures.stats["embedding"]["truncated"]),
    ),
    Metric(
        Family(
            "agentd_embedding_cache_lookups_total", "counter", "Texts by where their vector was found.", ("result",)
        ),
        _cache,
    ),
    Metric(
        Family("agentd_embedding_cache_evictions_total", "counter", "Vectors that left the cache for want of room."),
        lambda figures: one(figures.stats["cache"]["evicted"]),
    ),
    Metric(
        Family("agentd_index_stage_duration_seconds", "histogram", "Steps of indexing outside of workers.", ("stage",)),
        histograms("index_stage_ms", "stage"),
    ),
    Metric(
        Family("agentd_directories", "gauge", "Directories of roots by how their changes are noticed.", ("how",)),
        _directories,
    ),
    Metric(
        Family("agentd_watch_coverage_ratio", "gauge", "Share of the directories that are watched; others are polled."),
        _coverage,
    ),
    Metric(Family("agentd_disk_bytes", "gauge", "Disk that the state takes, by its entries.", ("entry",)), _disk),
    Metric(
        Family(
            "agentd_problems", "gauge", "What status names as degraded, by kind. None while all is well.", ("kind",)
        ),
        lambda figures: by(figures.problems),
    ),
)
