"""Parameters of each method: their types, defaults and bounds. docs/protocol.md says what they mean."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from agentd.domain import Kind
from agentd.server.wire import RequestId

Milliseconds = Annotated[int, Meta(ge=1, le=86_400_000)]
AbsolutePath = Annotated[str, Meta(pattern=r"\A/[^\x00]*\Z", max_length=4096)]
Query = Annotated[str, Meta(min_length=1, max_length=10_000)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Glob = Annotated[str, Meta(min_length=1, max_length=1024)]
KeptId = Annotated[str, Meta(min_length=1, max_length=64)]
Line = Annotated[int, Meta(ge=1, le=2**31)]
Few = Meta(max_length=100)

LIGHT_GLOBS = 8
"""Globs that a search may have and still count as a light one."""


class Params(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every method takes. ``deadline_ms`` counts from the moment the line was read."""

    deadline_ms: Milliseconds | None = None

    @property
    def heavy(self) -> bool:
        """Whether these make a heavy request of one that is light otherwise."""
        return False


class HelloParams(Params, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Who calls. The one place where unknown fields pass, so that any client can greet any daemon, for ever."""

    client: str | None = None
    version: str | None = None
    protocol: int | None = None


class SelectionParams(Params, frozen=True, kw_only=True):
    """Where to search and how much to answer. None stands for the daemon's own; empty tuples restrict nothing."""

    limit: Annotated[int, Meta(ge=1, le=1000)] | None = None
    mode: Literal["keyword", "vector", "fusion", "full"] = "full"
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    paths: Annotated[tuple[Glob, ...], Few] = ()
    languages: Annotated[tuple[Word, ...], Few] = ()
    kind: Kind | None = None
    min_score: Annotated[float, Meta(ge=0, le=1000)] | None = None
    rerank: bool | None = None
    max_per_file: Annotated[int, Meta(ge=0, le=1000)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    merge: bool | None = None
    signatures: bool = False
    explain: bool = False

    @property
    def heavy(self) -> bool:
        """Each glob is made an automaton of: a hundred of them take as long as some twenty searches."""
        return len(self.paths) > LIGHT_GLOBS


class SearchParams(SelectionParams, frozen=True, kw_only=True):
    """One query."""

    query: Query


class MultiSearchParams(SelectionParams, frozen=True, kw_only=True):
    """Several queries, the first of which counts double."""

    queries: Annotated[tuple[Query, ...], Meta(min_length=1, max_length=8)]


class ReadSpanParams(Params, frozen=True, kw_only=True):
    """Lines from 1, both ends included; ``end_line`` None reads to the end of the file."""

    path: AbsolutePath
    start_line: Line = 1
    end_line: Line | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, which the decoder reports as a validation error, where the end lies before the start."""
        if self.end_line is not None and self.end_line < self.start_line:
            raise ValueError(f"Expected `end_line` >= `start_line` ({self.start_line}), found {self.end_line}")


class ListFilesParams(Params, frozen=True, kw_only=True):
    """``skipped`` asks for the files that are not searchable in place of those that are; ``after`` pages."""

    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    paths: Annotated[tuple[Glob, ...], Few] = ()
    languages: Annotated[tuple[Word, ...], Few] = ()
    kind: Kind | None = None
    skipped: bool = False
    after: Annotated[str, Meta(max_length=8192)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000


class RootParams(Params, frozen=True, kw_only=True):
    """The folder to add or to remove."""

    path: AbsolutePath


class WaitParams(Params, frozen=True, kw_only=True):
    """What to wait for, how long, and whether to hear of progress meanwhile."""

    for_: Literal["keyword", "vectors"] = field(default="vectors", name="for")
    timeout_ms: Milliseconds | None = None
    events: bool = False

    @property
    def limit_seconds(self) -> float | None:
        """The shorter of ``timeout_ms`` and ``deadline_ms``; None waits as long as it takes."""
        limits = [limit for limit in (self.timeout_ms, self.deadline_ms) if limit is not None]
        return min(limits) / 1000 if limits else None


class ReindexParams(Params, frozen=True, kw_only=True):
    """A file or folder to read again; None is everything."""

    path: AbsolutePath | None = None


class InspectParams(Params, frozen=True, kw_only=True):
    """Files by name, and ``sample`` by chance; with ``passages``, one of the passages of each."""

    paths: Annotated[tuple[AbsolutePath, ...], Meta(max_length=1000)] = ()
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    sample: Annotated[int, Meta(ge=0, le=1000)] = 0
    passages: bool = False


class KeptParams(Params, frozen=True, kw_only=True):
    """The answer or run that is meant."""

    id: KeptId


class PageParams(Params, frozen=True, kw_only=True):
    """A page of what is kept, the newest first; ``before`` pages."""

    before: KeptId | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 20


class CancelParams(Params, frozen=True, kw_only=True):
    """The request to end; ids are those of the same connection."""

    id: RequestId
