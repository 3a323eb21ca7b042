"""Shapes of questions about symbols and the graph, and of their answers."""

from __future__ import annotations

from typing import TypedDict


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
