"""Citation marks in an answer: ``[1]``, ``[2, 3]``, ``[1][2]``. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.kernels.sentences import without_code

if TYPE_CHECKING:
    from collections.abc import Container

MARK = re.compile(r"\[((?:\d{1,3}|\d{1,3}(?:\s*[,;]\s*\d{1,3})+))\]")


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
