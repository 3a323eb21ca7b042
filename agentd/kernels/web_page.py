"""What a server of the web sent, as text with lines and passages that a citation can name.

Lines are those of the extracted text, which is kept as long as the page is; blocks stand apart by an empty line.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.chunks import split_text
from agentd.kernels.decoding import decode, is_binary
from agentd.kernels.pdf import pdf
from agentd.kernels.web_html import Block, read_html
from agentd.kernels.web_messages import PagePassage, WebPage, WebPageRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
PLAIN_TYPES = frozenset({"text/plain", "text/markdown", "text/x-markdown", "text/x-rst"})
PDF_TYPE = "application/pdf"
READABLE = HTML_TYPES | PLAIN_TYPES | {PDF_TYPE}
"""Content types that a page may have."""

MAX_TITLE = 300
PROLOGUE = 4096
"""Bytes in which a page may name its encoding; the standard wants it within 1,024."""

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_KNOWN = re.compile(
    r"utf-?(?:8|16)|iso-?8859|windows-?12|cp12|koi8|shift|euc|gb(?:2312|k|18030)|big5|mac|latin|(?:us-)?ascii",
    re.IGNORECASE,
)
"""Encodings of text. Python knows others that are none of a page: escapes of source code, domain names."""

_MARKDOWN_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")


class _Text(NamedTuple):
    """Blocks, and what is to be said of them."""

    title: str
    blocks: list[Block]
    notes: list[str]


class _UnreadableError(Exception):
    """Why there is no text, in words that follow "the page"."""


def read_page(request: WebPageRequest) -> WebPage:
    """Extract a page; never raises for what a server wrote."""
    kind = media_type(request.content_type)
    try:
        found = _read(kind, request)
    except _UnreadableError as error:
        return WebPage(problem=str(error))
    lines, passages, cut = _laid_out(found.blocks, request)
    if not passages:
        return WebPage(problem="holds no text without a browser that runs its scripts")
    text = "\n".join(lines).encode(errors="replace").decode()
    notes = found.notes + ["text_cut"] * cut
    return WebPage(found.title[:MAX_TITLE].strip(), text, passages, notes)


def media_type(content_type: str) -> str:
    """``text/html`` of ``Text/HTML; charset=utf-8``."""
    return content_type.partition(";")[0].strip().lower()


def _read(kind: str, request: WebPageRequest) -> _Text:
    if kind == PDF_TYPE:
        return _pdf(request)
    if kind not in READABLE:
        raise _UnreadableError(f"is {kind or 'of no stated type'}")
    text, notes = _decoded(request)
    if kind in HTML_TYPES:
        page = read_html(text)
        if not (page.whole or page.blocks):
            raise _UnreadableError("takes too long to read")
        return _Text(page.title, page.blocks, notes + ["time_cut"] * (not page.whole))
    blocks = list(_paragraphs(text, markdown="markdown" in kind))
    return _Text(next((trail[0] for _, trail, *_ in blocks if trail), ""), blocks, notes)


def _pdf(request: WebPageRequest) -> _Text:
    read = pdf(request.body, request.passage_chars, index_secrets=True)
    if read.skip is not None:
        raise _UnreadableError(f"is a PDF that cannot be read ({read.skip})")
    blocks = [Block(chunk.text, (chunk.context,)) for chunk in read.chunks]
    return _Text("", blocks, read.notes)


def _decoded(request: WebPageRequest) -> tuple[str, list[str]]:
    """By byte order mark, by what the header or the page says, else as UTF-8 or Windows-1252."""
    body = request.body
    marked = body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    named = "" if marked else _named_encoding(request)
    if named:
        if "16" not in named and is_binary(body):
            raise _UnreadableError("is binary")
        text = body.decode(named, errors="replace")
        return text, ["encoding_errors"] * ("\ufffd" in text)
    decoded = decode(body)
    if decoded is None:
        raise _UnreadableError("is binary")
    return decoded.text, [decoded.note] * bool(decoded.note)


def _named_encoding(request: WebPageRequest) -> str:
    """A codec that the header or the page names and Python knows; ``""`` for none, and for UTF-8, which is tried first
    anyway.
    """
    header = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", request.content_type, re.IGNORECASE)
    meta = _CHARSET.search(request.body[:PROLOGUE])
    name = header[1] if header else meta[1].decode("ascii", errors="replace") if meta else ""
    if not _KNOWN.match(name):
        return ""
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return ""
    # What calls itself by these names is Windows-1252, says https://encoding.spec.whatwg.org
    return {"utf-8": "", "iso8859-1": "cp1252", "ascii": "cp1252"}.get(codec, codec)


def _paragraphs(text: str, *, markdown: bool) -> Iterator[Block]:
    headings: dict[int, str] = {}
    fenced = False
    for paragraph in re.split(r"\n[ \t\r]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        for line in paragraph.split("\n") if markdown else ():
            fenced ^= line.lstrip().startswith("```")
            if not fenced and (heading := _MARKDOWN_HEADING.match(line)):
                level = len(heading[1])
                headings = {above: title for above, title in headings.items() if above < level}
                headings[level] = heading[2][:120]
        if paragraph.strip():
            yield Block(paragraph.strip("\n"), tuple(headings.values()))


def _laid_out(blocks: list[Block], request: WebPageRequest) -> tuple[list[str], list[PagePassage], bool]:
    """Lines, the passages of them, and whether text was left out."""
    lines: list[str] = []
    passages: list[PagePassage] = []
    left = request.max_chars
    for piece in _pieces(blocks, request.passage_chars):
        for run in _runs(piece, request.passage_chars):
            left -= sum(map(len, run))
            if left < 0:
                return lines, passages, True
            if lines:
                lines.append("")
            passages.append(PagePassage(len(lines) + 1, len(lines) + len(run), " > ".join(piece[0].trail)))
            lines += run
    return lines, passages, False


def _pieces(blocks: Iterable[Block], limit: int) -> Iterator[list[Block]]:
    """Neighbours that fit into a passage; a new section begins a new one unless the one before is short."""
    piece: list[Block] = []
    size = 0
    for block in blocks:
        turned = bool(piece) and block.trail != piece[-1].trail
        if piece and (size + len(block.text) > limit or (turned and size > limit // 3)):
            yield piece
            piece, size = [], 0
        piece.append(block)
        size += len(block.text) + 1
    if piece:
        yield piece


def _runs(piece: list[Block], limit: int) -> Iterator[list[str]]:
    """The lines of a passage; of a block too large for one, those of several."""
    run: list[str] = []
    size = 0
    for line in _lines(piece, limit):
        if run and size + len(line) > limit:
            yield run
            run, size = [], 0
        run.append(line)
        size += len(line) + 1
    if run:
        yield run


def _lines(piece: list[Block], limit: int) -> Iterator[str]:
    for block in piece:
        for line in block.text.split("\n"):
            if len(line) <= limit:
                yield line
            else:
                yield from split_text(line, limit)
