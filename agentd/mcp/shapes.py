"""What the tools give: the daemon's answers, without what a language model has no use for.

Each has ``notes``: what is missing or was left out, in words. Paths are absolute, lines count from 1, both ends
included.
"""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

Notes = Annotated[list[str], Meta(description="What is missing, doubtful or was left out, in words")]
Total = Annotated[int, Meta(description="How many there are, beyond those that are shown")]
Certainty = Annotated[
    str, Meta(description="How it was resolved, the surest first: exact, import, unique_name, name (by the name alone)")
]
Stale = Annotated[bool, Meta(description="The file has changed since it was indexed")]


class Found(TypedDict):
    """A passage."""

    path: str
    start_line: int
    end_line: int
    text: str
    score: float
    symbol: NotRequired[str]
    stale: NotRequired[Stale]
    queries: NotRequired[Annotated[list[int], Meta(description="Which of several queries found it, from 0")]]


class Passages(TypedDict):
    """What search and multi_search give."""

    hits: list[Found]
    total: Total
    relevance: Annotated[float | None, Meta(description="How likely it is that anything found answers, 0 to 1")]
    notes: Notes


class Lines(TypedDict):
    """What read_span gives."""

    path: str
    start_line: int
    end_line: int
    total_lines: int
    text: str
    notes: Notes


class File(TypedDict):
    """A file of the index."""

    path: str
    language: str
    kind: str
    size: Annotated[int, Meta(description="Bytes")]
    skip: NotRequired[Annotated[str, Meta(description="Why it cannot be searched")]]


class Files(TypedDict):
    """What list_files gives."""

    files: list[File]
    total: Total
    next: NotRequired[Annotated[str, Meta(description="Goes into `after` for the next page")]]
    notes: Notes


class Definition(TypedDict):
    """A definition."""

    name: str
    kind: str
    path: str
    start_line: int
    end_line: int
    signature: str
    stale: NotRequired[Stale]


class Definitions(TypedDict):
    """What find_symbol gives."""

    symbols: list[Definition]
    nearest: Annotated[list[str], Meta(description="Names that exist, where none of this name does")]
    total: Total
    notes: Notes


class CallSite(Definition):
    """Who calls, or what is called."""

    line: Annotated[int, Meta(description="Where the call stands, in the caller's file")]
    certainty: Certainty
    depth: int
    of: NotRequired[Annotated[str, Meta(description="The definition that this one calls, or that calls this one")]]


class Calls(TypedDict):
    """What callers and callees give."""

    symbols: Annotated[list[Definition], Meta(description="What was asked about")]
    entries: list[CallSite]
    total: Total
    notes: Notes


class Step(Definition):
    """A step of a chain of calls."""

    edge: NotRequired[Annotated[str, Meta(description="How the step before leads here: calls, inherits")]]
    line: NotRequired[int]
    certainty: NotRequired[Certainty]


class Chains(TypedDict):
    """What call_chain gives."""

    chains: list[list[Step]]
    total: Total
    notes: Notes


class Similar(TypedDict):
    """A passage near in meaning."""

    path: str
    start_line: int
    end_line: int
    symbol: str
    score: float


class Related(TypedDict):
    """What related gives."""

    path: str
    line: int
    symbol: Definition | None
    container: Definition | None
    callers: list[CallSite]
    callees: list[CallSite]
    tests: list[CallSite]
    bases: list[Definition]
    derived: list[Definition]
    members: list[Definition]
    siblings: list[Definition]
    similar: list[Similar]
    notes: Notes


class Import(TypedDict):
    """A file that is imported, or that imports."""

    path: str
    line: Annotated[int, Meta(description="Where the import stands")]
    of: str
    depth: int
    certainty: Certainty
    stale: NotRequired[Stale]


class Imports(TypedDict):
    """What dependencies and dependents give."""

    files: list[str]
    entries: list[Import]
    cycles: Annotated[list[list[str]], Meta(description="Files that import each other")]
    total: Total
    notes: Notes


class Figures(TypedDict):
    """How complex a function is."""

    name: str
    path: str
    start_line: int
    end_line: int
    complexity: Annotated[int, Meta(description="Independent paths (cyclomatic complexity)")]
    lines: Annotated[int, Meta(description="Lines with code")]
    parameters: int


class Complexity(TypedDict):
    """What complexity gives."""

    path: str
    entries: list[Figures]
    files: int
    functions: int
    total: Total
    notes: Notes


class Source(TypedDict):
    """What a number in an answer stands for: lines of a file, or of a page."""

    n: int
    path: NotRequired[str]
    url: NotRequired[str]
    start_line: int
    end_line: int
    supported: NotRequired[Annotated[bool, Meta(description="False where a sentence that cites it is not borne out")]]


class Answer(TypedDict):
    """What ask gives."""

    id: str
    answer: str
    mode: Annotated[str, Meta(description="generated by a model, or extractive: passages as they stand")]
    model: str
    citations: list[Source]
    notes: Notes


class Report(TypedDict):
    """What agent gives."""

    id: str
    answer: str
    mode: Annotated[
        str,
        Meta(description="generated by a model, extractive: passages as they stand, or nothing: there is no answer"),
    ]
    state: str
    model: str
    citations: list[Source]
    turns: int
    tool_calls: int
    notes: Notes


class RootState(TypedDict):
    """A folder that is indexed."""

    path: str
    state: Annotated[str, Meta(description="scanning, indexing, embedding, current or missing")]
    documents: int
    pending: Annotated[int, Meta(description="Files that are to be read")]
    passages: int
    embedding_pending: Annotated[int, Meta(description="Passages that search by meaning does not find yet")]


class Status(TypedDict):
    """What status gives."""

    state: str
    searched: Annotated[list[str], Meta(description="Folders that tools search unless told otherwise")]
    roots: list[RootState]
    notes: Notes
