"""Every setting, its type, its default and its bounds. What each means to a user stands in ``config/agentd.toml``.

Small frozen objects, one a section, handed to whoever needs them; nothing else carries configuration around.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0, le=86400)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration file."""


class ServerSettings(Section, frozen=True):
    """``[server]``: the socket and what one client may ask of it."""

    backlog: Positive = 1024
    max_connections: Positive = 1024
    max_in_flight: Positive = 32
    max_running: Positive = 16
    max_waiting: Positive = 1024
    max_buffered_megabytes: Positive = 64
    max_request_bytes: Annotated[int, Meta(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    max_response_bytes: Annotated[int, Meta(ge=64 * 1024, le=256 * 1024 * 1024)] = 8 * 1024 * 1024
    write_timeout_seconds: Seconds = 10.0
    line_timeout_seconds: Seconds = 30.0
    drain_seconds: Seconds = 10.0
    allowed_users: tuple[str, ...] = ()


class LogSettings(Section, frozen=True):
    """``[log]``: structured lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class IndexSettings(Section, frozen=True):
    """``[index]``: what is read, and how changes are noticed."""

    max_file_bytes: Annotated[int, Meta(ge=1024, le=256 * 1024 * 1024)] = 2 * 1024 * 1024
    max_files_per_root: Positive = 1_000_000
    exclude: tuple[str, ...] = ()
    index_secrets: bool = False
    chunk_chars: Annotated[int, Meta(ge=200, le=20_000)] = 1200
    files_in_flight: Annotated[int, Meta(ge=1, le=4096)] = 64
    quiet_milliseconds: Annotated[int, Meta(ge=0, le=60_000)] = 50
    rescan_seconds: Seconds = 300.0
    poll_seconds: Seconds = 30.0


class ComputeSettings(Section, frozen=True):
    """``[compute]``: the worker processes."""

    bulk_workers: Annotated[int, Meta(ge=0, le=64)] = 0
    interactive_workers: Annotated[int, Meta(ge=1, le=8)] = 1
    nice: Annotated[int, Meta(ge=0, le=19)] = 15
    queue_length: Positive = 4096
    task_timeout_seconds: Seconds = 60.0
    idle_seconds: Seconds = 30.0
    worker_memory_megabytes: Annotated[int, Meta(ge=128)] = 512


class EmbeddingSettings(Section, frozen=True):
    """``[embedding]``: the sentence-embedding model. An empty ``model`` is the one in the package."""

    enabled: bool = True
    model: str = ""
    max_tokens: Annotated[int, Meta(ge=0, le=8192)] = 0
    batch_tokens: Annotated[int, Meta(ge=16, le=65_536)] = 256
    cache_memory_megabytes: Annotated[int, Meta(ge=1)] = 16
    cache_disk_megabytes: Annotated[int, Meta(ge=16)] = 4096


class SearchSettings(Section, frozen=True):
    """``[search]``: bounds and defaults of a query."""

    default_limit: Annotated[int, Meta(ge=1, le=100)] = 10
    max_limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    max_per_file: Annotated[int, Meta(ge=0, le=1000)] = 3
    candidates: Annotated[int, Meta(ge=10, le=5000)] = 100
    rrf_k: Annotated[int, Meta(ge=1, le=1000)] = 10
    ranked: Annotated[int, Meta(ge=10, le=1000)] = 40
    weights: str = ""
    min_relevance: Annotated[float, Meta(ge=0, le=1)] = 0.2
    doubtful_relevance: Annotated[float, Meta(ge=0, le=1)] = 0.5
    default_deadline_milliseconds: Annotated[int, Meta(ge=10, le=600_000)] = 5000
    verify_milliseconds: Annotated[int, Meta(ge=0, le=60_000)] = 250


class RerankSettings(Section, frozen=True):
    """``[rerank]``: a cross-encoder that judges the first hits of a ranking. An empty ``model`` is none."""

    model: str = ""
    candidates: Annotated[int, Meta(ge=2, le=200)] = 30
    max_tokens: Annotated[int, Meta(ge=16, le=8192)] = 128
    weight: Annotated[float, Meta(ge=0, le=1)] = 0.5
    limit_milliseconds: Annotated[int, Meta(ge=1, le=60_000)] = 2000


class LimitsSettings(Section, frozen=True):
    """``[limits]``: budgets of the daemon and its workers together. 0 leaves the number to agentd."""

    memory_megabytes: Annotated[int, Meta(ge=64)] = 1024
    disk_megabytes: Positive = 8192
    free_disk_megabytes: Count = 256
    watches: Count = 0
    descriptors: Count = 0


class MaintenanceSettings(Section, frozen=True):
    """``[maintenance]``: the fixed cadence of the clean-up."""

    interval_seconds: Seconds = 30.0
    check_seconds: Seconds = 86_400.0


class MetricsSettings(Section, frozen=True):
    """``[metrics]``: figures for Prometheus, in a file. An empty ``textfile`` is none."""

    textfile: str = ""
    interval_seconds: Annotated[float, Meta(ge=1, le=3600)] = 15.0


class RootSettings(Section, frozen=True):
    """``[[root]]``: a folder to keep indexed; fixed as long as the file names it."""

    path: str


class Settings(Section, frozen=True):
    """Everything the daemon was told. Paths are absolute and resolved.

    ``git_excludes`` is the user's global excludes file of git, which may be missing; empty for none.
    """

    socket: Path
    state_directory: Path
    git_excludes: str = ""
    roots: tuple[Path, ...] = ()
    flag_roots: tuple[Path, ...] = ()
    config_file: Path | None = None
    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    index: IndexSettings = IndexSettings()
    compute: ComputeSettings = ComputeSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    search: SearchSettings = SearchSettings()
    rerank: RerankSettings = RerankSettings()
    limits: LimitsSettings = LimitsSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    metrics: MetricsSettings = MetricsSettings()
