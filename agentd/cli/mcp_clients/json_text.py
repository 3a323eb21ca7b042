"""JSON, with comments and trailing commas where a client allows them (JSONC), changed as text.

A copy of the same length, in which spaces stand for comments, is plain JSON: the standard library reads it, and says
where each member begins and ends in the original too.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from agentd.cli.mcp_clients.formats import starts_a_command, value_at

if TYPE_CHECKING:
    from agentd.cli.mcp_clients.formats import Entry, Keys

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_COMMENTS = re.compile(rf"{_STRING}|(//[^\r\n]*|/\*.*?\*/)", re.DOTALL)
_TRAILING_COMMAS = re.compile(rf"{_STRING}|(,)(?=\s*[}}\]])", re.DOTALL)
_COMMA = re.compile(r"\s*,")
_STARTS_LINE = re.compile(r"[ \t]*\r?\n")
_DECODER = json.JSONDecoder()


class Member(NamedTuple):
    """Offsets of a member of an object: its key, its value, and what comes after."""

    key: int
    value: int
    end: int


def load(text: str) -> dict[str, Any]:
    """What the text says.

    Raises:
        ValueError: it is no JSON, or no object.
    """
    bare = plain(text)
    try:
        value = json.loads(bare) if bare.strip() else {}
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected an object in braces, found {text.strip()[:20]}")  # noqa: TRY004  # of the text
    return value


def put(text: str, keys: Keys, entry: Entry) -> str:
    """The text with ``entry`` at ``keys``: a new one comes first in its object, where no comma before it is missing.

    Raises:
        ValueError: no object stands on the way there.
    """
    if not plain(text).strip():
        return text + snippet(keys, entry)
    if not starts_a_command(value_at(load(text), keys)):
        return put_value(text, keys, entry)
    for key, value in entry.items():
        text = put_value(text, (*keys, key), value)
    return text


def put_value(text: str, keys: Keys, value: object) -> str:
    """The text with ``value`` at ``keys``, whatever stands there."""
    bare = plain(text)
    at, member, missing = locate(bare, keys)
    if member is None:
        for key in reversed(missing[1:]):
            value = {key: value}
        return inserted(text, at, missing[0], value)
    if _DECODER.raw_decode(bare, member.value)[0] == value:
        return text
    lines = "\n" in text[member.value : member.end]
    shown = rendered(value, indentation(text, member.key) if lines else None, text)
    return text[: member.value] + shown + text[member.end :]


def remove(text: str, keys: Keys) -> str:
    """The text without the member at ``keys``, its comma, and the line break before it."""
    bare = blanked(_COMMENTS, text)  # trailing commas stand
    _, member, _ = locate(plain(text), keys)
    if member is None:
        return text
    comma = _COMMA.match(bare, member.end)
    tail = text[comma.end() if comma else member.end :]
    head = text[: _before(text, member.key, lines=_STARTS_LINE.match(tail) is not None)]
    last = len(bare[: member.key].rstrip()) - 1
    if not comma and bare[last] == ",":
        head = head[:last] + head[last + 1 :]
    return head + tail


def snippet(keys: Keys, entry: Entry) -> str:
    """A document with the entry alone."""
    document: object = entry
    for key in reversed(keys):
        document = {key: document}
    return rendered(document, "", "") + "\n"


def plain(text: str) -> str:
    """The same in plain JSON, of the same length: a byte order mark, comments and trailing commas become spaces."""
    bare = blanked(_TRAILING_COMMAS, blanked(_COMMENTS, text))
    return f" {bare[1:]}" if bare.startswith("\ufeff") else bare


def blanked(what: re.Pattern[str], text: str) -> str:
    """``text`` with spaces in the place of all but the strings that ``what`` finds; lines stay."""
    return what.sub(lambda found: re.sub(r"[^\r\n]", " ", found[0]) if found[1] else found[0], text)


def locate(bare: str, keys: Keys) -> tuple[int, Member | None, Keys]:
    """How far ``keys`` lead: the ``{`` of the innermost object there is, the member, and the keys that are missing.

    Raises:
        ValueError: one on the way leads to something that is no object.
    """
    at = bare.index("{")
    for depth, key in enumerate(keys):
        member = members(bare, at)[0].get(key)
        if member is None or depth == len(keys) - 1:
            return at, member, keys[depth:]
        if bare[member.value] != "{":
            raise ValueError(f'expected an object in braces at "{key}", found {bare[member.value : member.end][:20]}')
        at = member.value
    return at, None, ()


def members(bare: str, at: int) -> tuple[dict[str, Member], int]:
    """The members of the object whose ``{`` is at ``at``, and where its ``}`` is. Of twins the last one counts."""
    found = {}
    at = _skip(bare, at + 1)
    while bare[at] != "}":
        key, end = _DECODER.raw_decode(bare, at)
        value = _skip(bare, _skip(bare, end) + 1)  # beyond the colon
        end = _DECODER.raw_decode(bare, value)[1]
        found[key] = Member(at, value, end)
        at = _skip(bare, end)
        if bare[at] == ",":
            at = _skip(bare, at + 1)
    return found, at


def inserted(text: str, at: int, key: str, value: object) -> str:
    """The text with a new first member in the object whose ``{`` is at ``at``, laid out as the others are."""
    found, close = members(plain(text), at)
    first = next(iter(found.values())).key if found else close
    one_line = "\n" not in text[at:first] if found else "\n" not in text.strip() and '"' in text
    if one_line:
        space = text[at + 1 : first][: -len(text[at + 1 : first].lstrip()) or None]
        comma = ("," if space else ", ") if found else ""
        return f"{text[: at + 1]}{space}{_member(key, value)}{comma}{text[at + 1 :]}"
    outer = indentation(text, at)
    inner = indentation(text, first) if found else outer + unit_of(text)
    return _on_lines(text, at, close, _member(key, value, inner, text), (inner, outer), alone=not found)


def _on_lines(text: str, at: int, close: int, member: str, indents: tuple[str, str], *, alone: bool) -> str:
    """Put ``member`` on lines of its own below the ``{`` at ``at``, and below the comment that its line ends in."""
    newline, (inner, outer) = newline_of(text), indents
    if alone and not text[at + 1 : close].strip():
        return f"{text[: at + 1]}{newline}{inner}{member}{newline}{outer}{text[close:]}"
    place = _end_of_line(text, at)
    tail = "," if not alone else "" if "\n" in text[place:close] else newline + outer
    return f"{text[:place]}{newline}{inner}{member}{tail}{text[place:]}"


def _member(key: str, value: object, indent: str | None = None, text: str = "") -> str:
    """A member on one line, or on several as ``text`` has them, the first of which stands at ``indent``."""
    return f"{json.dumps(key, ensure_ascii=False)}: {rendered(value, indent, text)}"


def rendered(value: object, indent: str | None, text: str) -> str:
    """A value on one line; with ``indent``, an object that holds anything on several, as ``text`` has them."""
    if indent is None or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    newline, inner = newline_of(text), indent + unit_of(text)
    lines = [f"{newline}{inner}{_member(key, each, inner, text)}" for key, each in value.items()]
    return f"{{{','.join(lines)}{newline}{indent}}}"


def indentation(text: str, at: int) -> str:
    """The white space that the line of ``at`` begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def unit_of(text: str) -> str:
    """By how much the text indents: as its first member is."""
    return next((found[1] for found in re.finditer(r'\n([ \t]+)"', text)), "  ")


def newline_of(text: str) -> str:
    """How the text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def _end_of_line(text: str, at: int) -> int:
    """The end of the line of ``at`` where nothing but white space and whole comments follow; else right behind it."""
    bare = blanked(_COMMENTS, text)
    rest = re.compile(r"[ \t]*(?=\r?\n)").match(bare, at + 1)
    if rest is None or any(found[1] and found.start() < rest.end() < found.end() for found in _COMMENTS.finditer(text)):
        return at + 1
    return rest.end()


def _before(text: str, at: int, *, lines: bool) -> int:
    """Where the white space directly before ``at`` begins, with ``lines`` the line break before that too: one that ends
    a comment must stay unless another follows.
    """
    start = len(text[:at].rstrip(" \t"))
    if lines and text[:start].endswith("\n"):
        start -= 2 if text[:start].endswith("\r\n") else 1
    return start


def _skip(bare: str, at: int) -> int:
    while bare[at] in " \t\r\n":
        at += 1
    return at
