"""Runs a language's query once over a tree; ``records`` makes plain records of what it finds."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tree_sitter import Query, QueryCursor

from agentd.kernels.captures import Captures
from agentd.kernels.grammars import load
from agentd.kernels.records import bases, bindings, calls, definitions, imports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node, Tree

    from agentd.kernels.records import Match

MAX_PUNCTUATION = 20_000
"""Children without a name (punctuation, mostly) of one node: tree-sitter looks for the next named one from each, so it
takes quadratic time where none comes, as in a hundred thousand open brackets: 0.3 s at this bound, 40 s at ten times.
The binding's own way to stop a query (0.26) reads freed memory, so such trees are told beforehand.
"""

MAX_DEPTH = 64
"""Nodes within nodes that are looked at for that."""

MAX_STATES = 20_000
"""Matches in the making, at most; beyond it the oldest are given up, and the file is said to be cut."""

MAX_SYMBOLS = 10_000
"""Definitions of one file."""

MAX_USES = 20_000
"""Calls of one file, and as many bases, imports and bindings."""

FOLDER = Path(__file__).with_name("queries")

_INHERITS = re.compile(r"; inherits: (\w+)\n")
_COMMENT = re.compile(r"^\s*;.*$", re.MULTILINE)
_ROLE = re.compile(r"@(definition\.\w+|reference\.\w+|import|binding|extent)\b")
_SILENT = ("reference.call", "reference.inherits", "import", "binding")
"""Captures that tell what a pattern is about and whose nodes nobody needs: leaving them out is cheaper."""


class _Compiled(NamedTuple):
    """A query, and what each of its patterns is about."""

    query: Query
    roles: tuple[str, ...]


def capture(language: str, tree: Tree, data: bytes) -> Captures:
    """Definitions, uses, imports and bindings in ``tree``, which was parsed from ``data`` (UTF-8).

    What is over a bound is left out and named in ``notes``.
    """
    query, roles = _compiled(language)
    groups: dict[str, list[Match]] = {role: [] for role in roles}
    if _tangled(tree.root_node):
        return _captures(groups, data, cut=True)
    cursor = QueryCursor(query, match_limit=MAX_STATES)
    for match in cursor.matches(tree.root_node):
        groups[roles[match[0]]].append(match)
    return _captures(groups, data, cut=cursor.did_exceed_match_limit)


def query_text(language: str) -> str:
    """The query of a language, after that of the one it inherits from: ``; inherits: NAME`` in its first line."""
    text = (FOLDER / f"{language}.scm").read_text(encoding="utf-8")
    inherited = _INHERITS.match(text)
    return f"{query_text(inherited[1])}\n{text}" if inherited else text


@cache
def _compiled(language: str) -> _Compiled:
    text = query_text(language)
    query = Query(load(language), text)
    data = text.encode()
    roles = tuple(
        _role(data[query.start_byte_for_pattern(index) : query.end_byte_for_pattern(index)].decode())
        for index in range(query.pattern_count)
    )
    for name in set(_SILENT).intersection(roles):
        query.disable_capture(name)
    return _Compiled(query, roles)


def _role(pattern: str) -> str:
    """What a pattern is about.

    Raises:
        ValueError: it says nothing of that, or several things.
    """
    roles = set(_ROLE.findall(_COMMENT.sub("", pattern)))
    if len(roles) != 1:
        raise ValueError(
            f"expected one capture that says what a pattern is about, found {sorted(roles)} in:\n{pattern}"
        )
    return str(roles.pop())


def _tangled(root: Node) -> bool:
    """Whether a query would take quadratic time over the tree; see ``MAX_PUNCTUATION``."""
    cost = 0
    level = [root] if root.descendant_count > MAX_PUNCTUATION else []
    for _ in range(MAX_DEPTH):
        cost += sum((node.child_count - node.named_child_count) ** 2 for node in level)
        if not level or cost > MAX_PUNCTUATION**2:
            break
        level = [child for node in level for child in node.children if child.descendant_count > MAX_PUNCTUATION // 10]
    return cost > MAX_PUNCTUATION**2


def _captures(groups: Mapping[str, list[Match]], data: bytes, *, cut: bool) -> Captures:
    called, inherited = calls(groups.get("reference.call", ()), data), bases(groups.get("reference.inherits", ()), data)
    imported, bound = imports(groups.get("import", ()), data), bindings(groups.get("binding", ()), data)
    defined = definitions(groups, data)
    notes = []
    if cut or len(defined) > MAX_SYMBOLS:
        notes.append("symbols_cut")
    if cut or max(len(called), len(inherited), len(imported), len(bound)) > MAX_USES:
        notes.append("edges_cut")
    return Captures(
        defined[:MAX_SYMBOLS],
        called[:MAX_USES],
        inherited[:MAX_USES],
        imported[:MAX_USES],
        bound[:MAX_USES],
        tuple(notes),
    )
