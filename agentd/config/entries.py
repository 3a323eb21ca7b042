"""Tables of which the file may hold several, such as ``[[root]]``: each entry is checked key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from agentd.config.schema import ENTRIES, nearest
from agentd.config.values import convert, place, shown
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from agentd.config.settings import Section

E = TypeVar("E", bound="Section")


def take_entries(path: Path, name: str, tables: object, lines: dict[str, int], kind: type[E]) -> tuple[E, ...]:
    """The entries of ``[[name]]``, in the order of the file.

    Raises:
        ConfigError: an entry is no table, lacks a key, or has one that is unknown, of the wrong type or out of bounds.
    """
    if not isinstance(tables, list):
        raise ConfigError(
            f"{place(path, lines.get(f'{name}[0]'))}: expected [[{name}]], with two brackets on each side"
        )
    return tuple(_take_entry(path, name, number, table, lines, kind) for number, table in enumerate(tables))


def _take_entry(path: Path, name: str, number: int, table: object, lines: dict[str, int], kind: type[E]) -> E:
    entry, fields = f"{name}[{number}]", ENTRIES[name]
    here = place(path, lines.get(entry))
    if not isinstance(table, dict):
        raise ConfigError(f"{here}: expected a table [[{name}]], found {shown(table)}")
    values: dict[str, Any] = {}
    for key, value in table.items():
        at = place(path, lines.get(f"{entry}.{key}") or lines.get(entry))
        if key not in fields:
            raise ConfigError(f"{at}: unknown key {name}.{key}; {nearest(key, fields)}")
        values[key] = convert(fields[key], value, at)
    for field in fields.values():
        if field.default is msgspec.NODEFAULT and field.name not in values:
            raise ConfigError(f"{here}: expected {field.name} = {field.expected} in [[{name}]], found nothing")
    return kind(**values)
