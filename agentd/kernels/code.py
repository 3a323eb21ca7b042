"""Code along its definitions: what tree-sitter and a language's query find in a file, and the chunks that follow it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace
from tree_sitter import Parser

from agentd.kernels.captures import Captures
from agentd.kernels.chunks import Block, Source, Trail, split
from agentd.kernels.comments import first_sentence
from agentd.kernels.grammars import load
from agentd.kernels.naming import annotate, label
from agentd.kernels.query import capture
from agentd.kernels.symbols import VALUES, symbols

if TYPE_CHECKING:
    from tree_sitter import Tree

    from agentd.domain import Chunk, Symbol

PARSE_SECONDS = 2.0
"""CPU time for one parse: error recovery can be slower than linear. A file over this bound is cut by lines instead."""

SLICE = 64 * 1024
"""Bytes handed to the parser at a time."""

UNWATCHED = 4096
"""Bytes up to which a parse is not watched. Larger ones are read through a callback, which alone can be interrupted,
for 1 to 2 % more time: error recovery can be quadratic, and 20 kB of ``/** `` took Go's grammar minutes.
"""

SMALL_VALUE = 4
"""A constant or field stands alone in a chunk from this part of its size on; below, it belongs to what is around it."""

MAX_ABOUT = 160
"""Characters of the doc that the later pieces of a definition carry in their context."""

NOTHING = Captures([], [], [], [], [])

_CLOSED = frozenset({"}", ")", "]", "})", "end"})
_CLOSING = (")", "]", "}", "else", "elif", "except", "finally", "catch", "rescue", "end", "fi", "done", "esac")


class Code(NamedTuple):
    """A parsed file. ``data`` is its text in UTF-8, which all bytes are of; ``notes`` hold ``syntax_errors``,
    ``parse_timeout`` and what was cut.
    """

    data: bytes
    captures: Captures
    symbols: list[Symbol]
    notes: list[str]


def read_code(source: Source, language: str) -> Code:
    """Parse a file in one of ``GRAMMARS``' languages; one that cannot be parsed in time has no symbols."""
    data = source.text.encode()
    tree = _parse(language, data)
    if tree is None:
        return Code(data, NOTHING, [], ["parse_timeout"])
    captures = capture(language, tree, data)
    notes = ["syntax_errors"] if tree.root_node.has_error else []
    return Code(data, captures, symbols(captures, data, language), [*notes, *captures.notes])


def chunk_code(source: Source, code: Code, chunk_chars: int) -> list[Chunk]:
    """Chunks that follow the definitions: a function whole where it fits, a class by its head and its members."""
    outline = _Outline(source, code, chunk_chars)
    return annotate(split(source, outline.whole(), chunk_chars, statement), source, code)


def statement(lines: list[str], line: int) -> tuple[int, ...]:
    """How good it is to begin a chunk of code with ``line``: shallow ones first, after a blank one if there is any."""
    text = lines[line]
    stripped = text.lstrip()
    begins = bool(stripped) and not stripped.startswith(_CLOSING)
    return begins, len(stripped) - len(text), not lines[line - 1].strip()


def _parse(language: str, data: bytes) -> Tree | None:
    parser = Parser(load(language))
    if len(data) <= UNWATCHED:
        return parser.parse(data)
    deadline = time.thread_time() + PARSE_SECONDS
    try:
        return parser.parse(
            lambda offset, _point: data[offset : offset + SLICE],
            progress_callback=lambda _offset, _error: time.thread_time() > deadline,
        )
    except ValueError:  # "Parsing failed": the callback said stop
        return None


class _Outline:
    """The definitions of a file as blocks of whole lines within blocks."""

    def __init__(self, source: Source, code: Code, limit: int) -> None:
        self._source = source
        self._code = code
        self._limit = limit
        self._children: dict[int, list[int]] = {}
        for ordinal, symbol in enumerate(code.symbols):
            if symbol.kind not in VALUES or self._size(ordinal) * SMALL_VALUE >= limit:
                self._children.setdefault(symbol.parent, []).append(ordinal)

    def whole(self) -> Block:
        """The file; one that fits into one chunk takes the name of its first definition."""
        end = len(self._source.lines)
        if self._children and self._source.size(0, end) <= self._limit:
            first = next((found for found in self._code.symbols if found.kind not in VALUES), None)
            return Block(0, end, (), first.qualified if first else "", defines=first is not None)
        return Block(0, end, parts=partial(self._parts, -1, Block(0, end)) if self._children else None)

    def _size(self, ordinal: int) -> int:
        symbol = self._code.symbols[ordinal]
        return self._source.size(symbol.start_line - 1, min(symbol.end_line, len(self._source.lines)))

    def _parts(self, ordinal: int, outer: Block) -> list[Block]:
        """What a definition holds, and the lines between: the first of all is its head."""
        blocks: list[Block] = []
        cursor = outer.start
        rest = replace(outer, parts=None, defines=False)
        for child in self._children.get(ordinal, ()):
            block = self._block(child, outer.trail)
            if block.end <= cursor:
                continue
            if block.start < cursor and self._source.size(cursor, block.end) <= self._limit:
                blocks[-1] = replace(blocks[-1], end=block.end)  # it begins on a line that is taken
            else:
                self._fill(blocks, replace(rest, start=cursor, end=block.start))
                blocks.append(block if block.start >= cursor else replace(block, start=cursor))
            cursor = block.end
        self._fill(blocks, replace(rest, start=cursor))
        if ordinal >= 0:
            blocks[0] = replace(blocks[0], trail=outer.trail, symbol=outer.symbol, defines=True, about="")
        return blocks

    def _fill(self, blocks: list[Block], rest: Block) -> None:
        """Add the lines between two definitions, unless they are blank; what closes a bracket belongs above."""
        lines = self._source.lines
        start, end = self._source.trim(rest.start, rest.end)
        closed = start
        while blocks and closed < end and lines[closed].strip(" \t\r;,") in _CLOSED:
            closed += 1
        if closed > start:
            blocks[-1] = replace(blocks[-1], end=closed)
            start, end = self._source.trim(closed, end)
        if start < end:
            blocks.append(replace(rest, start=start, end=end))

    def _block(self, ordinal: int, trail: Trail) -> Block:
        symbol, definition = self._code.symbols[ordinal], self._code.captures.definitions[ordinal]
        start, end = symbol.start_line - 1, min(symbol.end_line, len(self._source.lines))
        head = label(definition, self._code.data)
        inner = (*trail, head)
        if definition.scope and definition.scope.rpartition(".")[2] not in head:
            inner = (*trail, definition.scope, head)
        block = Block(start, end, inner, symbol.qualified, defines=True)
        if self._source.size(start, end) <= self._limit:
            return block
        block = replace(block, about=first_sentence(symbol.doc, MAX_ABOUT))
        return replace(block, parts=partial(self._parts, ordinal, block)) if ordinal in self._children else block
