"""What a model writes, before anybody sees it: numbers that stand for nothing, addresses that no source has, and the
text of its rules are taken out, piece by piece as it streams. Pure.

A model may have been talked into anything by what it read. So nothing here relies on what it was told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.answer.marks import MARK, numbers_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

LONGEST_HELD = 400
"""Characters of a link, a mark or a piece of code that are waited for; what is longer is none."""
LONGEST_WORD = 4000
"""Characters without a space; no answer has such a word, and an address must not be cut in two."""

HIDDEN_RUN = 40
"""Letters and digits in a row that make it text of the rules. Shorter runs are common English."""

_CODE = re.compile(r"(`+)(?:.*?)\1", re.DOTALL)
_FENCE = re.compile(r"^\s*(```|~~~)")
_LINK = re.compile(r"!?\[(?P<text>[^\[\]]*)\]\(\s*<?(?P<address>[^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?[^()]*\)")
_IMAGE = re.compile(r"!(?=\[)")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}:/{2}[^\s<>\"'`\]|]+", re.IGNORECASE)
_SCHEME = re.compile(r"\b(https?|ftp|javascript|vbscript|mailto|data(?=:\w+/)|file(?=:/)):(?=[^\s:])", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}):(?=[/\\]{2})", re.IGNORECASE)
_WWW = re.compile(r"\bwww\.(?=\w)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"((?:\b[\w:-]{3,12}\s*=|\burl\()\s*[\"']?\s*)[/\\]{2}(?=\w)", re.IGNORECASE)
_TRAILING = ".,;:!?)"
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\S*\s+|\S+")


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

    def feed(self, piece: str) -> str:
        """What can be given on after ``piece``."""
        self._held += piece
        if len(self._held) > LONGEST_WORD and not _SPACE.search(self._held):
            self._held = "… "
        ready = self._held[: safe_end(self._held)]
        self._held = self._held[len(ready) :]
        return self._unsaid.feed(self._clean(ready))

    def end(self) -> str:
        """The rest."""
        rest, self._held = self._held, ""
        return self._unsaid.feed(self._clean(rest)) + self._unsaid.end()

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
        return self._defanged(part) if fence or self._in_code else self._clean_prose(part)

    def _clean_prose(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        for code in _CODE.finditer(text):
            parts += (self._prose(text[at : code.start()]), self._defanged(code[0]))
            at = code.end()
        return "".join((*parts, self._prose(text[at:])))

    def _prose(self, text: str) -> str:
        unlinked = _IMAGE.sub("", _LINK.sub(self._link, text))
        return self._defanged(MARK.sub(self._mark, unlinked))

    def _link(self, match: re.Match[str]) -> str:
        """A link to a source stands; of any other, and of every image, the words alone."""
        kept = match["address"] in self._addresses and not match[0].startswith("!")
        return match[0] if kept else f"[{match['text']}]" if numbers_in(match["text"]) else match["text"]

    def _mark(self, match: re.Match[str]) -> str:
        there = [str(number) for number in numbers_in(match[1]) if 1 <= number <= self._sources]
        return f"[{', '.join(there)}]" if there else ""

    def _defanged(self, text: str) -> str:
        """Addresses of sources stand; in others the scheme is broken, so that nothing makes a link of them."""
        parts: list[str] = []
        at = 0
        for address in _ADDRESS.finditer(text):
            bare = address[0].rstrip(_TRAILING)
            if bare in self._addresses:
                parts += (_broken(text[at : address.start()]), bare)
                at = address.start() + len(bare)
        return "".join((*parts, _broken(text[at:])))


def _broken(text: str) -> str:
    text = _ANY_SCHEME.sub(r"\1[:]", _SCHEME.sub(r"\1[:]", text))
    return _WWW.sub("www[.]", _ATTRIBUTE.sub(r"\1", text))


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
    code = text.count("`") % 2
    return not code and text.rfind("[") <= text.rfind("]") and text.rfind("](") <= text.rfind(")")


class Unsaid:
    """Holds words back as long as they may be part of a hidden text, and drops them where they are."""

    def __init__(self, hidden: Sequence[str]) -> None:
        self._hidden = [squashed(text) for text in hidden]
        self._held: list[str] = []
        self._run = ""  # the letters and digits of what is held
        self._dropping = False

    def feed(self, text: str) -> str:
        """What of ``text``, and of what was held, can be said."""
        return "".join(map(self._word, _WORD.findall(text))) if self._hidden else text

    def end(self) -> str:
        """The rest."""
        said = "" if self._dropping else "".join(self._held)
        self._held, self._run, self._dropping = [], "", False
        return said

    def _word(self, word: str) -> str:
        letters = squashed(word)
        if self._dropping:
            if self._known((self._run + letters)[-HIDDEN_RUN:]):
                self._run = (self._run + letters)[-HIDDEN_RUN:]
                return ""
            self._held, self._run, self._dropping = [], "", False
        self._held.append(word)
        self._run += letters
        said = ""
        while self._held and not self._known(self._run):
            first = self._held.pop(0)
            self._run = self._run[len(squashed(first)) :]
            said += first
        if len(self._run) >= HIDDEN_RUN:
            self._held, self._dropping = [], True
        return said

    def _known(self, run: str) -> bool:
        return any(run in text for text in self._hidden)


def squashed(text: str) -> str:
    r"""Letters and digits alone: neither marks nor line ends hide a text.

    >>> squashed("**Rest** on the\nsources.")
    'restonthesources'
    """
    return "".join(filter(str.isalnum, text.casefold()))
