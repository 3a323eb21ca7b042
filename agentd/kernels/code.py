"""Code along its definitions, by tree-sitter.

Visiting every node from Python would take longer than parsing, so a node is opened only where it does not fit into a
chunk; what fits costs a look at its type and name.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tree_sitter import Parser

from agentd.kernels.chunks import Block, Source, Trail
from agentd.kernels.grammars import BODIES, GRAMMARS, LEADS, load
from agentd.kernels.naming import define, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node, Tree

PARSE_SECONDS = 2.0
"""CPU time for one parse: error recovery can be slower than linear. A file over this bound is cut by lines instead."""

SLICE = 64 * 1024
"""Bytes handed to the parser at a time: what is larger is read through a callback, which alone can be interrupted."""

MAX_DEPTH = 64
"""Nested nodes that are opened; below, generated or hostile, lines are cut by indentation."""

MAX_OPENED = 64
"""Nodes whose children are laid beside those of one above, for the same reason."""

MAX_CHILDREN = 20_000
"""Children of a node that is opened; one with more is a table of data, or what an error made of a file."""


class Scope(NamedTuple):
    """Where a node stands: the heads of the definitions around it, and the qualified name of the innermost."""

    trail: Trail = ()
    symbol: str = ""


class Code(NamedTuple):
    """A parsed file. ``notes`` hold ``syntax_errors`` or ``parse_timeout``."""

    block: Block
    notes: list[str]


def code(source: Source, language: str, chunk_chars: int) -> Code:
    """Describe a file in one of ``GRAMMARS``' languages; one that cannot be parsed in time is a block of lines."""
    data = source.text.encode()
    tree = _parse(language, data)
    whole = Block(0, len(source.lines))
    if tree is None:
        return Code(whole, ["parse_timeout"])
    splitter = _Splitter(source, language, data, chunk_chars)
    block = whole._replace(parts=partial(splitter.parts, tree.root_node, Scope(), 0))
    notes = ["syntax_errors"] if tree.root_node.has_error else []
    return Code(_named_whole(block, splitter, tree, source, chunk_chars), notes)


def _named_whole(block: Block, splitter: _Splitter, tree: Tree, source: Source, chunk_chars: int) -> Block:
    """A file that fits into one chunk still takes the name of its first definition."""
    if source.size(block.start, block.end) > chunk_chars:
        return block
    parts = splitter.parts(tree.root_node, Scope(), 0)
    first = next((part for part in parts if part.defines), None)
    return block if first is None else block._replace(symbol=first.symbol, defines=True)


def _parse(language: str, data: bytes) -> Tree | None:
    parser = Parser(load(language))
    if len(data) <= SLICE:
        return parser.parse(data)
    deadline = time.thread_time() + PARSE_SECONDS
    try:
        return parser.parse(
            lambda offset, _point: data[offset : offset + SLICE],
            progress_callback=lambda _offset, _error: time.thread_time() > deadline,
        )
    except ValueError:  # "Parsing failed": the callback said stop
        return None


class _Splitter:
    """Takes the nodes of one tree apart into blocks of whole lines."""

    def __init__(self, source: Source, language: str, data: bytes, limit: int) -> None:
        self.source = source
        self.grammar = GRAMMARS[language]
        self.naming = self.grammar.definitions.keys() | self.grammar.bound.keys() | self.grammar.wrappers
        self.data = data
        self.limit = limit

    def parts(self, node: Node, scope: Scope, depth: int) -> list[Block]:
        """The children of ``node`` as blocks; one that begins on a line already taken is opened or joined to it."""
        if node.child_count > MAX_CHILDREN:
            return []
        wraps = node.type in self.grammar.wrappers
        wrapped = {inner.id for inner in unwrap(self.grammar, node)[1:]} if wraps else ()
        blocks = _Lines()
        stack = node.children[::-1]
        opened = 0
        while stack:
            child = stack.pop()
            start, end = _rows(child)
            taken = start < blocks.end
            opens = self._large(max(start, blocks.end), end) and 0 < child.child_count <= MAX_CHILDREN
            if opens and opened < MAX_OPENED and (taken or child.type in BODIES or child.id in wrapped):
                opened += 1
                stack += child.children[::-1]
            elif taken:
                blocks.extend(end)
            elif child.type in LEADS:
                blocks.lead(start, end)
            else:
                blocks.add(self._block(child, start, end, scope, depth), self._large)
        return blocks.finish(scope)

    def _large(self, start: int, end: int) -> bool:
        return start < end and self.source.size(start, min(end, len(self.source.lines))) > self.limit

    def _block(self, node: Node, start: int, end: int, scope: Scope, depth: int) -> Block:
        found = define(self.grammar, node, self.data) if node.type in self.naming else None
        parts: Callable[[], list[Block]] | None = None
        inner = scope
        if found is not None:
            symbol = f"{scope.symbol}.{found.name}" if scope.symbol else found.name
            inner = Scope((*scope.trail, found.label), symbol)
        if depth < MAX_DEPTH and self._large(start, end):
            parts = partial(self.parts if found is None else self._opened, node, inner, depth + 1)
        return Block(start, end, inner.trail, inner.symbol, found is not None, parts)

    def _opened(self, node: Node, scope: Scope, depth: int) -> list[Block]:
        """A definition's parts: the first is its head."""
        blocks = self.parts(node, scope, depth)
        blocks[:1] = [head._replace(trail=scope.trail, symbol=scope.symbol, defines=True) for head in blocks[:1]]
        return blocks


class _Lines:
    """Blocks in the making. ``end`` is the first line that none has taken."""

    def __init__(self) -> None:
        self.end = 0
        self._blocks: list[Block] = []
        self._lead: tuple[int, int] | None = None

    def lead(self, start: int, end: int) -> None:
        """A comment or decorator on lines of its own: it waits for what follows right below."""
        if self._lead is not None and self._lead[1] == start:
            start = self._lead[0]
        else:
            self._release()
        self._lead = (start, end)
        self.end = end

    def add(self, block: Block, large: Callable[[int, int], bool]) -> None:
        """A block; comments right above join it unless they make it too large."""
        if self._lead is not None and self._lead[1] == block.start:
            start = self._lead[0]
            if block.parts is not None or not large(start, block.end):
                block = block._replace(start=start)
                self._lead = None
        self._release()
        self._blocks.append(block)
        self.end = block.end

    def extend(self, end: int) -> None:
        """What shares a line with the last block belongs to it."""
        if end <= self.end:
            return
        self.end = end
        if self._lead is not None:
            self._lead = (self._lead[0], end)
        elif self._blocks:
            self._blocks[-1] = self._blocks[-1]._replace(end=end)

    def finish(self, scope: Scope) -> list[Block]:
        """The blocks; those that define nothing belong to ``scope``."""
        self._release()
        return [
            block if block.trail else block._replace(trail=scope.trail, symbol=scope.symbol) for block in self._blocks
        ]

    def _release(self) -> None:
        if self._lead is not None:
            self._blocks.append(Block(*self._lead))
            self._lead = None


def _rows(node: Node) -> tuple[int, int]:
    """Lines of a node, from 0, half open; some nodes end with their newline, in column 0 of the next line."""
    start, (row, column) = node.start_point[0], node.end_point
    return start, row if column == 0 and row > start else row + 1
