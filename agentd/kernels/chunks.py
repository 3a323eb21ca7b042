r"""The shared splitter: a tree of line ranges in, chunks with exact byte and line spans out.

A parser describes a file as a :class:`Block`, a range of lines that may be taken apart into smaller ones. The splitter
keeps a block whole where it fits into ``chunk_chars``, merges small neighbours of the same parent, and takes apart what
is too large; what has no parts is cut at blank lines and shallow indentation. Chunks of line-based files are whole
lines, in order, disjoint, and hold every line that is not blank.

Lines end at ``\n`` alone, as git, grep and tree-sitter count them; a ``\r`` belongs to its line.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence  # Rank and Block are made when the module is loaded
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from agentd.domain import Chunk, embedding_text
from agentd.kernels.tokens import identifier_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_CHUNKS = 4000
"""Chunks of one file; the rest is cut and said to be (``chunks_cut``)."""

HARD_FACTOR = 2
"""No chunk is longer than this many times ``chunk_chars``; only a single line can come near it."""

SCRAP = 8
"""What is shorter than this part of ``chunk_chars`` says little alone: a closing brace, a lone heading or head."""

Trail = tuple[str, ...]
"""The headings or scopes that lead to a block, outermost first."""


Rank = Callable[[list[str], int], tuple[int, ...]]
"""How good it is to begin a chunk with a line; greater is better."""


class Block(Struct, frozen=True):
    """Lines ``start`` to ``end`` (from 0, half open) that belong together.

    ``trail`` holds the headings or scopes around it, its own included. ``symbol`` is the definition it belongs to, and
    ``defines`` says that this definition begins here. ``parts`` takes it apart, in order; it is called only for a block
    that does not fit.
    """

    start: int
    end: int
    trail: Trail = ()
    symbol: str = ""
    defines: bool = False
    parts: Callable[[], Sequence[Block]] | None = None
    about: str = ""


class Source:
    """A decoded file and where its lines lie. ``bom`` is the number of bytes before the text."""

    def __init__(self, text: str, encoding: str = "utf-8", bom: int = 0) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.starts = list(accumulate([len(line) + 1 for line in self.lines], initial=0))
        self.starts[-1] = len(text)
        if not self.lines[-1]:  # the text ends with a newline, or is empty
            self.lines.pop()
            self.starts.pop()
        self._encoding = encoding
        self._bom = bom
        self._one_byte = not encoding.lower().startswith("utf") or (
            text.isascii() and encoding.lower().replace("_", "-") == "utf-8"
        )
        self._cursor = (0, bom)

    def size(self, start: int, end: int) -> int:
        """Characters in the lines ``start`` to ``end``, half open, newlines included."""
        return self.starts[end] - self.starts[start]

    def byte(self, offset: int) -> int:
        """Byte of the file at a character offset. Linear over a whole file when asked in ascending order."""
        if self._one_byte:
            return self._bom + offset
        known, position = self._cursor if self._cursor[0] <= offset else (0, self._bom)
        position += len(self.text[known:offset].encode(self._encoding))
        self._cursor = (offset, position)
        return position

    def bytes_of(self, data: bytes, offsets: Sequence[int]) -> list[int]:
        """Bytes of the file at byte offsets of ``data``, which is its text in UTF-8."""
        if self._encoding.lower().replace("_", "-") == "utf-8":
            return [self._bom + offset for offset in offsets] if self._bom else list(offsets)
        places: dict[int, int] = {}
        known = characters = 0
        for offset in sorted(set(offsets)):
            characters += len(data[known:offset].decode(errors="ignore"))
            known = offset
            places[offset] = self.byte(characters)
        return [places[offset] for offset in offsets]

    def line(self, offset: int) -> int:
        """Line of a character offset, from 1."""
        return max(1, bisect_right(self.starts, offset, 0, len(self.lines)))

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """The same lines without blank ones at either end."""
        lines = self.lines
        while start < end and not lines[start].strip():
            start += 1
        while start < end and not lines[end - 1].strip():
            end -= 1
        return start, end


def paragraph(lines: list[str], line: int) -> tuple[int, ...]:
    """How good it is to begin a chunk of prose or data with ``line``: after a blank one, or where it is shallow."""
    text = lines[line]
    return not lines[line - 1].strip(), len(text.lstrip()) - len(text)


def split(source: Source, block: Block, chunk_chars: int, rank: Rank = paragraph) -> list[Chunk]:
    """Chunks of ``block``, at most ``MAX_CHUNKS`` + 1 of them: one more says that there were more.

    What has no parts is cut where ``rank`` is greatest.
    """
    pieces = _join_small(source, _Packer(source, chunk_chars, rank).pack(block), chunk_chars)
    chunks: list[Chunk] = []
    for piece in pieces:
        chunks.extend(_render(source, piece, chunk_chars))
        if len(chunks) > MAX_CHUNKS:
            return chunks[: MAX_CHUNKS + 1]
    return chunks


def split_text(text: str, chunk_chars: int) -> list[str]:
    """Text without lines of its own in a file, cut to size."""
    if len(text) <= chunk_chars:
        return [text] if text.strip() else []
    source = Source(text)
    return [chunk.text for chunk in split(source, Block(0, len(source.lines)), chunk_chars)]


def make_chunk(lines: tuple[int, int], span: tuple[int, int], symbol: str, trail: Trail, text: str) -> Chunk:
    """A chunk of the lines (from 1, both included) and the bytes given."""
    context = " > ".join(trail)
    digest = hash_of(embedding_text(context, text))
    return Chunk(lines[0], lines[1], span[0], span[1], symbol, context, text, digest, identifier_parts(text))


def named(chunk: Chunk, names: str, doc: str) -> Chunk:
    """The chunk with the names that it defines, which belong to what is embedded."""
    return replace(chunk, names=names, doc=doc, text_hash=hash_of(embedding_text(chunk.context, chunk.text, names)))


def hash_of(text: str) -> bytes:
    """What the embedding cache knows a text by."""
    return blake2b(text.encode(), digest_size=16).digest()


def shared(trails: Sequence[Trail]) -> Trail:
    """What all of them begin with."""
    low, high = min(trails), max(trails)  # in order, the first and the last differ earliest
    depth = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    return low[:depth]


class _Packer:
    """Turns a block into blocks that fit, few and whole."""

    def __init__(self, source: Source, limit: int, rank: Rank) -> None:
        self.source = source
        self.limit = limit
        self.rank = rank

    def pack(self, block: Block) -> Iterator[Block]:
        if self.source.size(block.start, block.end) <= self.limit:
            yield block
            return
        parts = _tile(block, block.parts() if block.parts else ())
        if not parts:
            yield from self._cut(block)
            return
        run: list[Block] = []
        for part in parts:
            large = self.source.size(part.start, part.end) > self.limit
            if run and (large or self.source.size(run[0].start, part.end) > self.limit):
                yield self._merge(run)
                run = []
            if large:
                yield from self.pack(part)
            else:
                run.append(part)
        if run:
            yield self._merge(run)

    def _merge(self, run: list[Block]) -> Block:
        """Neighbours as one block: what they share of the trail, and the first definition among them."""
        first, last = run[0], run[-1]
        if len(run) == 1:
            return first
        if len(run) == 2 and self._is_scrap(first) != self._is_scrap(last):
            larger = last if self._is_scrap(first) else first
            return replace(larger, start=first.start, end=last.end)
        defining = next((block for block in run if block.defines), first)
        trail = shared([block.trail for block in run])
        return Block(first.start, last.end, trail, defining.symbol, defining.defines)

    def _is_scrap(self, block: Block) -> bool:
        return self.source.size(block.start, block.end) < self.limit // SCRAP

    def _cut(self, block: Block) -> Iterator[Block]:
        """Cut between lines, from a third of a piece on; of equally good places at the last."""
        starts, limit, end = self.source.starts, self.limit, block.end
        start = block.start
        while self.source.size(start, end) > limit:
            last = bisect_right(starts, starts[start] + limit, start + 1, end) - 1
            first = bisect_left(starts, starts[start] + limit // 3, start + 1, max(last, start + 1))
            stop = max(range(first, last + 1), key=self._place, default=start + 1)
            yield replace(block, start=start, end=stop, defines=block.defines and start == block.start)
            start = stop
        if start < end:
            yield replace(block, start=start, defines=block.defines and start == block.start)

    def _place(self, line: int) -> tuple[tuple[int, ...], int]:
        return self.rank(self.source.lines, line), line


def _tile(block: Block, parts: Iterable[Block]) -> list[Block]:
    """``parts`` made to cover ``block`` without gap or overlap, so that no parser can lose a line."""
    tiles: list[Block] = []
    cursor = block.start
    for part in parts:
        end = min(part.end, block.end)
        if end > cursor:
            tiles.append(part if (part.start, part.end) == (cursor, end) else replace(part, start=cursor, end=end))
            cursor = end
    if tiles and cursor < block.end:
        tiles.append(Block(cursor, block.end, block.trail, block.symbol))
    return tiles


def _join_small(source: Source, pieces: Iterable[Block], limit: int) -> Iterator[Block]:
    """Join neighbours that tell the same story, and a scrap to what stands beside it.

    The larger of the two gives trail and symbol.
    """
    scrap, most = limit // SCRAP, limit * 5 // 4
    last: Block | None = None
    for piece in pieces:
        if last is None:
            last = piece
            continue
        before, size = source.size(last.start, last.end), source.size(piece.start, piece.end)
        same = (last.trail, last.symbol) == (piece.trail, piece.symbol)
        if before + size <= limit if same else min(before, size) < scrap and before + size <= most:
            larger = last if before > size else piece
            last = replace(larger, start=last.start, end=piece.end)
        else:
            yield last
            last = piece
    if last is not None:
        yield last


def _render(source: Source, block: Block, limit: int) -> Iterator[Chunk]:
    start, end = source.trim(block.start, block.end)
    if start == end:
        return
    trail = block.trail if block.defines or not block.about else (*block.trail, block.about)
    first = source.starts[start]
    last = source.starts[end - 1] + len(source.lines[end - 1].removesuffix("\r"))
    for low, high in (
        _cut_line(source.text, first, last, limit) if last - first > HARD_FACTOR * limit else [(first, last)]
    ):
        text = source.text[low:high]
        if text.strip():
            span = (source.byte(low), source.byte(high))
            yield make_chunk((start + 1, end), span, block.symbol, trail, text)


def _cut_line(text: str, first: int, last: int, limit: int) -> Iterator[tuple[int, int]]:
    """Cut a line that is too long, after a space where the last quarter of a piece has one."""
    while first < last:
        stop = min(first + limit, last)
        if stop < last:
            stop = max(text.rfind(" ", stop - limit // 4, stop) + 1, 0) or stop
        yield first, stop
        first = stop
