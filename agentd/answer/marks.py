"""Citation marks in an answer, ``[1]``, ``[2, 3]``, ``[1][2]``, and the sentences that they stand in. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

MARK = re.compile(r"\[((?:\d{1,3}|\d{1,3}(?:\s*[,;]\s*\d{1,3})+))\]")

_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`[^`\n]*`")
_END = re.compile(
    r"(?<=[.!?:])(?P<marks>(?:[ \t]*\[[\d,; ]+\])*)(?=\s+[A-Z`\"'(\[*_-]|\s*\Z)"
    r"|(?P<line>\s*\n\s*(?:[-*+]|\d+[.)])\s+|\n\s*\n)"
)
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|approx|Mr|Mrs|Dr|No|Fig|resp)\.$")
_SPACED_MARK = re.compile(rf"\s*{MARK.pattern}")
_WORDS = re.compile(r"\w")


class Sentence(NamedTuple):
    """A sentence without its marks, and the numbers that it cites."""

    text: str
    citations: list[int]


def numbers_in(inside: str) -> list[int]:
    """The numbers of what stands between the brackets of a mark; none where that is something else.

    >>> numbers_in("1, 3"), numbers_in("x")
    ([1, 3], [])
    """
    return [int(part) for part in re.split(r"[,;\s]+", inside.strip())] if MARK.fullmatch(f"[{inside.strip()}]") else []


def cited(text: str) -> list[int]:
    """The numbers cited in ``text``, in the order of their first use; brackets in code are no marks."""
    found = (number for match in MARK.finditer(without_code(text)) for number in numbers_in(match[1]))
    return list(dict.fromkeys(found))


def without_code(text: str) -> str:
    """``text`` with code replaced by as many spaces."""
    blank = _FENCED.sub(lambda match: " " * len(match[0]), text)
    return _INLINE.sub(lambda match: " " * len(match[0]), blank)


def without_marks(text: str, numbers: Container[int]) -> str:
    """``text`` without the citations of ``numbers``, which turned out to stand for nothing."""
    visible = without_code(text)
    parts: list[str] = []
    at = 0
    for match in MARK.finditer(visible):
        kept = [str(number) for number in numbers_in(match[1]) if number not in numbers]
        parts += (text[at : match.start()], f"[{', '.join(kept)}]" if kept else "")
        at = match.end()
    return "".join((*parts, text[at:]))


def sentences(text: str) -> list[Sentence]:
    """The sentences and list items of ``text``; blocks of code and headings make no claims."""
    prose = _FENCED.sub("\n\n", text)
    return [sentence for part in _parts(prose) if (sentence := _sentence(part)) is not None]


def _parts(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(without_inline(text)):
        if _ABBREVIATION.search(text[start : end.start()]):
            continue
        yield text[start : end.end("marks") if end["marks"] else end.start()]
        start = end.end()
    yield text[start:]


def without_inline(text: str) -> str:
    """``text`` with letters for what stands in code: a dot in there ends no sentence."""
    return _INLINE.sub(lambda match: "x" * len(match[0]), text)


def _sentence(part: str) -> Sentence | None:
    plain = " ".join(_SPACED_MARK.sub("", part).split()).lstrip("-*+> ").rstrip()
    if not _WORDS.search(plain) or plain.startswith("#"):
        return None
    return Sentence(plain, cited(part))
