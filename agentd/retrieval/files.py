"""Reading beside searching: lines of a file as they are on disk now, and the files that the index knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentd.errors import FileGoneError, NotFoundError
from agentd.kernels.decoding import decode
from agentd.kernels.reading import read_file
from agentd.retrieval.entries import absolute
from agentd.retrieval.places import Places

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentd.domain import Filter
    from agentd.protocol import FileInfo, FileList, Span
    from agentd.retrieval.places import IndexedRoots
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import DocumentRow

MAX_SPAN_CHARS = 200_000
"""Some 50,000 tokens; a longer span is cut at a line, and says so."""


class FileReader:
    """Serves text of files that the index knows, and of no others: what the ignore rules hide stays hidden.

    ``mask`` gives a text with its secrets masked, as long as it was.
    """

    def __init__(
        self, catalogue: Catalogue, index: IndexedRoots, max_bytes: int, mask: Callable[[str], Awaitable[str]]
    ) -> None:
        self._catalogue = catalogue
        self._places = Places(catalogue, index)
        self._mask = mask
        self.max_bytes = max_bytes

    async def read_span(self, path: str, start_line: int, end_line: int | None, *, masked: bool = False) -> Span:
        """Lines ``start_line`` to ``end_line`` (from 1, both included; None: the end), cut where file or bound ends.

        Where they are ``masked``, the whole file is looked through for secrets: what makes a secret of a line may stand
        outside of the span.

        Raises:
            OutsideRootsError: no root holds the path.
            FileGoneError: it cannot be read from the disk now.
            NotFoundError: the index does not know such a file, it has no text, or it ends before ``start_line``.
        """
        place = await self._places.file(path)
        if masked:
            text = await asyncio.to_thread(self._text, place.root, place.path)
            lines = await asyncio.to_thread(split_lines, await self._mask(text))
        else:
            lines = await asyncio.to_thread(self._lines, place.root, place.path)
        return cut_span(place.absolute, place.root, lines, start_line, len(lines) if end_line is None else end_line)

    async def list_files(self, only: Filter, *, skipped: bool, after: str | None, limit: int) -> FileList:
        """A page of the files that the index knows, in the order of root and path."""
        rows = await self._catalogue.passages.documents_page(only, after or "", limit, skipped=skipped)
        files = [described(row) for row in rows]
        total = await self._catalogue.passages.count(only, skipped=skipped)
        return {"files": files, "total": total, "next": files[-1]["path"] if len(files) == limit else None}

    def _lines(self, root: str, relative: str) -> list[str]:
        return split_lines(self._text(root, relative))

    def _text(self, root: str, relative: str) -> str:
        read = read_file(root, relative, self.max_bytes)
        if read.vanished or read.skip is not None:
            raise FileGoneError(f"{relative} in {root} cannot be read now: {read.skip or 'it is gone'}")
        decoded = decode(read.data)
        if decoded is None:
            raise NotFoundError(f"{relative} in {root} has no lines: it is binary; search shows its text")
        return decoded.text


def described(row: DocumentRow) -> FileInfo:
    """The document as the protocol shows it."""
    return {
        "path": absolute(row),
        "root": row.root_path,
        "language": row.language,
        "kind": row.kind,
        "size": row.size,
        "chunks": row.chunks,
        "skip": row.skip or None,
    }


def split_lines(text: str) -> list[str]:
    """Lines end with a line feed alone, as in the chunks: form feeds and lone carriage returns do not count."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def cut_span(path: str, root: str, lines: list[str], start_line: int, end_line: int) -> Span:
    """The span, bounded by MAX_SPAN_CHARS. That of a file without lines is empty, and ends before it starts."""
    if start_line > max(len(lines), 1):
        raise NotFoundError(f"{path} has {len(lines)} lines; expected start_line up to that, found {start_line}")
    taken: list[str] = []
    chars = 0
    for line in lines[start_line - 1 : end_line]:
        chars += len(line)
        if taken and chars > MAX_SPAN_CHARS:
            break
        taken.append(line[:MAX_SPAN_CHARS])
    last = start_line + len(taken) - 1
    return {
        "path": path,
        "root": root,
        "start_line": start_line,
        "end_line": last,
        "total_lines": len(lines),
        "text": "".join(taken),
        "cut": chars > MAX_SPAN_CHARS,
    }
