"""What parameters of several tools have in common. Descriptions are read by models, in every turn: they are short."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Query = Annotated[str, Meta(min_length=1, max_length=2000)]
Symbol = Annotated[str, Meta(min_length=1, max_length=1000)]
Path = Annotated[str, Meta(min_length=1, max_length=4096)]
Globs = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=1024)], ...],
    Meta(max_length=8, description="Only files whose path matches one of these globs, as in src/**/*.py"),
]
Languages = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...],
    Meta(max_length=20, description="Only these languages, as in python"),
]
KindOfFile = Annotated[Literal["code", "docs", "data"], Meta(description="Only files of this kind")] | None


class Arguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of a tool."""


class Selecting(Arguments, frozen=True, kw_only=True):
    """Parameters of a tool that looks at some files only."""

    paths: Globs = ()
    languages: Languages = ()
    kind: KindOfFile = None
