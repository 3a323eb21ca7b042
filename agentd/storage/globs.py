"""Path globs of a search: what they match, as regular expressions for Python and for tantivy. Pure.

Paths are relative to the root, with ``/`` between parts. ``*`` and ``?`` stay within a part, a part ``**`` stands for
any number of parts, ``[a-z]`` and ``[!a-z]`` match one character; nothing is an escape, ``[*]`` is a literal star.

A pattern without ``/`` names a file or a directory at any depth, one with ``/`` starts at the root. What names a
directory matches everything below it; a slash at the end says that nothing but a directory is meant.

>>> matches = lambda pattern, path: bool(re.fullmatch(glob_to_regex(pattern), path))
>>> matches("*.py", "src/app.py"), matches("src/*.py", "src/api/app.py")
(True, False)
>>> matches("src/api", "src/api/app.py"), matches("api/", "src/api/app.py")
(True, True)
>>> matches("docs/**/*.md", "docs/index.md"), matches("docs/**/*.md", "docs/a/b/c.md")
(True, True)
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(r"\*+|\?|\[[!^]?+(?:\][^\]]*|[^\]]+)\]|[^*?\[]+|\[", re.DOTALL)
_WILD = "*?["
_META = frozenset(r"\.+*?()|[]{}^$-&~#")

_ANY = "(?s:.)"
_DEEPER = "(?:[^/]+/)*"


class Coarse(NamedTuple):
    """What SQLite can test fast. Every match starts with ``prefix`` and holds ``literal``, and some others do too."""

    prefix: str
    literal: str


def glob_to_regex(pattern: str) -> str:
    """A regular expression for ``re.fullmatch``, in time linear to quadratic in the path, whatever the pattern.

    Between two stars the leftmost match leaves the most for what follows, so no other needs to be tried: an atomic
    group around it, as in CPython's ``fnmatch.translate``, keeps a hostile pattern from backtracking for ever.
    """
    return _regex(pattern, atomic=True)


def glob_to_tantivy_regex(pattern: str) -> str:
    """The same for tantivy, whose automata match whole terms and know neither anchors nor atomic groups."""
    return _regex(pattern, atomic=False)


def coarse(pattern: str) -> Coarse:
    """A cheap test that every matching path passes."""
    anchored, parts = _parts(pattern)
    tokens: list[str] = _TOKEN.findall("/".join(parts))
    literals = [token.strip("/") for token in tokens if token[0] not in _WILD]
    prefix = tokens[0] if anchored and tokens and tokens[0][0] not in _WILD else ""
    # A slash beside "**" may have no counterpart in the path: "a/**/b" matches "a/b".
    return Coarse(prefix.rstrip("/"), max(literals, key=len, default=""))


def _parts(pattern: str) -> tuple[bool, list[str]]:
    """Whether the pattern starts at the root, and its parts, without repeated ``**``."""
    stripped = pattern.rstrip("/")
    anchored = "/" in stripped
    parts = [part for part in stripped.split("/") if part not in {"", "."}]
    if parts and not anchored:
        parts = ["**", *parts]
    return anchored, [part for before, part in pairwise(["", *parts]) if (before, part) != ("**", "**")]


def _regex(pattern: str, *, atomic: bool) -> str:
    _, parts = _parts(pattern)
    if not parts:
        return f"{_ANY}*"
    deep = parts[-1] == "**"
    runs = _runs(parts[:-1] if deep else parts)
    regex = ""
    for position, run in enumerate(runs):
        last = position == len(runs) - 1 and not deep
        found = "/".join(_part(part, atomic=atomic) for part in run) + ("" if last or not run else "/")
        if position == 0:
            regex = found
        elif last or not atomic:
            regex += f"{_DEEPER}{found}"
        else:
            regex += f"(?>{_DEEPER}?{found})"
    if deep:
        return f"{regex}{_ANY}+"
    return f"{regex}/{_ANY}+" if pattern.endswith("/") else f"{regex}(?:/{_ANY}+)?"


def _runs(parts: list[str]) -> list[list[str]]:
    """The parts between one ``**`` and the next; the first run is empty where the pattern starts with one."""
    runs: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(part)
    return runs


def _part(part: str, *, atomic: bool) -> str:
    """The regular expression of one part: fixed pieces with stars between them."""
    pieces = [""]
    for token in _TOKEN.findall(part):
        if token[0] == "*":
            pieces.append("")
        else:
            pieces[-1] += _piece(token)
    head, *starred = pieces
    if not starred:
        return head
    middle = "".join(f"(?>[^/]*?{piece})" if atomic else f"[^/]*{piece}" for piece in starred[:-1])
    return f"{head}{middle}[^/]*{starred[-1]}"


def _piece(text: str) -> str:
    if text == "?":
        return "[^/]"
    if text[0] == "[" and len(text) > 1:
        return _character_class(text[1:-1])
    return "".join(map(_escape, text))


def _character_class(body: str) -> str:
    negated = body[0] in "!^"
    body = body[negated:]
    items: list[str] = []
    while body:
        if len(body) > 2 and body[1] == "-":
            items.append(_range(*sorted((body[0], body[2]))))
            body = body[3:]
        else:
            items.append(_escape(body[0]))
            body = body[1:]
    return f"[^/{''.join(items)}]" if negated else f"[{''.join(items)}]"


def _range(low: str, high: str) -> str:
    """The range without the slash, which no wildcard matches."""
    if low < "/" < high:
        return _range(low, ".") + _range("0", high)
    return f"{_escape(low)}-{_escape(high)}"


def _escape(character: str) -> str:
    return f"\\{character}" if character in _META else character
