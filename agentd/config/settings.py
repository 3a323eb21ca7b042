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
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]

LOCAL = "local"
"""The name, in a chain, of the model that runs in our own workers."""

Egress = Literal["embeddings", "chat", "web"]
"""What text of a root may leave the machine for: to be embedded, for a chat model to read, as words of a web search."""


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
    idle_exit_seconds: Annotated[float, Meta(ge=0, le=2_592_000)] = 0.0
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
    chain: tuple[str, ...] = (LOCAL,)
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


class ChatSettings(Section, frozen=True):
    """``[chat]``: the models that write answers. An empty ``chain`` is none: answers are then extractive."""

    chain: tuple[str, ...] = ()
    max_answer_tokens: Annotated[int, Meta(ge=64, le=32_768)] = 1024
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.1


class AnswerSettings(Section, frozen=True):
    """``[answer]``: how questions are answered, and for how long answers are kept."""

    passages: Annotated[int, Meta(ge=1, le=50)] = 10
    source_limit_milliseconds: Annotated[int, Meta(ge=10, le=600_000)] = 8000
    min_support: Annotated[float, Meta(ge=0, le=1)] = 0.5
    keep_days: Annotated[int, Meta(ge=0, le=3650)] = 30
    keep_count: Annotated[int, Meta(ge=0, le=100_000)] = 500


class AgentSettings(Section, frozen=True):
    """``[agent]``: what a run of the agent may take, and for how long runs are kept.

    0 leaves a budget to the tier, and ``auto`` the tier to the model's context. An empty ``tools`` is all there are.
    """

    tier: Literal["auto", "small", "medium", "large"] = "auto"
    tools: tuple[str, ...] = ()
    max_turns: Annotated[int, Meta(ge=0, le=200)] = 0
    max_tokens: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    max_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    max_tool_calls: Annotated[int, Meta(ge=0, le=1000)] = 0
    tool_seconds: Seconds = 30.0
    parallel_tools: Annotated[int, Meta(ge=1, le=32)] = 4
    max_running: Annotated[int, Meta(ge=1, le=64)] = 4
    keep_days: Annotated[int, Meta(ge=0, le=3650)] = 30
    keep_count: Annotated[int, Meta(ge=0, le=100_000)] = 500


class WebSettings(Section, frozen=True):
    """``[web]``: search of the web through a SearXNG server, and fetching of pages. An empty ``searxng`` is none."""

    searxng: str = ""
    results: Annotated[int, Meta(ge=1, le=50)] = 8
    pages: Annotated[int, Meta(ge=0, le=20)] = 4
    parallel: Annotated[int, Meta(ge=1, le=32)] = 4
    timeout_seconds: Seconds = 8.0
    max_page_bytes: Annotated[int, Meta(ge=1024, le=64 * 1024 * 1024)] = 4 * 1024 * 1024
    max_redirects: Annotated[int, Meta(ge=0, le=20)] = 5
    respect_robots: bool = True
    cache_seconds: Annotated[int, Meta(ge=0, le=31_536_000)] = 86_400
    cache_disk_megabytes: Positive = 128


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
    """``[[root]]``: a folder to keep indexed, fixed as long as the file names it, and what of it may leave the machine.

    An empty ``embeddings`` is the chain of ``[embedding]``. Nothing but this file can widen ``egress``.
    """

    path: Annotated[str, Meta(min_length=1, pattern=r"^[^\0]*$")]
    embeddings: tuple[str, ...] = ()
    egress: tuple[Egress, ...] = ()


class ProviderSettings(Section, frozen=True):
    """``[[provider]]``: a server that embeds or chats, to be named in chains.

    Counts that are 0 mean that the server has no limit that is known, or that its own choice stands.
    """

    name: Name
    kind: Literal["openai", "ollama"]
    base_url: str = ""
    credential: str = ""
    embedding_model: str = ""
    embedding_dimension: Annotated[int, Meta(ge=0, le=16_384)] = 0
    embedding_tokens: Annotated[int, Meta(ge=16, le=1_048_576)] = 512
    query_prefix: str = ""
    document_prefix: str = ""
    batch_texts: Annotated[int, Meta(ge=1, le=2048)] = 64
    batch_tokens: Annotated[int, Meta(ge=16, le=1_048_576)] = 16_384
    chat_model: str = ""
    context_tokens: Annotated[int, Meta(ge=512, le=10_485_760)] = 8192
    tool_calls: Literal["auto", "native", "text"] = "auto"
    parallel: Annotated[int, Meta(ge=1, le=64)] = 4
    requests_per_minute: Count = 0
    tokens_per_minute: Count = 0
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    connect_seconds: Seconds = 5.0
    timeout_seconds: Seconds = 60.0


class ToolSettings(Section, frozen=True):
    """``[[tool]]``: a command as a tool of the agent.

    ``command`` is run as it stands, without a shell; an element ``{NAME}``, or part of one, is replaced by the argument
    of that name. ``parameters`` is the JSON schema of each argument by name. An empty ``directory`` is the first root
    of the run.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
    description: Annotated[str, Meta(min_length=1, max_length=2000)]
    command: Annotated[tuple[str, ...], Meta(min_length=1)]
    parameters: dict[str, dict[str, object]] = {}
    required: tuple[str, ...] | None = None
    directory: str = ""
    environment: tuple[str, ...] = ()
    input: Literal["none", "json"] = "none"
    timeout_seconds: Seconds = 10.0
    max_output_bytes: Annotated[int, Meta(ge=256, le=16 * 1024 * 1024)] = 64 * 1024


class Settings(Section, frozen=True):
    """Everything the daemon was told. Paths are absolute and resolved.

    ``git_excludes`` is the user's global excludes file of git, which may be missing; empty for none. ``rules`` are the
    ``[[root]]`` entries, in force for whatever root has their path.
    """

    socket: Path
    state_directory: Path
    git_excludes: str = ""
    roots: tuple[Path, ...] = ()
    flag_roots: tuple[Path, ...] = ()
    rules: tuple[RootSettings, ...] = ()
    providers: tuple[ProviderSettings, ...] = ()
    tools: tuple[ToolSettings, ...] = ()
    config_file: Path | None = None
    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    index: IndexSettings = IndexSettings()
    compute: ComputeSettings = ComputeSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    search: SearchSettings = SearchSettings()
    rerank: RerankSettings = RerankSettings()
    chat: ChatSettings = ChatSettings()
    answer: AnswerSettings = AnswerSettings()
    agent: AgentSettings = AgentSettings()
    web: WebSettings = WebSettings()
    limits: LimitsSettings = LimitsSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    metrics: MetricsSettings = MetricsSettings()

    def rule(self, root: str) -> RootSettings:
        """What the file says about a root; a root that it does not name lets nothing out."""
        return next((rule for rule in self.rules if rule.path == root), RootSettings(path=root))

    def provider(self, name: str) -> ProviderSettings:
        """The provider of that name. Raises KeyError."""
        return {provider.name: provider for provider in self.providers}[name]
