"""Markdown as it streams, cut into blocks that will not change any more."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ITEM = re.compile(r" {0,3}([-*+]|\d{1,9}[.)])( |$)")
_MAYBE_ITEM = re.compile(r"[-*+\d]")


class Blocks:
    """Takes text and gives blocks as they are complete: paragraphs, headings, code between fences, whole lists.

    A block ends before a line that begins at the margin after an empty one, outside of fences; items of one list may be
    apart by empty lines (CommonMark 0.31, 5.3). ``rest`` is what is not complete: all blocks and the rest are the text.
    """

    def __init__(self) -> None:
        self.rest = ""
        self._complete: list[str] = []
        self._block: list[str] = []
        self._fence = ""
        self._line = ""

    def write(self, text: str) -> Iterator[str]:
        """More text; gives the blocks that it completes."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._add(line, "\n")
        if not _MAYBE_ITEM.match(self._line):  # the beginning of any other line says enough
            self._divide(self._line)
        self.rest = "".join(self._block) + self._line
        return self._take()

    def end(self) -> Iterator[str]:
        """The last blocks; from here on another text is taken."""
        if self._line:
            self._add(self._line, "")
        if self._block:
            self._complete.append("".join(self._block))
        self.rest = self._fence = self._line = ""
        self._block = []
        return self._take()

    def _take(self) -> Iterator[str]:
        complete, self._complete = self._complete, []
        return iter(complete)

    def _add(self, line: str, newline: str) -> None:
        self._divide(line)
        self._block.append(line + newline)
        self._follow_fence(line)

    def _divide(self, line: str) -> None:
        """The block is complete where ``line`` begins another one."""
        if not self._fence and self._begins_another(line):
            self._complete.append("".join(self._block))
            self._block = []

    def _begins_another(self, line: str) -> bool:
        """Whether a line belongs to the next block."""
        if not self._block or self._block[-1].strip() or not line.strip() or line.startswith((" ", "\t")):
            return False
        return not (_ITEM.match(line) and _ITEM.match(self._block[0]))

    def _follow_fence(self, line: str) -> None:
        """A fence is closed by one of its sign, as long or longer, with nothing behind it (CommonMark 0.31, 4.5)."""
        if not (fence := _FENCE.match(line)):
            return
        signs, behind = fence[1], fence[2]
        if not self._fence:
            self._fence = "" if signs[0] == "`" and "`" in behind else signs
        elif signs.startswith(self._fence) and not behind.strip():
            self._fence = ""
