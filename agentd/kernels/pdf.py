"""PDF by its pages, with pypdfium2.

``start_line`` and ``end_line`` of these chunks are the page's number; the byte span is the whole file, because text in
a PDF has no place of its own in the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pypdfium2

from agentd.domain import SkipReason
from agentd.kernels.chunks import make_chunk, split_text
from agentd.kernels.secrets import find_secrets, mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.domain import Chunk

MAX_PAGES = 2000
"""Pages read of a file; the note ``pages_cut`` says that there were more."""


class Pdf(NamedTuple):
    """What a PDF holds. ``pages`` counts all of them, read or not."""

    chunks: list[Chunk]
    pages: int
    notes: list[str]
    skip: SkipReason | None = None


def pdf(data: bytes, chunk_chars: int, *, index_secrets: bool = False) -> Pdf:
    """Read a PDF; one that needs a password or cannot be read says so in ``skip``. Secrets are masked page by page."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower()
        return Pdf([], 0, [], SkipReason.ENCRYPTED if encrypted else SkipReason.DAMAGED)
    try:
        pages = len(document)
        notes: list[str] = ["pages_cut"] if pages > MAX_PAGES else []
        chunks: list[Chunk] = []
        for number in range(1, min(pages, MAX_PAGES) + 1):
            try:
                text = _clean(_text(document, number))
                secrets = [] if index_secrets else find_secrets(text)
                chunks.extend(_chunks(mask(text, secrets), number, len(data), chunk_chars))
            except pypdfium2.PdfiumError:
                notes = [*(note for note in notes if note != "pages_damaged"), "pages_damaged"]
    finally:
        document.close()
    return Pdf(chunks, pages, notes)


def _text(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number - 1]
    try:
        content = page.get_textpage()
        try:
            return str(content.get_text_range())
        finally:
            content.close()
    finally:
        page.close()


def _chunks(text: str, number: int, size: int, chunk_chars: int) -> Iterator[Chunk]:
    for piece in split_text(text, chunk_chars):
        yield make_chunk((number, number), (0, size), "", (f"page {number}",), piece)


def _clean(text: str) -> str:
    """Plain newlines; U+FFFE is pdfium's mark for a hyphen at the end of a line, and the word goes on."""
    joined = text.replace("\r\n", "\n").replace("\ufffe\n", "").replace("\ufffe", "").replace("\0", "")
    return joined.encode(errors="ignore").decode()
