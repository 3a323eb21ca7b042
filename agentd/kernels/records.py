"""The nodes of a query's matches as the plain records of ``captures``.

Every look at a node from Python costs 100 ns, so each is asked once, for its byte range, and text is cut from the data.
"""

from __future__ import annotations

import re
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agentd.kernels.captures import Binding, Definition, Import, Use
from agentd.kernels.use_tree import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tree_sitter import Node

    Match = tuple[int, dict[str, list[Node]]]

DEFINITION = "definition."

MAX_NAME = 200
"""Bytes of a name; generated ones can be any length."""

MAX_TEXT = 200
"""Bytes of a receiver, a type or a module; a chain of calls is as long as the file, and each link of it is one."""

TOO_LONG = "..."

_QUOTES = "\"'`"
_UNTYPED = frozenset({"auto", "let", "val", "var"})
"""Words that stand in the place of a type and name none."""

_WORDS = re.compile(rb"[\w \t]*")
_PATH = re.compile(r"(.*)(?:::|->|[.\\])(.+)", re.DOTALL)
_ARGUMENTS = re.compile(r"\s*[<\[(].*", re.DOTALL)


def definitions(groups: Mapping[str, Sequence[Match]], data: bytes) -> list[Definition]:
    """Definitions in order, outer ones first; a name that several patterns found is one."""
    found: dict[int, Definition] = {}
    matches = [
        (index, role, captured) for role in groups if role.startswith(DEFINITION) for index, captured in groups[role]
    ]
    matches.sort(key=itemgetter(0))
    for _, role, captured in matches:
        new = _definition(role, captured, data)
        known = found.get(new.name_start)
        found[new.name_start] = new if known is None else _widest(known, new)
    ordered = sorted(found.values(), key=lambda found: (found.start, -found.end, found.name_start))
    return _extended(ordered, groups["extent"], data) if groups.get("extent") else ordered


def calls(matches: Iterable[Match], data: bytes) -> list[Use]:
    """Calls in order."""
    uses = []
    for _, captured in matches:
        if "path" in captured:
            node = captured["path"][0]
            begin, end = node.byte_range
            start = data.rindex(b".", begin, end) + 1
            name, before = data[start:end].decode().strip(), _cut(data, begin, start - 1)
        else:
            node = captured["name"][0]
            start, end = node.byte_range
            name, before = data[start:end].decode(), ""
            if "receiver" in captured:
                before = _text(captured["receiver"][0], data)
        if not before and not name.isidentifier():
            before, name = _split(name)
        uses.append(Use(name[:MAX_NAME], before, start, node.end_point[0]))
    uses.sort(key=attrgetter("start"))
    return uses


def bases(matches: Iterable[Match], data: bytes) -> list[Use]:
    """What is inherited from, in order; type arguments are no part of a name."""
    uses = []
    for _, captured in matches:
        node = captured["name"][0]
        before, name = _split(_ARGUMENTS.sub("", _text(node, data)))
        scope, receiver = captured.get("scope"), captured.get("receiver")
        before = _text(receiver[0], data) if receiver else before
        uses.append(Use(name, before, node.start_byte, node.start_point[0], _scope(scope[0], data) if scope else ""))
    uses.sort(key=attrgetter("start"))
    return uses


def imports(matches: Iterable[Match], data: bytes) -> list[Import]:
    """Imports in order, one for each name."""
    found: list[Import] = []
    for _, captured in matches:
        first = next(iter(captured.values()))[0]
        start, row = first.start_byte, first.start_point[0]
        texts = {key: _text(nodes[0], data, nodes[-1]) for key, nodes in captured.items()}
        module, name, alias = texts.get("module", ""), texts.get("name", ""), texts.get("alias", "")
        if "{" in module:
            tree = data[slice(*captured["module"][0].byte_range)].decode()
            found += [Import(*leaf, start, row) for leaf in expand(tree)]
            continue
        module = module.strip(_QUOTES)
        if texts.get("default"):
            name, alias = "default", texts["default"]
        found.append(Import(module, name, alias, "wildcard" in captured, start, row))
    found.sort(key=attrgetter("start"))
    return found


def bindings(matches: Iterable[Match], data: bytes) -> list[Binding]:
    """Bindings in order."""
    found = []
    for _, captured in matches:
        type_ = _text(captured["type"][0], data)
        if type_ not in _UNTYPED:
            start, end = captured["name"][0].byte_range
            found.append(Binding(_cut(data, start, end), type_, start))
    found.sort(key=attrgetter("start"))
    return found


def _definition(role: str, captured: Mapping[str, Sequence[Node]], data: bytes) -> Definition:
    node, named = captured[role][0], captured["name"][0]
    start, end = node.byte_range
    (start_row, column), (end_row, end_column) = node.start_point, node.end_point
    if end_column == 0 and end_row > start_row:  # it ends with its newline
        end_row, end = end_row - 1, start + len(data[start:end].rstrip())
    name_start, name_end = named.byte_range
    name, outer = _cut(data, name_start, name_end), _scope(captured["scope"][0], data) if "scope" in captured else ""
    if not name.isidentifier():
        name, outer = _defined(name, outer)
    if column:
        start = _head(data, start)
    body = captured["body"][0].start_byte if "body" in captured else -1
    kind = role.removeprefix(DEFINITION)
    return Definition(kind, name, outer, start, end, start_row, end_row, name_start, start, body)


def _defined(name: str, scope: str) -> tuple[str, str]:
    """A name and what it belongs to; a name of C++ or Lua may hold that itself: ``tools::Store::fetch``, ``M:size``."""
    name = name.strip(_QUOTES)
    if name.endswith(">") and not name.startswith("operator"):  # a specialisation: fetch<int>
        name = name.partition("<")[0]
    outer, _, last = name.replace("::", ".").replace(":", ".").rpartition(".")
    return (last[:MAX_NAME], f"{scope}.{outer}" if scope and outer else scope or outer) if last else (name, scope)


def _head(data: bytes, start: int) -> int:
    """Where the words begin that stand before a definition on its line: ``export default``, ``type``, ``typedef``."""
    line = data.rfind(b"\n", 0, start) + 1
    before = data[line:start]
    if not before or before.isspace() or not _WORDS.fullmatch(before):
        return start
    return start - len(before.lstrip())


def _widest(known: Definition, new: Definition) -> Definition:
    """The first pattern says what it is; the largest node is its span."""
    if known.start <= new.start and known.end >= new.end:
        return known
    return replace(
        known,
        start=min(known.start, new.start),
        end=max(known.end, new.end),
        start_row=min(known.start_row, new.start_row),
        end_row=max(known.end_row, new.end_row),
    )


def _extended(ordered: list[Definition], matches: Iterable[Match], data: bytes) -> list[Definition]:
    """Each extent goes to the outermost definition that begins in it and ends with it, but for a semicolon."""
    extents: dict[int, list[tuple[int, int]]] = {}
    for _, captured in matches:
        node = captured["extent"][0]
        start, end = node.byte_range
        extents.setdefault(_unterminated(data, end), []).append((start, node.start_point[0]))
    for waiting in extents.values():
        waiting.sort(reverse=True)
    for index, found in enumerate(ordered):
        around = extents.get(_unterminated(data, found.end), ())
        while around and around[-1][0] <= found.start:
            start, row = around.pop()
            if start < ordered[index].start:
                ordered[index] = replace(ordered[index], start=start, start_row=row)
    return ordered


def _unterminated(data: bytes, end: int) -> int:
    """``end`` without semicolons and blanks before it."""
    while end and data[end - 1] in b"; \t\r\n":
        end -= 1
    return end


def _scope(node: Node, data: bytes) -> str:
    """What a definition belongs to, with dots and without type arguments: ``Store<T>`` is ``Store``."""
    return _ARGUMENTS.sub("", _text(node, data)).replace("::", ".").lstrip("*& ")


def _split(name: str) -> tuple[str, str]:
    """The path before a name, and its last part."""
    match = _PATH.fullmatch(name)
    return (match[1].strip(), match[2].strip()) if match else ("", name)


def _text(node: Node, data: bytes, last: Node | None = None) -> str:
    """The text of a node, or from it to the ``last`` of several, in one line."""
    start, end = node.byte_range
    if last is not None and last is not node:
        end = last.end_byte
    return _cut(data, start, end)


def _cut(data: bytes, start: int, end: int) -> str:
    """A piece of the text in one line, unless it is too long."""
    if end - start > MAX_TEXT:
        return TOO_LONG
    text = data[start:end].decode()
    return text if text.isidentifier() else " ".join(text.split())
