"""Whether cited text stands where a citation says, on the disk as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agentd.answer.contracts import Ground, Standing
from agentd.errors import FileGoneError, NotFoundError, OutsideRootsError
from agentd.kernels.secrets import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.protocol import Span

REFRESH_SECONDS = 1.0
"""How long a file that changed may take to be read again before its text counts as changed."""


class Lines(Protocol):
    """Who reads files below roots, as they are now."""

    async def read_span(self, path: str, start_line: int, end_line: int | None, *, masked: bool = False) -> Span:
        """Lines of a file, with or without its secrets. Raises OutsideRootsError, FileGoneError, NotFoundError."""
        ...


class Indexed(Protocol):
    """Who knows what was extracted from files that have no lines of their own: PDF, HTML, notebooks."""

    async def texts(self, path: str) -> Sequence[tuple[int, int, str]]:
        """(first line, last line, text) of each passage of the file at ``path`` (absolute); none where it is gone."""
        ...


class Refresh(Protocol):
    """Who reads changed files again."""

    async def refresh(self, paths: Iterable[str], within: float) -> bool:
        """Bring these files up to date in the index."""
        ...


class Grounder:
    """Compares cited text with its file: at its lines, anywhere in it, then in what was extracted from it."""

    def __init__(self, lines: Lines, indexed: Indexed, index: Refresh) -> None:
        self._lines = lines
        self._indexed = indexed
        self._index = index

    async def look(self, path: str, start_line: int, end_line: int, text: str) -> Ground:
        """Where ``text``, last seen in those lines of ``path``, stands now."""
        wanted = text.strip("\n")
        try:
            found = await self._in_file(path, start_line, end_line, wanted, masked=False)
            if found is None and MASK in wanted:  # it may have been shown without the secrets in it
                found = await self._in_file(path, start_line, end_line, wanted, masked=True)
        except (OutsideRootsError, FileGoneError):  # of a root that is away, the index still holds everything
            return Ground(Standing.GONE, start_line, end_line)
        return found or await self._extracted(path, start_line, end_line, wanted)

    async def _in_file(self, path: str, start_line: int, end_line: int, wanted: str, *, masked: bool) -> Ground | None:
        """In those lines, or anywhere. Raises OutsideRootsError, FileGoneError."""
        if wanted in await self._span(path, start_line, end_line, masked=masked):
            return Ground(Standing.CURRENT, start_line, end_line)
        whole = await self._span(path, 1, None, masked=masked)
        if (at := whole.find(wanted)) < 0:
            return None
        first = whole.count("\n", 0, at) + 1
        return Ground(Standing.MOVED, first, first + wanted.count("\n"))

    async def _span(self, path: str, start_line: int, end_line: int | None, *, masked: bool) -> str:
        """The lines; ``""`` where there are none. Raises OutsideRootsError, FileGoneError."""
        try:
            span = await self._lines.read_span(path, start_line, end_line, masked=masked)
        except FileGoneError:
            raise
        except NotFoundError:
            return ""
        return span["text"]

    async def _extracted(self, path: str, start_line: int, end_line: int, wanted: str) -> Ground:
        await self._index.refresh([path], REFRESH_SECONDS)
        passages = await self._indexed.texts(path)
        if not passages:
            return Ground(Standing.GONE, start_line, end_line)
        ordered = sorted(passages, key=lambda each: abs(each[0] - start_line))
        for first, last, text in ordered:
            if wanted in text:
                moved = first > end_line or last < start_line
                return Ground(Standing.MOVED if moved else Standing.CURRENT, first, last)
        return Ground(Standing.CHANGED, start_line, end_line)
