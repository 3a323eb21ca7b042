"""TOML changed as text: an entry is a table, with the tables below it.

The parser of the standard library gives values without their places. What gives them back: a line break that stands
between two statements is the first one at which the lines so far parse by themselves (TOML 1.0, "Key/Value Pair": there
must be a newline after each), so a line that looks like the head of a table within a string is never taken for one.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from agentd.cli.mcp_clients.formats import starts_a_command, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.mcp_clients.formats import Entry, Keys

_LINES = re.compile(r"[^\n]*\n|[^\n]+")


class Statement(NamedTuple):
    """Lines that mean something together; a blank line or a comment is one that says nothing."""

    text: str
    says: dict[str, Any]
    table: Keys
    """The table that it stands in, or that it begins."""
    is_head: bool


def load(text: str) -> dict[str, Any]:
    """What the text says.

    Raises:
        ValueError: it is no TOML.
    """
    return tomllib.loads(text)


def put(text: str, keys: Keys, entry: Entry) -> str:
    """The text with ``entry`` as the table ``keys``: a new one comes last, where it changes the meaning of nothing."""
    there = value_at(load(text), keys)
    if starts_a_command(there):
        return "".join(_changed(text, keys, entry))
    if there is not None:
        text = remove(text, keys)
    newline = newline_of(text)
    gap = "" if not text else newline if text.endswith("\n") else newline * 2
    return text + gap + snippet(keys, entry).replace("\n", newline)


def remove(text: str, keys: Keys) -> str:
    """The text without the table ``keys`` and those below it; comments that follow them belong to what comes next."""
    kept: list[Statement] = []
    trailing: list[Statement] = []
    for statement in statements(text):
        if statement.table[: len(keys)] != keys:
            kept += [*trailing, statement]
            trailing = []
        elif not statement.says:
            trailing.append(statement)
        else:
            if not trailing and kept and not kept[-1].text.strip():
                kept.pop()  # the blank line before the table
            trailing = []
    return "".join(statement.text for statement in (*kept, *trailing))


def snippet(keys: Keys, entry: Entry) -> str:
    """The table alone."""
    return "".join([f"[{'.'.join(keys)}]\n", *(_line(key, value, "\n") for key, value in entry.items())])


def statements(text: str) -> Iterator[Statement]:
    """The statements of a document, in order; together they are its text."""
    run = ""
    table: Keys = ()
    for line in _LINES.findall(text):
        run += line
        try:
            says = tomllib.loads(run)
        except tomllib.TOMLDecodeError:
            continue
        is_head = run.lstrip().startswith("[")
        table = _path(says) if is_head else table
        yield Statement(run, says, table, is_head)
        run = ""


def newline_of(text: str) -> str:
    """How the text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def _changed(text: str, keys: Keys, entry: Entry) -> Iterator[str]:
    """The text with the values of ``entry`` in the table ``keys``, which is there."""
    newline = newline_of(text)
    missing = entry.keys() - value_at(load(text), keys).keys()  # type: ignore[attr-defined]  # a table, as put has seen
    for statement in statements(text):
        key = next(iter(statement.says), "")
        if statement.table != keys:
            yield statement.text
        elif statement.is_head:
            yield statement.text
            yield from (_line(key, entry[key], newline) for key in entry if key in missing)
        elif key in entry and statement.says[key] != entry[key]:
            yield _line(key, entry[key], newline)
        else:
            yield statement.text


def _line(key: str, value: object, newline: str) -> str:
    """A key with a string or a list of them: TOML's basic strings are those of JSON as far as paths need them."""
    return f"{key} = {json.dumps(value, ensure_ascii=False)}{newline}"


def _path(head: object) -> Keys:
    """The keys of a table by what its head alone says: ``{"a": {"b": {}}}``."""
    keys: Keys = ()
    while isinstance(head, dict) and head:
        ((key, head),) = head.items()
        keys = (*keys, key)
    return keys
