"""Parameters of the methods about symbols and the graph; docs/protocol.md says what they mean."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from agentd.domain import SymbolKind
from agentd.server.params import AbsolutePath, Few, Line, Params

SymbolText = Annotated[str, Meta(min_length=1, max_length=5000)]
"""A name, qualified or not, ``PATH:NAME`` or ``PATH:LINE``: as long as the longest path and a name."""

Limit = Annotated[int, Meta(ge=1, le=1000)]
Depth = Annotated[int, Meta(ge=1, le=5)]


class FindSymbolParams(Params, frozen=True, kw_only=True):
    """Definitions by name. Empty tuples restrict nothing."""

    name: SymbolText
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    kinds: Annotated[tuple[SymbolKind, ...], Few] = ()
    limit: Limit = 20


class RelatedParams(Params, frozen=True, kw_only=True):
    """What belongs to a line of a file; ``limit`` bounds each group of the answer."""

    path: AbsolutePath
    line: Line
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class CallsParams(Params, frozen=True, kw_only=True):
    """Callers or callees; ``depth`` 1 are the direct ones."""

    symbol: SymbolText
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    depth: Depth = 1
    limit: Limit = 100


class ChainParams(Params, frozen=True, kw_only=True):
    """Ways from ``source`` to ``target``, of at most ``max_depth`` calls each."""

    source: SymbolText
    target: SymbolText
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    max_depth: Annotated[int, Meta(ge=1, le=20)] = 8
    limit: Annotated[int, Meta(ge=1, le=50)] = 5


class ImportsParams(Params, frozen=True, kw_only=True):
    """Dependencies or dependents of a file, or of the files that define a symbol."""

    path: AbsolutePath | None = None
    symbol: SymbolText | None = None
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    transitive: bool = False
    depth: Annotated[int, Meta(ge=1, le=50)] | None = None
    limit: Limit = 200

    def __post_init__(self) -> None:
        """Raise ValueError, which the decoder reports as a validation error, unless one of the two is given."""
        if (self.path is None) == (self.symbol is None):
            raise ValueError("Expected either `path` or `symbol`")

    @property
    def levels(self) -> int:
        """How far to follow imports: ``depth``, else to the end where ``transitive``, else the direct ones."""
        return self.depth or (50 if self.transitive else 1)


class ComplexityParams(Params, frozen=True, kw_only=True):
    """The functions of a file, or of all files below a folder, of at least ``threshold`` independent paths."""

    path: AbsolutePath
    threshold: Annotated[int, Meta(ge=1, le=100_000)] = 1
    limit: Limit = 20
