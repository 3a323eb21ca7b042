"""Files to chunks: read, decode, classify, take apart. What a worker runs for ``registry.PARSE``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.domain import Kind, SkipReason
from agentd.kernels.chunks import MAX_CHUNKS, Block, Source, split
from agentd.kernels.classify import FileClass, classify, is_pdf
from agentd.kernels.code import code
from agentd.kernels.grammars import GRAMMARS
from agentd.kernels.html import html, is_template
from agentd.kernels.markdown import markdown
from agentd.kernels.messages import ParsedFile
from agentd.kernels.notebook import notebook
from agentd.kernels.pdf import pdf
from agentd.kernels.plain import plain
from agentd.kernels.reading import Decoded, ReadFile, decode, read_file
from agentd.kernels.rst import rst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.domain import Chunk
    from agentd.kernels.messages import ParseRequest

HEAD = 8000
"""Characters that tell what a file is."""


def parse_files(request: ParseRequest) -> Iterator[ParsedFile]:
    """Parse each path of the request, in order. No file, however broken, raises; what is wrong stands in the result."""
    for path in request.paths:
        yield _parse_file(request, path)


def chunk_text(source: Source, language: str, chunk_chars: int) -> tuple[list[Chunk], list[str]]:
    """Chunks of a decoded file, and notes on them.

    Raises:
        ValueError: a notebook that is none.
    """
    match language:
        case "markdown":
            return split(source, markdown(source), chunk_chars), []
        case "restructuredtext":
            return split(source, rst(source), chunk_chars), []
        case "notebook":
            return notebook(source, chunk_chars), []
        case "html" if not is_template(source.text):
            return _page_or_plain(source, chunk_chars)
        case _ if language in GRAMMARS:
            block, notes = code(source, language, chunk_chars)
            return split(source, block, chunk_chars), notes
        case _:
            return split(source, plain(source), chunk_chars), []


def _page_or_plain(source: Source, chunk_chars: int) -> tuple[list[Chunk], list[str]]:
    """A page, or its source where no text was found in it or it took too long."""
    notes: list[str] = []
    try:
        if chunks := html(source, chunk_chars):
            return chunks, notes
    except TimeoutError:
        notes = ["parse_timeout"]
    return split(source, plain(source), chunk_chars), notes


def _parse_file(request: ParseRequest, path: str) -> ParsedFile:
    file = read_file(request.root, path, request.max_file_bytes)
    if file.skip is not None or file.vanished:
        return _result(path, file, classify(path, "", file.size), skip=file.skip)
    if is_pdf(path, file.data):
        return _parse_pdf(request, path, file)
    decoded = decode(file.data)
    if decoded is None:
        return _result(path, file, classify(path, "", file.size), skip=SkipReason.BINARY)
    return _parse_text(request, path, file, decoded)


def _parse_text(request: ParseRequest, path: str, file: ReadFile, decoded: Decoded) -> ParsedFile:
    found = classify(path, decoded.text[:HEAD], file.size)
    source = Source(decoded.text, decoded.encoding, decoded.bom)
    notes = [decoded.note] if decoded.note else []
    more: list[str]
    try:
        chunks, more = chunk_text(source, found.language, request.chunk_chars)
    except Exception as error:  # noqa: BLE001  # a parser's failure on one file must cost no more than its structure
        if found.language == "notebook":
            return _result(path, file, found, notes=notes, skip=SkipReason.DAMAGED)
        chunks = split(source, Block(0, len(source.lines)), request.chunk_chars)
        more = [f"parser_failed:{type(error).__name__}"]
    return _result(path, file, found, lines=len(source.lines), notes=notes + more, chunks=chunks)


def _parse_pdf(request: ParseRequest, path: str, file: ReadFile) -> ParsedFile:
    read = pdf(file.data, request.chunk_chars)
    found = classify(path, "", file.size)._replace(language="pdf", kind=Kind.DOCS)
    return _result(path, file, found, lines=read.pages, notes=read.notes, chunks=read.chunks, skip=read.skip)


def _result(
    path: str,
    file: ReadFile,
    found: FileClass,
    *,
    lines: int = 0,
    notes: list[str] | None = None,
    chunks: list[Chunk] | None = None,
    skip: SkipReason | None = None,
) -> ParsedFile:
    notes, chunks = notes or [], chunks or []
    if len(chunks) > MAX_CHUNKS:
        notes, chunks = [*notes, "chunks_cut"], chunks[:MAX_CHUNKS]
    return ParsedFile(
        path=path,
        size=file.size,
        mtime_ns=file.mtime_ns,
        signature=file.signature,
        content_hash=file.content_hash,
        language=found.language,
        kind=found.kind,
        embed=found.embed,
        lines=lines,
        notes=notes,
        chunks=chunks,
        skip=skip,
        vanished=file.vanished,
    )
