"""The wire: JSON-RPC 2.0, one JSON message a line, on a Unix stream socket (docs/protocol.md is the reference).

Standard library only and next to no imports, because ``agentctl`` pays for each of them at every start. The shapes
below are what clients and server agree on; they exist for the type checker alone.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class SearchOptions(TypedDict, total=False):
        """What ``search`` takes beside ``query``, and ``multi_search`` beside ``queries``; what is left out is the
        daemon's to choose.

        ``roots`` are absolute paths (none given: all), ``paths`` globs relative to a root.
        """

        limit: int
        mode: Literal["keyword", "vector", "fusion", "full"]
        roots: list[str]
        paths: list[str]
        languages: list[str]
        kind: Literal["code", "docs", "data"]
        min_score: float
        rerank: bool
        max_per_file: int
        max_tokens: int
        merge: bool
        signatures: bool
        explain: bool
        deadline_ms: int

    class ListOptions(TypedDict, total=False):
        """What ``list_files`` takes. ``skipped`` gives the files that are not searchable in place of those that are;
        ``after`` is the ``next`` of the page before.
        """

        roots: list[str]
        paths: list[str]
        languages: list[str]
        kind: Literal["code", "docs", "data"]
        skipped: bool
        limit: int
        after: str

    class RootInfo(TypedDict):
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
        watched: bool
        scanned_at: float | None

    class Why(TypedDict):
        """A retriever's part in a hit: its rank in that list from 1, or None where the list did not hold it. In mode
        ``full`` also the hit's ``features`` by name; what each weighs stands in the result's ``explanation``.
        """

        keyword_rank: int | None
        keyword_score: float | None
        vector_rank: int | None
        vector_score: float | None
        features: dict[str, float]

    class Explanation(TypedDict):
        """What was made of a query: its type, the names and paths in it, what each feature of a hit weighs, and the
        evidence that the relevance was taken from.
        """

        query_type: str
        names: list[str]
        paths: list[str]
        weights: dict[str, float]
        evidence: dict[str, float]

    class FoundBy(TypedDict):
        """Which of the queries of ``multi_search``, from 0, found a hit, and at which rank from 1."""

        query: int
        rank: int

    class Hit(TypedDict):
        """One passage. ``path`` is absolute; lines count from 1, both ends included.

        ``symbols`` are those of the neighbours that were merged into it; ``cut`` is true where ``max_tokens`` cut it
        short; ``queries`` says which of several queries found it.
        """

        path: str
        root: str
        start_line: int
        end_line: int
        language: str
        kind: str
        symbol: str
        context: str
        score: float
        text: str
        stale: bool
        confidence: NotRequired[Literal["high", "low"]]
        why: NotRequired[Why]
        symbols: NotRequired[list[str]]
        cut: NotRequired[bool]
        queries: NotRequired[list[FoundBy]]

    class Totals(TypedDict):
        """Hits, files and estimated tokens before ``max_tokens``, and how many hits were left out or cut, by reason:
        ``max_per_file``, ``max_tokens``, ``shortened``.
        """

        hits: int
        files: int
        tokens: int
        cut: dict[str, int]

    class SearchResult(TypedDict):
        """``complete`` is false while part of the index or of the query was not ready; ``degraded``, ``skipped`` and
        ``cut`` say what, in words. ``relevance`` (0 to 1) says how likely it is that anything found answers the query,
        None where that cannot be said: in other modes than ``full``, and while not all of the index could be searched.
        """

        hits: list[Hit]
        total: int
        generation: int
        complete: bool
        degraded: list[str]
        skipped: list[str]
        cut: list[str]
        totals: Totals
        relevance: float | None
        explanation: NotRequired[Explanation]
        took_ms: float

    class Span(TypedDict):
        """Lines of a file, as they are on disk now."""

        path: str
        root: str
        start_line: int
        end_line: int
        total_lines: int
        text: str
        cut: bool

    class FileInfo(TypedDict):
        """A file that the index knows. ``skip`` is the reason why it is not searchable, or None."""

        path: str
        root: str
        language: str
        kind: str
        size: int
        chunks: int
        skip: str | None

    class FileList(TypedDict):
        """Files in the order of their paths; ``next`` goes into ``after`` for the next page, None at the end."""

        files: list[FileInfo]
        total: int
        next: str | None

    class Answer(TypedDict):
        """What belongs to every answer about symbols and the graph: ``total`` is how many there are beyond the limit,
        ``complete`` is false where some may be missing; ``degraded``, ``skipped`` and ``cut`` say why, in words.
        """

        total: int
        generation: int
        complete: bool
        degraded: list[str]
        skipped: list[str]
        cut: list[str]
        took_ms: float

    class SymbolInfo(TypedDict):
        """A definition. ``name`` is qualified within its file; ``id`` is good for this answer, None for a file as a
        whole, whose ``kind`` is ``file``; ``stale`` says that the file changed since it was indexed.
        """

        id: int | None
        name: str
        kind: str
        path: str
        root: str
        start_line: int
        end_line: int
        signature: str
        stale: bool

    class SymbolList(Answer):
        """Answer to ``find_symbol``; ``nearest`` are names that exist, where none of this name does."""

        symbols: list[SymbolInfo]
        nearest: list[str]

    class Call(SymbolInfo):
        """A caller or callee of the symbol with the id ``of``, ``depth`` calls away from what was asked about.

        ``line`` is where the call stands, in the file of whoever calls. ``certainty``: ``exact``, ``import``,
        ``unique_name``, ``name``.
        """

        line: int
        certainty: str
        of: int
        depth: int

    class Calls(Answer):
        """Answer to ``graph.callers`` and ``graph.callees``; ``symbols`` is what was asked about."""

        symbols: list[SymbolInfo]
        entries: list[Call]

    class ChainStep(SymbolInfo):
        """A symbol on the way. ``edge`` says how the step before leads to it: it ``calls`` it, in ``line``, or this one
        overrides it (``inherits``). All three are None for the first.
        """

        edge: str | None
        line: int | None
        certainty: str | None

    class Chains(Answer):
        """Answer to ``graph.call_chain``: the shortest ways first, each from a source to a target."""

        sources: list[SymbolInfo]
        targets: list[SymbolInfo]
        chains: list[list[ChainStep]]

    class ImportEntry(TypedDict):
        """A file that ``of`` imports, or that imports ``of``; ``line`` is where the import stands."""

        path: str
        root: str
        name: str
        line: int
        certainty: str
        of: str
        depth: int
        stale: bool

    class Imports(Answer):
        """Answer to ``graph.dependencies`` and ``graph.dependents``. ``cycles`` are files that import each other."""

        files: list[str]
        entries: list[ImportEntry]
        cycles: list[list[str]]

    class FunctionFigures(TypedDict):
        """A function and its figures; ``complexity`` counts independent paths, ``lines`` those with code."""

        name: str
        kind: str
        path: str
        root: str
        start_line: int
        end_line: int
        complexity: int
        lines: int
        parameters: int
        tokens: int

    class Complexity(Answer):
        """Answer to ``graph.complexity``: the most complex functions first; ``files`` and ``functions`` were measured,
        ``unmeasured`` counts the other files by reason.
        """

        path: str
        entries: list[FunctionFigures]
        files: int
        functions: int
        unmeasured: dict[str, int]

    class Near(TypedDict):
        """A passage near in meaning."""

        path: str
        root: str
        start_line: int
        end_line: int
        symbol: str
        score: float
        stale: bool

    class Related(Answer):
        """Answer to ``related``: the innermost definition around the line, and what belongs to it."""

        path: str
        line: int
        symbol: SymbolInfo | None
        container: SymbolInfo | None
        siblings: list[SymbolInfo]
        members: list[SymbolInfo]
        callers: list[Call]
        callees: list[Call]
        bases: list[SymbolInfo]
        derived: list[SymbolInfo]
        tests: list[Call]
        similar: list[Near]

    class SymbolOptions(TypedDict, total=False):
        """What ``find_symbol`` takes beside ``name``."""

        roots: list[str]
        kinds: list[str]
        limit: int

    class CallOptions(TypedDict, total=False):
        """What ``graph.callers`` and ``graph.callees`` take beside ``symbol``."""

        roots: list[str]
        depth: int
        limit: int

    class ChainOptions(TypedDict, total=False):
        """What ``graph.call_chain`` takes beside ``source`` and ``target``."""

        roots: list[str]
        max_depth: int
        limit: int

    class ImportOptions(TypedDict, total=False):
        """What ``graph.dependencies`` and ``graph.dependents`` take: either ``path`` or ``symbol``, and the others."""

        path: str
        symbol: str
        roots: list[str]
        transitive: bool
        depth: int
        limit: int

    class ComplexityOptions(TypedDict, total=False):
        """What ``graph.complexity`` takes beside ``path``."""

        threshold: int
        limit: int

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
        degraded: list[str]
        disk_bytes: dict[str, int]

    class Hello(TypedDict):
        """Versions. Every field may be missing, for ever."""

        name: str
        version: str
        protocol: int
        pid: int
        methods: list[str]

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

    class Event(TypedDict):
        """``params`` of a notification: the request that it belongs to, and what happened.

        ``progress``, which ``index.wait {events: true}`` streams, carries a ``status``.
        """

        id: int | str
        event: str
        status: NotRequired[IndexStatus]

    class ErrorData(TypedDict):
        """``error.data``: the stable name, and what belongs to it."""

        kind: str


PROTOCOL_VERSION = 1

METHODS = (
    "hello",
    "search",
    "multi_search",
    "read_span",
    "list_files",
    "find_symbol",
    "related",
    "graph.callers",
    "graph.callees",
    "graph.call_chain",
    "graph.dependencies",
    "graph.dependents",
    "graph.complexity",
    "roots.add",
    "roots.remove",
    "roots.list",
    "index.status",
    "index.wait",
    "index.reindex",
    "index.events",
    "stats",
    "health",
    "cancel",
)

EVENT = "event"
"""Method of the notifications that a long call streams; ``params.id`` is the id of the request."""
