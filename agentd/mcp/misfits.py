"""Arguments that do not fit a tool, in words that let a model mend them. Pure."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection

    from agentd.mcp.arguments import Arguments

_UNKNOWN = re.compile(r"unknown field `(.*)`", re.DOTALL)
_COMPARED = 64
"""Characters of a name: the comparison is quadratic."""


def explained(problem: str, takes: type[Arguments], given: Collection[str]) -> str:
    """What msgspec found wrong with arguments; of an unknown one also which was meant, and what there is."""
    if not (unknown := _UNKNOWN.search(problem)):
        return problem
    fields = msgspec.structs.fields(takes)
    missing = [field.encode_name for field in fields if field.required and field.encode_name not in given]
    names = [field.encode_name for field in fields]
    meant = near(unknown[1], missing) or near(unknown[1], names) or missing
    hint = f"; did you mean {' or '.join(f'`{name}`' for name in meant)}?" if meant else "."
    return f"{problem}{hint} There are: {', '.join(names)}"


def near(name: str, known: list[str]) -> list[str]:
    """The one that looks most like ``name``, if any does."""
    return get_close_matches(name[:_COMPARED], known, n=1)
