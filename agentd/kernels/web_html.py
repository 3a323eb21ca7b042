"""A page of the web as its reader sees it: blocks of text under their headings, without what surrounds them.

Every block is collected with where it stands; then the best of three choices is taken: what stands in ``main`` or
``article``, what is not navigation by its element, role or class, or everything. So a site that marks its parts wrongly
costs text that nobody wanted, and never the page.

html.parser reads what no other parser can be trusted with: a tree of it never exists, so depth costs nothing, and it
looks at the clock at every step. (C parsers of trees take minutes for nested elements, and cannot be stopped.)
"""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from itertools import groupby
from typing import NamedTuple

from agentd.kernels import html


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


INLINE = html.INLINE
DROPPED = html.DROPPED - {"nav"}
"""A site may never close its ``nav``: what stands there is read, and taken where there is nothing else."""

PARSE_SECONDS = 1.0
"""CPU time for a page; what was read by then is the page, with the note ``time_cut``."""

ENOUGH_CHARS = 200
"""Of a choice, below which the next one is tried."""

MAX_REGIONS = 64
"""Elements that mean something, open at one time; no page nests more of them, and deeper ones are passed over."""

FRAME = _words("nav footer button dialog")
FRAME_OUTSIDE = _words("header aside")
"""These are the frame of a page, but within ``main`` or ``article`` they hold its title and its notes."""

FRAME_ROLES = _words("navigation banner contentinfo search menu menubar dialog tablist")
FRAME_CLASSES = _words(
    "nav navbar navigation menu sidebar side-bar sphinxsidebar footer breadcrumb breadcrumbs cookie cookies consent "
    "cookie-banner banner advert advertisement ads share sharing social related newsletter toc navbox mw-editsection "
    "noprint headerlink skip-link skiplink visually-hidden sr-only pagination"
)
CONTENT = _words("main article")
CONTAINERS = CONTENT | FRAME | FRAME_OUTSIDE | _words("div section ul ol dl table form a span pre details")

_HEADING = re.compile(r"h[1-6]")


class Block(NamedTuple):
    """A paragraph, list item, row or heading; of ``pre`` the lines are kept. ``links`` counts characters in links."""

    text: str
    trail: tuple[str, ...]
    links: int = 0
    item: bool = False
    content: bool = False
    frame: bool = False


class Region(NamedTuple):
    """An element that is open: ``depth`` counts those of the same name within, itself included."""

    tag: str
    depth: int
    content: bool
    frame: bool


class HtmlPage(NamedTuple):
    """What a reader sees. ``whole`` is false where time ran out."""

    title: str
    blocks: list[Block]
    whole: bool


def read_html(text: str) -> HtmlPage:
    """Read a page."""
    reader = _Reader()
    whole = True
    try:
        reader.feed(text)
        reader.finish()
    except TimeoutError:
        whole = False
    return HtmlPage(reader.title, _chosen(reader.blocks), whole)


def _chosen(blocks: list[Block]) -> list[Block]:
    plain = [block for block in blocks if not block.frame]
    content = [block for block in plain if block.content]
    for choice in (content, plain):
        without = _without_menus(choice)
        if sum(len(block.text) for block in without) >= ENOUGH_CHARS:
            return without
    return max((plain, blocks), key=lambda choice: sum(len(block.text) for block in choice) >= ENOUGH_CHARS)


def _without_menus(blocks: list[Block]) -> list[Block]:
    """Without lists that are links and nothing else: menus, whatever they are called."""
    kept: list[Block] = []
    for is_link, run in groupby(blocks, key=lambda block: block.item and block.links > 0.8 * len(block.text)):
        group = list(run)
        if not is_link or len(group) < 3:
            kept += group
    return kept


class _Reader(HTMLParser):
    """Collects blocks. Tolerant by design: html.parser raises for nothing that browsers accept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.blocks: list[Block] = []
        self._deadline = time.thread_time() + PARSE_SECONDS
        self._words: list[str] = []
        self._links = 0
        self._regions: list[Region] = []
        self._dropped: list[str] = []
        self._headings: dict[int, str] = {}
        self._item = False

    def finish(self) -> None:
        """Take what the end of the page leaves open."""
        self.close()
        self._flush()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            self._dropped.append(tag)
            del self._dropped[MAX_REGIONS:]
        elif not self._dropped:
            self._break(tag)
            if tag in CONTAINERS:
                self._open(tag, dict(attrs))
            self._item = tag == "li" or (self._item and tag in INLINE)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # html.parser calls it so
        if not self._dropped:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropped:
            if tag in self._dropped:
                while self._dropped.pop() != tag:
                    pass
            return
        if tag == "title":
            self.title = self.title or self._text()
            self._words = []
        elif _HEADING.fullmatch(tag):
            self._enter(int(tag[1]))
        self._break(tag)
        if tag in CONTAINERS:
            self._close(tag)

    def handle_data(self, data: str) -> None:
        if self._dropped or not (self._words or data.strip()) or self._unseen():
            return
        self._words.append(data)
        if self._within("a"):
            self._links += len(data.strip())

    def updatepos(self, i: int, j: int) -> int:
        """Called by html.parser for every step that it takes."""
        if time.thread_time() > self._deadline:
            raise TimeoutError
        return super().updatepos(i, j)

    def _open(self, tag: str, attributes: dict[str, str | None]) -> None:
        self._regions = [
            region._replace(depth=region.depth + (region.tag == tag)) for region in self._regions[:MAX_REGIONS]
        ]
        inside = self._regions[-1] if self._regions else Region("", 0, content=False, frame=False)
        content = tag in CONTENT or attributes.get("role") == "main"
        frame = not content and _is_frame(tag, attributes, inside=inside.content)
        if content or frame or tag in {"a", "pre"}:
            self._regions.append(Region(tag, 1, content or inside.content, frame or inside.frame))

    def _close(self, tag: str) -> None:
        for index, region in enumerate(self._regions):
            if region.tag == tag:
                if region.depth == 1:
                    del self._regions[index:]
                    return
                self._regions[index] = region._replace(depth=region.depth - 1)

    def _unseen(self) -> bool:
        """Whether this is a mark within a line, as the sign beside a heading that links to it."""
        return bool(self._regions) and self._regions[-1].frame and self._regions[-1].tag in INLINE

    def _within(self, tag: str) -> bool:
        return any(region.tag == tag for region in self._regions)

    def _break(self, tag: str) -> None:
        if tag in {"td", "th"} and self._words:  # cells of a row share its line
            self._words.append(" | ")
        elif tag == "br":
            self._words.append("\n")
        elif tag not in INLINE:
            self._flush()

    def _enter(self, level: int) -> None:
        title = " ".join(self._text().split())[:120]
        self._headings = {above: text for above, text in self._headings.items() if above < level}
        if title:
            self._headings[level] = title
            self._words = ["#" * level, " ", title]

    def _text(self) -> str:
        text = "".join(self._words)
        if self._within("pre"):
            return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
        return " ".join(text.split()).strip("| ")

    def _flush(self) -> None:
        if not self._words:
            return
        text = self._text()
        region = self._regions[-1] if self._regions else None
        if text.strip():
            shown = f"- {text}" if self._item else text
            where = (region.content, region.frame) if region else (False, False)
            self.blocks.append(Block(shown, tuple(self._headings.values()), self._links, self._item, *where))
        self._words, self._links, self._item = [], 0, False


def _is_frame(tag: str, attributes: dict[str, str | None], *, inside: bool) -> bool:
    if tag in FRAME or (tag in FRAME_OUTSIDE and not inside):
        return True
    if "hidden" in attributes or attributes.get("aria-hidden") == "true" or attributes.get("role") in FRAME_ROLES:
        return True
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"[:400].lower().split()
    return not FRAME_CLASSES.isdisjoint(names)
