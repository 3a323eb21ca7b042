"""Trees of names in one import, as Rust writes them: ``a::{self, b::C as D, e::*}`` (Reference, "Use declarations")."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_LEAVES = 1000
"""Names of one declaration that are kept."""

MAX_DEPTH = 32

_PART = re.compile(r"[{},]|[^{},]+")
_ALIAS = re.compile(r"\s+as\s+")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


class Leaf(NamedTuple):
    """One name of a tree: ``name`` of ``module``, called ``alias`` here; the module itself where ``name`` is ''."""

    module: str
    name: str
    alias: str
    wildcard: bool


def expand(tree: str) -> list[Leaf]:
    """The names of a tree.

    >>> [(leaf.module, leaf.name, leaf.alias) for leaf in expand("a::{self, b::C as D}")]
    [('a', '', ''), ('a::b', 'C', 'D')]
    """
    leaves: list[Leaf] = []
    prefixes = [""]
    path = ""
    for part in _PART.findall(_COMMENT.sub("", tree)):
        if part == "{":
            if len(prefixes) > MAX_DEPTH:
                break
            prefixes.append(prefixes[-1] + path)
            path = ""
        elif part in "},":
            if path:
                leaves.append(_leaf(prefixes[-1], path))
            path = ""
            if part == "}" and len(prefixes) > 1:
                prefixes.pop()
        else:
            path = part.strip()
        if len(leaves) >= MAX_LEAVES:
            break
    return leaves


def _leaf(prefix: str, text: str) -> Leaf:
    path, *alias = _ALIAS.split(prefix + text, maxsplit=1)
    module, _, name = path.rpartition("::")
    called = alias[0] if alias else ""
    if name == "*":
        return Leaf(module, "", "", wildcard=True)
    return Leaf(module, "" if name == "self" else name, called, wildcard=False)
