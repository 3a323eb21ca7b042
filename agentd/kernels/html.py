"""HTML as a reader sees it: text without markup, under its headings.

``text`` of these chunks is extracted, so it is not what stands in the file; bytes and lines are the span of the source
that it came from. Pieces of one paragraph too large for a chunk share its span.
"""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.chunks import Source, Trail, make_chunk, shared, split_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.domain import Chunk


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DROPPED = _words("script style nav template noscript svg math iframe object select")
INLINE = _words(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q rp rt ruby s samp small"
    " span strike strong sub sup time tt u var wbr"
)
"""Elements that do not break the line; every other one does."""

PARSE_SECONDS = 2.0
"""CPU time for one file: html.parser is quadratic in tags and comments that never end."""

_HEADING = re.compile(r"h[1-6]")
_TEMPLATE = re.compile(r"\{%|\{\{|<\?php|<%")


class Passage(NamedTuple):
    """A block of text and the characters of the source that it came from."""

    text: str
    start: int
    end: int
    trail: Trail


def is_template(text: str) -> bool:
    """Whether this is the source of pages rather than a page: then its markup is what is searched for."""
    return _TEMPLATE.search(text) is not None


def html(source: Source, chunk_chars: int) -> list[Chunk]:
    """Chunks of a page, in order; none where it holds no text.

    Raises:
        TimeoutError: the page took longer than ``PARSE_SECONDS``.
    """
    reader = _Reader(source)
    reader.feed(source.text)
    reader.finish()
    return [chunk for run in _runs(reader.passages, chunk_chars) for chunk in _chunks(source, run, chunk_chars)]


def _runs(passages: list[Passage], limit: int) -> Iterator[list[Passage]]:
    """Neighbours that fit into a chunk; a new section begins a new chunk unless the one before is short."""
    run: list[Passage] = []
    size = 0
    for _, group in groupby(passages, key=lambda passage: passage.trail):
        section = list(group)
        total = sum(len(passage.text) + 1 for passage in section)
        if run and (size + total > limit or size > limit // 3):
            yield run
            run, size = [], 0
        for passage in section:
            if run and size + len(passage.text) > limit:
                yield run
                run, size = [], 0
            run.append(passage)
            size += len(passage.text) + 1
    if run:
        yield run


def _chunks(source: Source, run: list[Passage], limit: int) -> Iterator[Chunk]:
    start, end = run[0].start, run[-1].end
    lines = (source.line(start), source.line(max(start, end - 1)))
    span = (source.byte(start), source.byte(end))
    trail = shared([passage.trail for passage in run])
    for text in split_text("\n".join(passage.text for passage in run), limit):
        yield make_chunk(lines, span, "", trail, text)


class _Reader(HTMLParser):
    """Collects passages. Tolerant by design: html.parser raises for nothing that browsers accept."""

    def __init__(self, source: Source) -> None:
        super().__init__(convert_charrefs=True)
        self.passages: list[Passage] = []
        self._source = source
        self._deadline = time.thread_time() + PARSE_SECONDS
        self._words: list[str] = []
        self._start = 0
        self._dropped: list[str] = []
        self._pre = 0
        self._title = ""
        self._headings: dict[int, str] = {}

    def finish(self) -> None:
        """Take what the end of the file leaves open."""
        self.close()
        self._flush(len(self._source.text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # html.parser calls it so
        if tag in DROPPED:
            self._flush(self._offset())
            self._dropped.append(tag)
        elif tag not in INLINE:
            self._flush(self._offset())
            self._pre += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # html.parser calls it so
        if tag not in INLINE:
            self._flush(self._offset())

    def handle_endtag(self, tag: str) -> None:
        if self._dropped:
            if tag in self._dropped:
                while self._dropped.pop() != tag:
                    pass
            return
        if tag in INLINE:
            return
        if tag == "title":
            self._title = self._title or self._text()
            self._words = []
        elif _HEADING.fullmatch(tag):
            self._enter(int(tag[1]))
        self._flush(self._offset())
        self._pre -= tag == "pre" and self._pre > 0

    def updatepos(self, i: int, j: int) -> int:
        """Called by html.parser for every step that it takes."""
        if time.thread_time() > self._deadline:
            raise TimeoutError
        return super().updatepos(i, j)

    def handle_data(self, data: str) -> None:
        if self._dropped:
            return
        if not self._words:
            if not data.strip():
                return
            self._start = self._offset()
        self._words.append(data)

    def _enter(self, level: int) -> None:
        self._headings = {above: title for above, title in self._headings.items() if above < level}
        if title := self._text():
            self._headings[level] = " ".join(title.split())[:120]

    def _text(self) -> str:
        text = "".join(self._words)
        return text.strip("\n").rstrip() if self._pre else " ".join(text.split())

    def _flush(self, end: int) -> None:
        text = self._text() if self._words else ""
        self._words = []
        if text.strip():
            titles = [self._title, *self._headings.values()]
            trail = tuple(
                title for title, before in zip(titles, ["", *titles], strict=False) if title and title != before
            )
            raw = self._source.text[self._start : end]
            start = self._start + len(raw) - len(raw.lstrip())
            self.passages.append(Passage(text, start, start + len(raw.strip()), trail))

    def _offset(self) -> int:
        line, column = self.getpos()
        starts = self._source.starts
        return min(starts[line - 1] + column, len(self._source.text)) if line <= len(starts) else starts[-1]
