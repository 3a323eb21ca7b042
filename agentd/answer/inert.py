r"""Text that a stranger had a part in, made inert: nothing in it that a reader of Markdown or HTML would load or go to.

What is code for us may be none for the reader: an escaped backtick, a fence in a list and a span that goes on over a
line end are seen differently by each. So code keeps its words, but what would be alive outside of code is broken in it
too. Sources: https://spec.commonmark.org/0.31.2/ (6.3 links, 4.7 definitions, 2.5 entities, 6.6 raw HTML),
https://github.github.com/gfm/#autolinks-extension-, https://url.spec.whatwg.org/#url-parsing. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_SCHEME = re.compile(
    r"\b(https?|ftp|wss?|javascript|vbscript|mailto|xmpp|blob|data(?=:\w+/)|file(?=:/)):(?=[^\s:])", re.IGNORECASE
)
_SLASHES = re.compile(r":(?=[ \t]*[/\\][ \t]*[/\\])")
_WWW = re.compile(r"\bwww\.(?=\w)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"((?:\b[\w:-]{3,12}\s*=|\burl\()\s*[\"']?\s*)[/\\][ \t]*[/\\](?=\w)", re.IGNORECASE)
_ENTITY = re.compile(
    r"&(?=#0*(?:9|10|13|47|58|92)(?!\d)|#x0*(?:9|a|d|2f|3a|5c)(?![\da-f])|(?:colon|sol|bsol|tab|newline);)",
    re.IGNORECASE,
)
"""Another way to write the ``:``, ``/`` and ``\\`` of an address, or what is skipped in one."""

_ELSEWHERE = r"[ \t]*(?:$|[<&\\]|/[/\\&\t]|[a-z][a-z0-9+.-]*(?:[:&\\]|\[:))"
"""What begins the address of another place, or a line end, behind which it may stand."""
_DESTINATION = re.compile(rf"\](?=\({_ELSEWHERE})", re.IGNORECASE | re.MULTILINE)
_DEFINITION = re.compile(rf"\](?=:{_ELSEWHERE})", re.IGNORECASE | re.MULTILINE)
_BODY = re.compile(r"(?:[ \t>*+-]|\d{1,9}[.)])*")
"""What may stand before a definition: quotations and lists."""

_TAG = re.compile(
    r"<(?=[a-z/!?])(?!(?<=\w<)(?!script|style|title|textarea|iframe|xmp|plaintext|no|template|svg|math)[\w.,:?\[\]]+>)",
    re.IGNORECASE,
)
"""All but what stands behind a name, has no attribute, and begins nothing that HTML reads in its own way: ``A<B>``."""

_NUMBER = re.compile(r"\[([\d\s,;]+)\]")
_OPENS = re.compile(r"^(?:[-*+>#=~`|:]+\s*|\d{1,9}[.)]\s+)+")
LONGEST_HEADLINE = 200
"""Characters."""

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}:/{2}[^\s<>\"'`\]|]+", re.IGNORECASE)
_TRAILING = ".,;:!?)"

_UNSEEN_RANGES = (
    (0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x061C, 0x061C), (0x180E, 0x180E), (0x200B, 0x200B),
    (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Controls, what turns the direction of writing, and letters without a shape, which can carry text that nobody sees.
Joiners of scripts and of emoji (U+200C, U+200D, U+FE0F) stay."""
_UNSEEN = {code: None for first, last in _UNSEEN_RANGES for code in range(first, last + 1)}


def visible(text: str) -> str:
    r"""``text`` without what a reader cannot see, or a terminal would obey.

    >>> visible("a\x1b[2Jb\u202ec\U000e0041\n")
    'a[2Jbc\n'
    """
    return text if text.isascii() and text.isprintable() else text.translate(_UNSEEN)


def inert(text: str, addresses: Collection[str] = ()) -> str:
    """Prose without links, images and tags. ``addresses`` stand as they are.

    >>> inert("![x][1] <img src=/y> [a](b) https://x.example")
    '[x][1] < img src=/y> [a] (b) https[:]//x.example'
    """
    plain = _TAG.sub("< ", text).replace("](", "] (").replace("![", "[")
    return defanged(_DEFINITION.sub("] ", plain), addresses)


def headline(text: str) -> str:
    """``text``, of a file's or a page's own making, as a line of ours: no citation, and no item that goes on below it.

    >>> headline("- [7] ![x](//x.example)")
    '(7) [x] (//x.example)'
    """
    line = _NUMBER.sub(r"(\1)", " ".join(visible(text).split()))
    return inert(_OPENS.sub("", line[:LONGEST_HEADLINE]))


def inert_code(text: str, addresses: Collection[str] = ()) -> str:
    """Code as it is, but for what would be alive where a reader takes it for prose.

    >>> inert_code("x = calls[n](argument)  # ![x](//x.example)")
    'x = calls[n](argument)  # ![x] (//x.example)'
    """
    apart = "".join(_DEFINITION.sub(_defining(line), line) for line in text.splitlines(keepends=True))
    return defanged(_DESTINATION.sub("] ", apart), addresses)


def _defining(line: str) -> str:
    """What ``]`` becomes before a colon: where its bracket begins within the line, behind something else, it is an
    index, as in ``for x in a[1:]:``.
    """
    begins = line[len(_BODY.match(line)[0]) :].startswith("[")  # type: ignore[index]  # it matches anything
    return "] " if begins or "\\" in line or line.count("[") != line.count("]") else "]"


def defanged(text: str, addresses: Collection[str] = ()) -> str:
    """``addresses`` stand; in all others the scheme is broken, so that nothing makes a link of them."""
    parts: list[str] = []
    at = 0
    for address in _ADDRESS.finditer(text):
        bare = address[0].rstrip(_TRAILING)
        if bare in addresses:
            parts += (_broken(text[at : address.start()]), bare)
            at = address.start() + len(bare)
    return "".join((*parts, _broken(text[at:])))


def _broken(text: str) -> str:
    text = _SLASHES.sub("[:]", _SCHEME.sub(r"\1[:]", text))
    return _ENTITY.sub("& ", _WWW.sub("www[.]", _ATTRIBUTE.sub(r"\1", text)))
