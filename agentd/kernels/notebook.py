"""Jupyter notebooks (nbformat 4, and the worksheets of 3) by their cells.

Lines and bytes are those of the cell's source in the ``.ipynb``: the JSON is read with the positions of its values, so
that a hit leads to the right lines of the file. ``text`` is the source itself, without JSON's quotes and escapes.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out; json.decoder uses it itself
from typing import TYPE_CHECKING, Any, NamedTuple

from agentd.kernels.chunks import Block, Source, make_chunk, named, split
from agentd.kernels.code import chunk_code, read_code
from agentd.kernels.grammars import GRAMMARS
from agentd.kernels.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.domain import Chunk

MAX_OUTPUT = 400
"""Characters of a cell's text output that are kept; longer ones are logs and tables of numbers."""

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = JSONDecoder()


class Cell(NamedTuple):
    """A cell. ``lines`` holds its source: each line with its place in the file, first character and end."""

    kind: str
    lines: list[tuple[str, int, int]]
    output: str


def notebook(source: Source, chunk_chars: int) -> list[Chunk]:
    """Chunks of a notebook.

    Raises:
        ValueError: the file is not JSON, or no notebook.
    """
    try:
        cells, language = _read(source.text)
    except RecursionError as error:
        raise ValueError("expected a notebook, found JSON nested too deep") from error
    return [
        chunk
        for number, cell in enumerate(cells, 1)
        for chunk in _cell_chunks(source, cell, f"cell {number}", language, chunk_chars)
    ]


def _cell_chunks(source: Source, cell: Cell, name: str, language: str, limit: int) -> Iterator[Chunk]:
    if not cell.lines:
        return
    body = Source("".join(text for text, _, _ in cell.lines))
    if cell.kind == "code" and language in GRAMMARS:
        chunks = chunk_code(body, read_code(body, language), limit)
    else:
        chunks = split(body, markdown(body) if cell.kind == "markdown" else Block(0, len(body.lines)), limit)
    for index, chunk in enumerate(chunks):
        start, end = _place(cell, body, chunk)
        text = chunk.text
        if index == len(chunks) - 1 and cell.output:
            text = f"{text}\n\n{cell.output}"
        lines = (source.line(start), source.line(end - 1))
        span = (source.byte(start), source.byte(end))
        trail = (name, chunk.context) if chunk.context else (name,)
        yield named(make_chunk(lines, span, chunk.symbol, trail, text), chunk.names, chunk.doc)


def _place(cell: Cell, body: Source, chunk: Chunk) -> tuple[int, int]:
    """Where the chunk's lines stand in the file. A source may also be one string: then all lines are in it."""
    if len(cell.lines) < len(body.lines):
        return cell.lines[0][1], cell.lines[-1][2]
    return cell.lines[chunk.start_line - 1][1], cell.lines[min(chunk.end_line, len(cell.lines)) - 1][2]


def _read(text: str) -> tuple[list[Cell], str]:
    cells: list[Cell] = []
    language = "python"
    if text[_skip(text, 0) : _skip(text, 0) + 1] != "{":
        raise ValueError("expected a notebook, found no JSON object")
    for key, start in _members(text, 0):
        if key == "cells":
            cells += [_cell(text, place) for place in _items(text, start)]
        elif key == "metadata":
            metadata, _ = _DECODER.raw_decode(text, start)
            language = _language(metadata) or language
        elif key == "worksheets":
            for sheet in _items(text, start):
                for name, place in _members(text, sheet):
                    cells += [_cell(text, cell) for cell in _items(text, place)] if name == "cells" else []
    return cells, language


def _language(metadata: Any) -> str:
    for section, key in (("kernelspec", "language"), ("language_info", "name")):
        value = metadata.get(section) if isinstance(metadata, dict) else None
        if isinstance(value, dict) and isinstance(value.get(key), str):
            return str(value[key]).lower()
    return ""


def _cell(text: str, start: int) -> Cell:
    kind, lines, output = "", [], ""
    for key, place in _members(text, start):
        if key == "cell_type":
            kind = str(_DECODER.raw_decode(text, place)[0])
        elif key in {"source", "input"}:
            lines = list(_strings(text, place))
        elif key == "outputs":
            output = _output(_DECODER.raw_decode(text, place)[0])
    return Cell(kind, lines, output)


def _output(outputs: Any) -> str:
    """Short text among the outputs; images and rich data are not text to search."""
    found = []
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        value = output.get("text", data.get("text/plain") if isinstance(data, dict) else None)
        joined = "".join(map(str, value)) if isinstance(value, list) else value
        if isinstance(joined, str) and joined.strip():
            found.append(joined.strip())
    joined = "\n".join(found)
    return joined if len(joined) <= MAX_OUTPUT else ""


def _strings(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """The string at ``start``, or the strings of the array there, each with its place."""
    for place in [start] if text[start : start + 1] == '"' else _items(text, start):
        value, end = _DECODER.raw_decode(text, place)
        if isinstance(value, str):
            yield value.encode(errors="replace").decode(), place, end  # \ud800 in JSON is no character


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Keys of the object at ``start``, each with the place of its value; nothing where it is no object."""
    place = _skip(text, start)
    if text[place : place + 1] != "{":
        return
    place = _skip(text, place + 1)
    while text[place : place + 1] == '"':
        key, place = scanstring(text, place + 1, True)  # noqa: FBT003  # takes no keywords
        place = _skip(text, place)
        if text[place : place + 1] != ":":
            raise JSONDecodeError("expected ':'", text, place)
        value = _skip(text, place + 1)
        yield key, value
        place = _next(text, _DECODER.raw_decode(text, value)[1], "}")


def _items(text: str, start: int) -> Iterator[int]:
    """Places of the elements of the array at ``start``; nothing where it is no array."""
    if text[start : start + 1] != "[":
        return
    place = _skip(text, start + 1)
    while text[place : place + 1] not in {"]", ""}:
        yield place
        place = _next(text, _DECODER.raw_decode(text, place)[1], "]")


def _next(text: str, end: int, closing: str) -> int:
    place = _skip(text, end)
    if text[place : place + 1] == ",":
        return _skip(text, place + 1)
    if text[place : place + 1] != closing:
        raise JSONDecodeError(f"expected ',' or '{closing}'", text, place)
    return place


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
