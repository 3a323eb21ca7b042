"""What the tools take. Names are those of the daemon's methods, so that what was given is passed on as it is; ``root``
and ``max_tokens`` are the server's own.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

DEFAULT_TOKENS = 4000
MOST_TOKENS = 20_000
"""Below what clients take of one answer: the common limits are 25,000 and more."""

Roots = Annotated[
    str, Meta(description='Another indexed folder by its absolute path, or "all"; by default the current project')
]
Tokens = Annotated[int, Meta(ge=100, le=MOST_TOKENS, description="About how many tokens the answer may have")]
Path = Annotated[str, Meta(min_length=1, max_length=4096, description="A file: absolute, or relative to the project")]
Query = Annotated[str, Meta(min_length=1, max_length=10_000)]
Symbol = Annotated[
    str,
    Meta(min_length=1, max_length=5000, description="A name (`get`, `Session.get`), `PATH:NAME` or `PATH:LINE`"),
]
Globs = Annotated[
    list[str], Meta(max_length=100, description="Only files that match one of these globs, relative to the root")
]
Languages = Annotated[list[str], Meta(max_length=100, description="Only these languages, such as python, typescript")]
Kind = Annotated[Literal["code", "docs", "data"], Meta(description="Only files of this kind")]
SymbolKind = Literal[
    "module", "class", "struct", "enum", "interface", "trait", "type", "function", "method", "macro", "constant",
    "variable", "field",
]  # fmt: skip


class Arguments(Struct, kw_only=True, forbid_unknown_fields=True):
    """What every tool takes."""

    max_tokens: Tokens = DEFAULT_TOKENS


class Scoped(Arguments, kw_only=True):
    """What every tool takes that looks into roots."""

    root: Roots | UnsetType = UNSET


class Selection(Scoped, kw_only=True):
    """What both searches take."""

    limit: Annotated[int, Meta(ge=1, le=100, description="Passages at most")] = 10
    paths: Globs | UnsetType = UNSET
    languages: Languages | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET


class Search(Selection, kw_only=True):
    """Of search."""

    query: Annotated[Query, Meta(description="Words, names or a question in plain language")]


class MultiSearch(Selection, kw_only=True):
    """Of multi_search."""

    queries: Annotated[
        list[Query], Meta(min_length=1, max_length=8, description="1 to 8 wordings; the first counts double")
    ]


class ReadSpan(Scoped, kw_only=True):
    """Of read_span."""

    path: Path
    start_line: Annotated[int, Meta(ge=1, le=2**31, description="First line, from 1")] = 1
    end_line: (
        Annotated[int, Meta(ge=1, le=2**31, description="Last line, included; by default to the end")] | UnsetType
    ) = UNSET


class ListFiles(Scoped, kw_only=True):
    """Of list_files."""

    paths: Globs | UnsetType = UNSET
    languages: Languages | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    skipped: Annotated[
        bool, Meta(description="The files that cannot be searched, with the reason, in place of those that can")
    ] = False
    limit: Annotated[int, Meta(ge=1, le=1000, description="Files at most")] = 200
    after: Annotated[str, Meta(description="`next` of the page before")] | UnsetType = UNSET


class FindSymbol(Scoped, kw_only=True):
    """Of find_symbol."""

    name: Annotated[
        str, Meta(min_length=1, max_length=5000, description="`get`, or qualified to any degree: `Session.get`")
    ]
    kinds: (
        Annotated[list[SymbolKind], Meta(max_length=100, description="Only definitions of these kinds")] | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=1000, description="Definitions at most")] = 20


class Related(Scoped, kw_only=True):
    """Of related."""

    path: Path
    line: Annotated[int, Meta(ge=1, le=2**31, description="A line of it, from 1")]
    limit: Annotated[int, Meta(ge=1, le=100, description="Entries of each group at most")] = 10


class Calls(Scoped, kw_only=True):
    """Of callers and callees."""

    symbol: Symbol
    depth: Annotated[int, Meta(ge=1, le=5, description="2 adds the callers of the callers, and so on")] = 1
    limit: Annotated[int, Meta(ge=1, le=1000, description="Entries at most")] = 50


class CallChain(Scoped, kw_only=True):
    """Of call_chain."""

    source: Annotated[Symbol, Meta(description="Where the way begins: a name, `PATH:NAME` or `PATH:LINE`")]
    target: Annotated[Symbol, Meta(description="Where it leads to, likewise")]
    max_depth: Annotated[int, Meta(ge=1, le=20, description="Calls of a way at most")] = 8
    limit: Annotated[int, Meta(ge=1, le=50, description="Ways at most")] = 3


class Imports(Scoped, kw_only=True):
    """Of dependencies and dependents: either ``path`` or ``symbol``."""

    path: Path | UnsetType = UNSET
    symbol: Annotated[Symbol, Meta(description="In place of a path: the files that define this")] | UnsetType = UNSET
    transitive: Annotated[bool, Meta(description="Follow imports to the end")] = False
    limit: Annotated[int, Meta(ge=1, le=1000, description="Entries at most")] = 100


class Complexity(Scoped, kw_only=True):
    """Of complexity."""

    path: Annotated[str, Meta(max_length=4096, description="A file or folder; by default the whole project")] = "."
    threshold: Annotated[int, Meta(ge=1, le=100_000, description="Only functions with at least so many paths")] = 1
    limit: Annotated[int, Meta(ge=1, le=1000, description="Functions at most")] = 20


class Ask(Scoped, kw_only=True):
    """Of ask."""

    question: Annotated[Query, Meta(description="In plain language")]
    web: Annotated[bool, Meta(description="Search the web too, where the configuration allows it")] = False


class Agent(Scoped, kw_only=True):
    """Of agent."""

    task: Annotated[Query, Meta(description="What to find out, in plain language")]
    web: Annotated[bool, Meta(description="Allow the tools that use the web, where the configuration does")] = False
    max_seconds: Annotated[float, Meta(gt=0, le=3600, description="End after so long, with what is known by then")] = (
        300.0
    )


class Status(Arguments, kw_only=True):
    """Of status."""

    wait_seconds: Annotated[
        float, Meta(ge=0, le=600, description="Wait for the index to be current, at most so long")
    ] = 0.0
