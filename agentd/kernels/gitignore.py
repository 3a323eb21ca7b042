r"""The patterns of one ignore file, with the meaning that git gives them (gitignore(5); ``dir.c`` and ``wildmatch.c``).

Everything is bytes, as in git: ``?`` matches one byte. A path is judged by itself alone; that what lies below an
ignored directory is ignored as well follows from never entering it. Most patterns are a plain name, a plain path or
``*`` and a suffix: those are looked up, however many there are. The rest become regular expressions in which no star
is tried twice: the shortest match of a star is always good enough when another of its sort follows, so it is an atomic
group, and a hostile pattern such as ``*a*a*a*a*b`` takes no longer than an honest one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NO_MATCH = -1
_SPECIAL = re.compile(rb"[*?\[\\]")
_CLASSES: dict[bytes, Callable[[bytes], bool]] = {
    b"alnum": bytes.isalnum,
    b"alpha": bytes.isalpha,
    b"blank": lambda byte: byte in b" \t",
    b"cntrl": lambda byte: byte[0] < 32 or byte[0] == 127,
    b"digit": bytes.isdigit,
    b"graph": lambda byte: 32 < byte[0] < 127,
    b"lower": bytes.islower,
    b"print": lambda byte: 32 <= byte[0] < 127,
    b"punct": lambda byte: 32 < byte[0] < 127 and not byte.isalnum(),
    b"space": lambda byte: byte in b" \t\n\r",
    b"upper": bytes.isupper,
    b"xdigit": lambda byte: byte in b"0123456789abcdefABCDEF",
}


class _Pattern(NamedTuple):
    """One line: ``glob`` without ``!`` and trailing ``/``; ``rank`` grows with the line and is odd where negated.

    A glob without ``/`` is held against the last component alone, at any depth; others against the whole path.
    """

    glob: bytes
    rank: int
    directories_only: bool


class _Globs:
    """Expressions in the order of their lines, behind one that tells at once that none of them matches."""

    def __init__(self, ranked: list[tuple[int, bytes]]) -> None:
        self._ranked = [(rank, re.compile(expression, re.DOTALL)) for rank, expression in reversed(ranked)]
        self._any = re.compile(b"|".join(expression for _, expression in ranked), re.DOTALL)

    def rank(self, subject: bytes) -> int:
        """The rank of the last one that matches, or NO_MATCH."""
        if not self._any.fullmatch(subject):
            return NO_MATCH
        return next(rank for rank, expression in self._ranked if expression.fullmatch(subject))


class _Table:
    """Patterns of equal applicability; ``rank`` gives the last one that matches, since the last one decides."""

    def __init__(self, patterns: list[_Pattern]) -> None:
        self._names: dict[bytes, int] = {}
        self._paths: dict[bytes, int] = {}
        self._suffixes: dict[bytes, int] = {}
        name_globs: list[tuple[int, bytes]] = []
        path_globs: list[tuple[int, bytes]] = []
        for glob, rank, _ in patterns:
            if b"/" in glob:
                self._add_path(glob.removeprefix(b"/"), rank, path_globs)
            else:
                self._add_name(glob, rank, name_globs)
        self._any_suffix = tuple(self._suffixes)
        self._name_globs = _Globs(name_globs) if name_globs else None
        self._path_globs = _Globs(path_globs) if path_globs else None

    def _add_name(self, glob: bytes, rank: int, globs: list[tuple[int, bytes]]) -> None:
        if not _SPECIAL.search(glob):
            self._names[glob] = rank
        elif glob.startswith(b"*") and not _SPECIAL.search(glob, 1):
            self._suffixes[glob[1:]] = rank
        elif expression := translate_name(glob):
            globs.append((rank, expression))

    def _add_path(self, glob: bytes, rank: int, globs: list[tuple[int, bytes]]) -> None:
        if not _SPECIAL.search(glob):
            self._paths[glob] = rank
        elif expression := translate_path(glob):
            globs.append((rank, expression))

    def rank(self, path: bytes, name: bytes) -> int:
        """The highest rank among the patterns that match, or NO_MATCH."""
        best = self._names.get(name, NO_MATCH)
        if self._paths:
            best = max(self._paths.get(path, NO_MATCH), best)
        if self._any_suffix and name.endswith(self._any_suffix):
            best = max(best, *(rank for suffix, rank in self._suffixes.items() if name.endswith(suffix)))
        if self._name_globs:
            best = max(self._name_globs.rank(name), best)
        if self._path_globs:
            best = max(self._path_globs.rank(path), best)
        return best


class Patterns:
    """A compiled ignore file. Falsy where it holds no pattern."""

    def __init__(self, text: bytes) -> None:
        patterns = list(_parse(text))
        self._count = len(patterns)
        self._all = _Table([pattern for pattern in patterns if not pattern.directories_only])
        directories = [pattern for pattern in patterns if pattern.directories_only]
        self._directories = _Table(directories) if directories else None

    def __bool__(self) -> bool:
        return self._count > 0

    def verdict(self, path: bytes, name: bytes, *, is_dir: bool) -> bool | None:
        """True to ignore, False to include again, None where no pattern matches.

        ``path`` is relative to the ignore file's folder, ``name`` its last component.
        """
        rank = self._all.rank(path, name)
        if is_dir and self._directories:
            rank = max(rank, self._directories.rank(path, name))
        return None if rank == NO_MATCH else rank % 2 == 0


def _parse(text: bytes) -> Iterator[_Pattern]:
    for number, raw in enumerate(text.removeprefix(b"\xef\xbb\xbf").split(b"\n")):
        line = raw.removesuffix(b"\r")
        if not line or line.startswith(b"#") or b"\0" in line:
            continue
        line = _without_trailing_spaces(line)
        negated = line.startswith(b"!")
        glob = line[1:] if negated else line
        directories_only = glob.endswith(b"/")
        if glob := glob[:-1] if directories_only else glob:
            yield _Pattern(glob, 2 * number + negated, directories_only)


def _without_trailing_spaces(line: bytes) -> bytes:
    r"""Strip spaces at the end, unless a backslash protects the first of them."""
    stripped = line.rstrip(b" ")
    backslashes = len(stripped) - len(stripped.rstrip(b"\\"))
    return stripped + b" " if backslashes % 2 and stripped != line else stripped


def translate_name(glob: bytes) -> bytes | None:
    """An expression for one component, where ``**`` is ``*``; None where the pattern can match nothing."""
    tokens = _tokens(glob)
    return None if tokens is None else _join(tokens)


def translate_path(glob: bytes) -> bytes | None:
    """An expression for a whole path, where ``**`` between slashes stands for any number of components.

    Git compares the part before the first wildcard separately, so that ``**`` is special right behind it, too.
    """
    first = _SPECIAL.search(glob)
    prefix = first.start() if first else len(glob)
    rest = translate_name(glob[prefix:])
    return None if rest is None else re.escape(glob[:prefix]) + rest


class _Star(NamedTuple):
    """A star in a pattern: ``deep`` where it crosses slashes, ``optional`` for ``**/``, which may stand for nothing."""

    deep: bool
    optional: bool = False


def _tokens(glob: bytes) -> list[bytes | _Star] | None:
    r"""Split into stars and expressions of one byte; None for a class that does not end or a ``\`` before nothing."""
    tokens: list[bytes | _Star] = []
    at = 0
    while at < len(glob):
        byte = glob[at : at + 1]
        if byte == b"*":
            star, at = _star(glob, at)
            tokens.append(star)
        elif byte == b"[":
            parsed = _class(glob, at + 1)
            if parsed is None:
                return None
            token, at = parsed
            tokens.append(token)
        elif byte == b"\\" and at + 1 == len(glob):
            return None
        else:
            at += byte == b"\\"
            literal = glob[at : at + 1]
            tokens.append(b"[^/]" if byte == b"?" else re.escape(literal))
            at += 1
    return tokens


def _star(glob: bytes, at: int) -> tuple[_Star, int]:
    end = at
    while glob[end : end + 1] == b"*":
        end += 1
    opens = at == 0 or glob[at - 1 : at] == b"/"
    closes = end == len(glob) or glob[end : end + 1] == b"/" or glob[end : end + 2] == b"\\/"
    if end - at < 2 or not (opens and closes):
        return _Star(deep=False), end
    if glob[end : end + 1] == b"/":
        return _Star(deep=True, optional=True), end + 1
    return _Star(deep=True), end


def _class(glob: bytes, at: int) -> tuple[bytes, int] | None:
    """Read a bracket expression behind its ``[``, as wildmatch does: the members, never ``/``, as an expression."""
    negated = glob[at : at + 1] in {b"!", b"^"}
    at += negated
    members: set[int] = set()
    previous = -1  # the byte that may open a range
    first = True
    while first or glob[at : at + 1] != b"]":
        first = False
        item = _class_item(glob, at, previous)
        if item is None:
            return None
        more, previous, at = item
        members |= more
        if at >= len(glob):
            return None
    chosen = (set(range(256)) - members if negated else members) - {ord("/")}
    body = b"".join(b"\\x%02x" % byte for byte in sorted(chosen))
    return (b"[" + body + b"]" if body else b"(?!)"), at + 1


def _class_item(glob: bytes, at: int, previous: int) -> tuple[set[int], int, int] | None:
    """One member, range or named class at ``at``: bytes added, byte that may open a range, where the next one is."""
    byte = glob[at : at + 1]
    if not byte:
        return None
    if byte == b"-" and previous > 0 and glob[at + 1 : at + 2] not in {b"", b"]"}:
        at += 1 + (glob[at + 1 : at + 2] == b"\\")
        return (set(range(previous, glob[at] + 1)), -1, at + 1) if at < len(glob) else None
    if byte == b"[" and glob[at + 1 : at + 2] == b":":
        end = glob.find(b"]", at + 2)
        if end < 0:
            return None
        if end - at >= 3 and glob[end - 1 : end] == b":":
            member = _CLASSES.get(glob[at + 2 : end - 1])
            return ({b for b in range(256) if member(bytes((b,)))}, -1, end + 1) if member else None
    if byte == b"\\":
        at += 1
        if at >= len(glob):
            return None
    return {glob[at]}, glob[at], at + 1


def _join(tokens: list[bytes | _Star]) -> bytes:
    """Write the expression: each star with what follows it up to the next star of its sort, all but the last atomic.

    Between two deep stars lie whole components, between two others a part of one component; either way the earliest
    match leaves the most for what follows.
    """
    parts = _split(tokens, deep=True)
    written = [_join_component(parts[0][1])]
    for position, (star, part) in enumerate(parts[1:], start=1):
        last = position == len(parts) - 1
        body = _join_component(part)
        skip = b".*?" if not last else b".*"
        lead = b"(?:" + skip + b"/)" + (b"??" if not last else b"?") if star and star.optional else skip
        written.append(lead + body if last else b"(?>" + lead + body + b")")
    return b"".join(written)


def _join_component(tokens: list[bytes | _Star]) -> bytes:
    parts = _split(tokens, deep=False)
    written = [b"".join(token for token in parts[0][1] if isinstance(token, bytes))]
    for position, (_, part) in enumerate(parts[1:], start=1):
        body = b"".join(token for token in part if isinstance(token, bytes))
        last = position == len(parts) - 1 or b"/" in part
        written.append(b"[^/]*" + body if last else b"(?>[^/]*?" + body + b")")
    return b"".join(written)


def _split(tokens: list[bytes | _Star], *, deep: bool) -> list[tuple[_Star | None, list[bytes | _Star]]]:
    """Cut before each star of one sort: that star, and the tokens behind it; the first part has none."""
    parts: list[tuple[_Star | None, list[bytes | _Star]]] = [(None, [])]
    for token in tokens:
        if isinstance(token, _Star) and token.deep == deep:
            parts.append((token, []))
        else:
            parts[-1][1].append(token)
    return parts
