"""Standard input as the SDK can read it: half a pair of surrogates, which JavaScript writes where a text was cut within
an emoji, is no JSON to it, and a call that holds one would never be answered.
"""

from __future__ import annotations

import re
import sys
from io import TextIOWrapper

import anyio

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""Escapes of JSON (RFC 8259, 7): whole pairs, halves, and all others, so that none is looked for within another."""
REPLACEMENT = "\\ufffd"


class Lines(TextIOWrapper):
    """Text, line by line, without halves of pairs."""

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # as TextIOWrapper overrides its own base
        """The next line; empty at the end."""
        return whole(super().readline(size))


def whole(line: str) -> str:
    """A line of JSON with U+FFFD in the place of each half of a surrogate pair that stands alone."""
    if "\\ud" not in line and "\\uD" not in line:
        return line
    return _ESCAPE.sub(lambda found: REPLACEMENT if found[1] else found[0], line)


def standard_input() -> anyio.AsyncFile[str]:
    """What the client writes, as UTF-8."""
    return anyio.wrap_file(Lines(sys.stdin.buffer, encoding="utf-8", errors="replace"))
