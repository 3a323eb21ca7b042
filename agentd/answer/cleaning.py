"""What a model writes, before anybody sees it: numbers that stand for nothing, addresses that no source has, and the
text of its rules are taken out, piece by piece as it streams. Pure.

A model may have been talked into anything by what it read. So nothing here relies on what it was told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.answer.inert import defanged, inert, inert_code, visible
from agentd.answer.marks import MARK, numbers_in
from agentd.answer.unsaid import Unsaid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

LONGEST_HELD = 400
"""Characters of a link, a mark or a piece of code that are waited for; what is longer is none."""
LONGEST_WORD = 4000
"""Characters without a space; no answer has such a word, and an address must not be cut in two."""

_CODE = re.compile(r"(`+)(?:.*?)\1", re.DOTALL)
_FENCE = re.compile(r"^\s*(```|~~~)")
_LINK = re.compile(
    r"!?\[(?P<text>[^\[\]]{0,400})\]\(\s*<?(?P<address>[^\s<>()]{0,2048}(?:\([^\s()]{0,400}\)[^\s<>()]{0,400}){0,9})>?"
    r"[^()]{0,400}\)"
)
_SPACE = re.compile(r"\s+")
_PLAIN = re.compile(r"[\w \t\n.,;?!'\"()*+-]*")
"""Without ``www.``, nothing of this is, or is part of, a mark, a link, an address or a tag: most of what streams."""
_AT_COLON = re.compile(r"\]:[ \t]*$")
"""What follows may be the address of a definition."""


class Cleaner:
    """Takes an answer in pieces and gives it on in pieces, cleaned. One for each attempt of a model.

    Numbers from 1 to ``sources`` are citations. ``addresses`` may stand in the answer; every other one is defanged.
    Of ``hidden`` texts no longer run gets through, and of ``markers`` nothing.
    """

    def __init__(
        self, sources: int, addresses: Collection[str], hidden: Sequence[str] = (), markers: Sequence[str] = ()
    ) -> None:
        self._sources = sources
        self._addresses = addresses
        self._unsaid = Unsaid(hidden)
        self._markers = [re.compile(re.escape(marker), re.IGNORECASE) for marker in markers]
        self._held = ""
        self._in_code = False
        self._line = ""  # what of the present line was given on, to see fences
        self._forged = 0  # numbers
        self._broken = 0  # pieces with an address, a link, an image or a tag

    def feed(self, piece: str) -> str:
        """What can be given on after ``piece``."""
        self._held += visible(piece)
        if len(self._held) > LONGEST_WORD and not _SPACE.search(self._held):
            self._held = "… "
        ready = self._held[: safe_end(self._held)]
        self._held = self._held[len(ready) :]
        return self._unsaid.feed(self._clean(ready))

    def end(self) -> str:
        """The rest."""
        rest, self._held = self._held, ""
        return self._unsaid.feed(self._clean(rest)) + self._unsaid.end()

    def problems(self) -> Iterator[str]:
        """What had to be taken out, in sentences: a source may have asked for it."""
        if self._unsaid.dropped:
            yield "the model began to repeat its instructions; they were taken out"
        if self._forged:
            yield f"the model cited {self._forged} numbers that stand for no source; they were taken out"
        if self._broken:
            yield (
                "the model wrote links, images, HTML or addresses that no source has; they were made unusable. "
                "A source may have told it to"
            )

    def _clean(self, text: str) -> str:
        for marker in self._markers:
            text = marker.sub("", text)
        return "".join(map(self._clean_line, text.splitlines(keepends=True)))

    def _clean_line(self, part: str) -> str:
        """A line, or the part of one that has come."""
        fence = not self._line.strip() and _FENCE.match(part) is not None
        if fence:
            self._in_code = not self._in_code
        self._line = "" if part.endswith("\n") else self._line + part
        return self._code(part) if fence or self._in_code else self._clean_prose(part)

    def _clean_prose(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        for code in _CODE.finditer(text):
            parts += (self._prose(text[at : code.start()]), self._code(code[0]))
            at = code.end()
        return "".join((*parts, self._prose(text[at:])))

    def _prose(self, text: str) -> str:
        """Links to sources stand; of others the words do. What is taken out may bring the parts of a link together, so
        the rest is made inert afterwards, as a whole.
        """
        if _PLAIN.fullmatch(text) and "www." not in text.casefold():
            return text
        parts: list[str] = []
        rest = ""
        at = 0
        for link in _LINK.finditer(text):
            rest += text[at : link.start()]
            at = link.end()
            if link["address"] in self._addresses and not link[0].startswith("!"):
                parts += (self._inert(rest), defanged(link[0], self._addresses))
                rest = ""
            else:
                rest += f"[{link['text']}]" if numbers_in(link["text"]) else link["text"]
                self._broken += 1
        return "".join((*parts, self._inert(rest + text[at:])))

    def _inert(self, text: str) -> str:
        marked = MARK.sub(self._mark, text)
        return self._noted(marked, inert(marked, self._addresses))

    def _code(self, text: str) -> str:
        return self._noted(text, inert_code(text, self._addresses))

    def _noted(self, before: str, after: str) -> str:
        self._broken += before != after
        return after

    def _mark(self, match: re.Match[str]) -> str:
        numbers = numbers_in(match[1])
        there = [str(number) for number in numbers if 1 <= number <= self._sources]
        self._forged += len(numbers) - len(there)
        return f"[{', '.join(there)}]" if there else ""


def safe_end(text: str) -> int:
    """How much of ``text`` can be cleaned on its own: up to a space or line end that no link, mark or code goes across.

    >>> safe_end("see [1,"), safe_end("see [1] an"), safe_end("x `a b")
    (4, 8, 2)
    """
    line = text.rfind("\n") + 1
    ends = [space.end() for space in _SPACE.finditer(text, line)]
    safe = next((end for end in reversed(ends) if _is_whole(text[line:end])), line)
    if len(text) - safe <= LONGEST_HELD:
        return safe
    return ends[-1] if ends else safe


def _is_whole(text: str) -> bool:
    """Whether no link, mark or code is open at the end of (the beginning of a line) ``text``."""
    if text.count("`") % 2 or _AT_COLON.search(text):
        return False
    return text.rfind("[") <= text.rfind("]") and text.rfind("](") <= text.rfind(")")
