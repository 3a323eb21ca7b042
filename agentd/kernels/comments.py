"""Docs of definitions, read from the text around them: docstrings, and the comments right above."""

from __future__ import annotations

import re

MAX_ROWS = 200
"""Lines of comment above a definition that are its own."""

_QUOTE = re.compile(rb"[rRuU]?(\"\"\"|'''|\"|')")
_MARKERS: dict[str, tuple[bytes, ...]] = {
    "python": (b"#",),
    "ruby": (b"#",),
    "bash": (b"#",),
    "lua": (b"--",),
    "php": (b"//", b"#"),
    "rust": (b"//", b"#["),  # attributes stand there, too
    "typescript": (b"//", b"@"),  # and decorators, which its grammar puts beside the members of a class
    "tsx": (b"//", b"@"),
}
_SLASHES = (b"//",)
_BLOCKLESS = frozenset({"python", "ruby", "bash", "lua"})
"""Languages whose block comments, if any, do not end with ``*/``."""

_MARKER = re.compile(r"(?m)^[ \t]*(?:/\*+!?|//+!?|\*(?!/)|#+!?|--+)[ \t]?")
_CLOSING = re.compile(r"[ \t]*\*+/[ \t]*$", re.MULTILINE)
_ATTRIBUTE = re.compile(r"(?ms)^[ \t]*#!?\[.*?\][ \t\r]*$")
_DECORATOR = re.compile(r"(?m)^[ \t]*@.*$")
_XML = re.compile(r"</?[a-z]\w*[^<>]*>")
_SENTENCE = re.compile(r"(.+?[.!?])(?=\s|$)|\n\s*\n", re.DOTALL)


def lead(data: bytes, start: int, floor: int, language: str) -> tuple[int, int]:
    """Where the comments right above a definition at ``start`` begin, and how many lines they are.

    No line is taken that begins before ``floor`` or on its line.
    """
    line = data.rfind(b"\n", 0, start) + 1
    if line <= floor or data[line - 2 : line] == b"\n\n" or data[line:start].strip():
        return start, 0
    markers = _MARKERS.get(language, _SLASHES)
    first, rows = line, 0
    while rows < MAX_ROWS:
        above = data.rfind(b"\n", 0, first - 1) + 1
        text = data[above : first - 1].strip()
        if not text.startswith(markers):
            opening = b"#[" if language == "rust" and text.endswith(b")]") else b"/*"
            if language in _BLOCKLESS or not text.endswith((b"*/", b")]")):
                break
            above = _block_start(data, first, opening)
        if above < floor or text.startswith(b"#!/") or not first:
            break
        rows += data.count(b"\n", above, first)
        first = above
    if not rows:
        return start, 0
    indent = data[first:start]
    return first + len(indent) - len(indent.lstrip()), rows


def _block_start(data: bytes, end: int, opening: bytes) -> int:
    """The line on which a comment or an attribute opens that closes right before ``end``; -1 if code is before it."""
    opens = data.rfind(opening, 0, end)
    line = data.rfind(b"\n", 0, max(opens, 0)) + 1
    return line if opens >= 0 and not data[line:opens].strip() else -1


def docstring(data: bytes, body: int, limit: int) -> str:
    """The string that a body of Python begins with, at most ``limit`` characters of it; '' for none."""
    quote = _QUOTE.match(data, body)
    if quote is None:
        return ""
    start = quote.end()
    end = data.find(quote[1], start, start + 4 * limit)
    return _tidy(data[start : end if end >= 0 else start + 4 * limit].decode(errors="ignore"))[:limit]


def comment_text(comment: bytes, language: str, limit: int) -> str:
    """Comments without their markers, at most ``limit`` characters."""
    text = comment[: 4 * limit].decode(errors="ignore")
    if language in {"rust", "php"}:
        text = _ATTRIBUTE.sub("", text)
    elif language in {"typescript", "tsx"}:
        text = _DECORATOR.sub("", text)
    elif language == "csharp":
        text = _XML.sub("", text)
    return _tidy(_MARKER.sub("", _CLOSING.sub("", text)))[:limit].rstrip()


def first_sentence(doc: str, limit: int) -> str:
    """The first sentence, or the first paragraph where it holds none, in one line of at most ``limit`` characters."""
    paragraph = doc.partition("\n\n")[0]
    match = _SENTENCE.match(paragraph)
    return " ".join((match[0] if match else paragraph).split())[:limit]


def _tidy(text: str) -> str:
    return "\n".join(map(str.strip, text.strip().splitlines()))
