"""Files to chunks: read, decode, classify, take apart. What a worker runs for ``registry.PARSE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from agentd.domain import Kind, SkipReason
from agentd.kernels.chunks import MAX_CHUNKS, Block, Source, split
from agentd.kernels.classify import FileClass, classify, is_pdf
from agentd.kernels.code import chunk_code, read_code
from agentd.kernels.edges import edges, module_key
from agentd.kernels.grammars import GRAMMARS
from agentd.kernels.html import html, is_template
from agentd.kernels.markdown import markdown
from agentd.kernels.messages import ParsedFile
from agentd.kernels.notebook import notebook
from agentd.kernels.pdf import pdf
from agentd.kernels.plain import plain
from agentd.kernels.reading import Decoded, ReadFile, decode, read_file
from agentd.kernels.rst import rst
from agentd.kernels.secrets import find_secrets, is_mostly_secret, mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentd.domain import Chunk, Edge, Symbol
    from agentd.kernels.messages import ParseRequest

HEAD = 8000
"""Characters that tell what a file is."""


def parse_files(request: ParseRequest) -> Iterator[ParsedFile]:
    """Parse each path of the request, in order. No file, however broken, raises; what is wrong stands in the result."""
    for path in request.paths:
        yield _parse_file(request, path)


class Text(NamedTuple):
    """What a decoded file holds, and notes on that."""

    chunks: list[Chunk]
    notes: list[str]
    module: str = ""
    symbols: Sequence[Symbol] = ()
    edges: Sequence[Edge] = ()


NO_TEXT = Text([], [])


def read_text(source: Source, path: str, language: str, chunk_chars: int) -> Text:
    """Take a decoded file apart.

    Raises:
        ValueError: a notebook that is none.
    """
    match language:
        case "markdown":
            return Text(split(source, markdown(source), chunk_chars), [])
        case "restructuredtext":
            return Text(split(source, rst(source), chunk_chars), [])
        case "notebook":
            return Text(notebook(source, chunk_chars), [])
        case "html" if not is_template(source.text):
            return _page_or_plain(source, chunk_chars)
        case _ if language in GRAMMARS:
            return _code(source, path, language, chunk_chars)
        case _:
            return Text(split(source, plain(source), chunk_chars), [])


def _code(source: Source, path: str, language: str, chunk_chars: int) -> Text:
    code = read_code(source, language)
    return Text(
        chunk_code(source, code, chunk_chars),
        code.notes,
        module_key(path, language),
        _on_disk(source, code.data, code.symbols),
        edges(path, language, code.captures, code.symbols),
    )


def _on_disk(source: Source, data: bytes, symbols: list[Symbol]) -> list[Symbol]:
    """The symbols with the bytes of the file, where these are not those of ``data``."""
    starts = [symbol.start_byte for symbol in symbols]
    places = source.bytes_of(data, starts + [symbol.end_byte for symbol in symbols])
    if places[: len(starts)] == starts and len(data) == source.byte(len(source.text)):
        return symbols
    return [
        replace(symbol, start_byte=start, end_byte=end)
        for symbol, start, end in zip(symbols, places, places[len(starts) :], strict=False)
    ]


def _page_or_plain(source: Source, chunk_chars: int) -> Text:
    """A page, or its source where no text was found in it or it took too long."""
    notes: list[str] = []
    try:
        if chunks := html(source, chunk_chars):
            return Text(chunks, notes)
    except TimeoutError:
        notes = ["parse_timeout"]
    return Text(split(source, plain(source), chunk_chars), notes)


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
    secrets = [] if request.index_secrets else find_secrets(decoded.text)
    if is_mostly_secret(decoded.text, secrets):
        return _result(path, file, found, skip=SkipReason.SECRET)
    source = Source(mask(decoded.text, secrets), decoded.encoding, decoded.bom)
    notes = [decoded.note] if decoded.note else []
    notes += [f"secrets_masked:{len(secrets)}"] if secrets else []
    try:
        text = read_text(source, path, found.language, request.chunk_chars)
    except Exception as error:  # noqa: BLE001  # a parser's failure on one file must cost no more than its structure
        if found.language == "notebook":
            return _result(path, file, found, text=Text([], notes), skip=SkipReason.DAMAGED)
        chunks = split(source, Block(0, len(source.lines)), request.chunk_chars)
        text = Text(chunks, [f"parser_failed:{type(error).__name__}"])
    return _result(path, file, found, lines=len(source.lines), text=text._replace(notes=notes + text.notes))


def _parse_pdf(request: ParseRequest, path: str, file: ReadFile) -> ParsedFile:
    read = pdf(file.data, request.chunk_chars, index_secrets=request.index_secrets)
    found = classify(path, "", file.size)._replace(language="pdf", kind=Kind.DOCS)
    return _result(path, file, found, lines=read.pages, text=Text(read.chunks, read.notes), skip=read.skip)


def _result(
    path: str,
    file: ReadFile,
    found: FileClass,
    *,
    lines: int = 0,
    text: Text = NO_TEXT,
    skip: SkipReason | None = None,
) -> ParsedFile:
    cut = ["chunks_cut"] if len(text.chunks) > MAX_CHUNKS else []
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
        notes=text.notes + cut,
        chunks=text.chunks[:MAX_CHUNKS],
        skip=skip,
        vanished=file.vanished,
        module=text.module,
        symbols=list(text.symbols),
        edges=list(text.edges),
    )
