"""Shapes of roots and of the index, and of what belongs to every message."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class InspectOptions(TypedDict, total=False):
    """What ``index.inspect`` takes beside ``paths``: ``sample`` files by chance, of ``roots`` (none given: of all), and
    whether a passage of each is wanted.
    """

    sample: int
    roots: list[str]
    passages: bool


class Coverage(TypedDict):
    """How changes of a root are noticed. ``coverage`` is the percentage of its directories that are watched; the others
    are polled. ``watched`` where all are.
    """

    watched: bool
    directories: int
    watched_directories: int
    polled_directories: int
    coverage: float
    filesystem: str


class RootInfo(Coverage):
    """A root and how far its index is. ``state``: ``scanning``, ``indexing``, ``embedding``, ``current``,
    ``missing``.
    """

    path: str
    origin: str
    state: str
    documents: int
    pending: int
    chunks: int
    vectors: int
    vectors_pending: int
    skipped: dict[str, int]
    scanned_at: float | None


class LimitInfo(TypedDict):
    """What is used of a budget, and the most (for ``free_disk`` the least) that there may be: bytes, for
    ``descriptors`` and ``watches`` a number. ``state``: ``ok``, ``shrinking`` (gives way), ``paused`` (indexing waits).
    """

    used: int
    limit: int
    state: str


class SpaceInfo(TypedDict):
    """A model of the embedding chains, which stand in their order. ``space`` is null until it has answered once;
    ``vectors`` are those that it has now, ``pending`` passages that wait for one. ``state``: ``ok``, ``untried``,
    ``waiting`` (tried again by itself), ``refused`` (a person must change something); ``reason`` says why.
    """

    space: str | None
    provider: str
    position: int
    vectors: int
    pending: int
    state: str
    reason: str


class ProviderInfo(TypedDict):
    """A server of the configuration. ``purposes`` are ``embeddings`` and ``chat``; ``state`` and ``reason``, as in a
    ``SpaceInfo``, are those of the worse. ``last_failure`` may be over. ``counts``, since the start, are requests,
    retries, failures, tokens and texts that were truncated.
    """

    name: str
    kind: str
    purposes: list[str]
    state: str
    reason: str
    last_failure: str
    last_failure_at: float | None
    counts: dict[str, int]


class IndexStatus(TypedDict):
    """How far the index is, over all roots. Rates per second, ``eta_seconds`` None when unknown; ``graph_pending``
    files are to be linked to others.
    """

    state: str
    generation: int
    keyword_generation: int
    vector_generation: int
    graph_pending: int
    roots: list[RootInfo]
    documents: int
    pending: int
    chunks: int
    vectors: int
    vectors_pending: int
    skipped: dict[str, int]
    files_per_second: float
    vectors_per_second: float
    eta_seconds: float | None
    space: str | None
    spaces: NotRequired[list[SpaceInfo]]
    providers: NotRequired[list[ProviderInfo]]
    degraded: list[str]
    notices: NotRequired[list[str]]
    disk_bytes: dict[str, int]
    limits: dict[str, LimitInfo]


class RootList(TypedDict):
    """Answer to ``roots.list``."""

    roots: list[RootInfo]


class Removed(TypedDict):
    """Answer to ``roots.remove {path}``."""

    removed: str
    documents: int


class Reindexed(TypedDict):
    """Answer to ``index.reindex {path?}``: how many files are read again."""

    scheduled: int


class Passage(TypedDict):
    """One passage of a file, by chance. ``embedded`` is false where a file of its kind gets no vectors."""

    start_line: int
    end_line: int
    text: str
    embedded: bool


class InspectedFile(TypedDict):
    """A file as the index has it. ``state``: ``indexed``, ``pending``, ``skipped``; for one that it does not have
    ``ignored``, or ``missing`` where it should be there. ``modified_ns`` is since the epoch.
    """

    path: str
    root: str
    state: str
    skip: str | None
    size: int
    modified_ns: int
    passage: Passage | None


class Inspected(TypedDict):
    """Answer to ``index.inspect {paths?, roots?, sample?, passages?}``."""

    files: list[InspectedFile]


class Greeting(TypedDict, total=False):
    """Who calls, and the protocol that it speaks."""

    client: str
    version: str
    protocol: int


class Hello(TypedDict):
    """Versions. Every field may be missing, for ever."""

    name: str
    version: str
    protocol: int
    pid: int
    methods: list[str]


class Event(TypedDict):
    """``params`` of a notification: the request that it belongs to, and what happened.

    ``progress``, which ``index.wait {events: true}`` streams, carries a ``status``. Of those that ``ask`` streams,
    ``source`` carries the ``name`` of one and its ``status`` (a ``SourceStatus``), ``chunk`` the next ``text`` of the
    answer, and ``discarded`` the ``reason`` why all text so far is void.
    """

    id: int | str
    event: str
    status: NotRequired[IndexStatus]
    name: NotRequired[str]
    text: NotRequired[str]
    reason: NotRequired[str]


class ErrorData(TypedDict):
    """``error.data``: the stable name, and what belongs to it."""

    kind: str
