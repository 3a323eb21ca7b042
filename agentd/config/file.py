"""The configuration file: TOML to checked values, each with the line it stands on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from agentd.config.schema import FIELDS, SECTIONS, Field, nearest
from agentd.errors import ConfigError

MAX_FILE_BYTES = 1024 * 1024
"""Stops a device or a wrong file from being read without end."""

ELSEWHERE = {
    "socket": "--socket or AGENTD_SOCKET, where clients find it too",
    "state_directory": "--state-dir or AGENTD_STATE_DIR",
    "config_file": "--config or AGENTD_CONFIG",
}

_TABLE = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"\s*([\w.-]+)\s*=")


class FileValues(Struct, frozen=True):
    """What a file sets. ``values`` by key; ``roots`` as written; ``lines`` by key, roots as ``root[N]``."""

    path: Path
    values: dict[str, Any]
    roots: tuple[str, ...]
    lines: dict[str, int]

    def origin(self, key: str) -> str:
        """Where ``key`` stands, as ``file PATH:LINE``."""
        return f"file {_place(self.path, self.lines.get(key))}"


def read_file(path: Path) -> FileValues:
    """Reads and checks a configuration file.

    Raises:
        FileNotFoundError: there is none; the caller knows whether there must be.
        ConfigError: it cannot be read, is not TOML, or sets what is unknown, of the wrong type or out of bounds.
    """
    text = _read(path)
    try:
        tables = tomllib.loads(text)
    except ValueError as error:  # also a number of more digits than Python reads
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deep; expected tables of plain values and lists") from error
    lines = line_numbers(text)
    roots = _take_roots(path, tables.pop("root", []), lines)
    return FileValues(path, _take_sections(path, tables, lines), roots, lines)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"expected a configuration file of at most {MAX_FILE_BYTES} bytes, {path} has more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{_place(path, line)}: expected UTF-8, found the byte 0x{content[error.start]:02x}"
        ) from error


def _take_sections(path: Path, tables: dict[str, Any], lines: dict[str, int]) -> dict[str, Any]:
    values = {}
    for section, table in tables.items():
        if section not in SECTIONS:
            raise ConfigError(f"{_place(path, lines.get(section))}: {_unknown_table(section)}")
        if not isinstance(table, dict):
            raise ConfigError(
                f"{_place(path, lines.get(section))}: expected the table [{section}], found {shown(table)}"
            )
        for name, value in table.items():
            key = f"{section}.{name}"
            place = _place(path, lines.get(key))
            if key not in FIELDS:
                raise ConfigError(f"{place}: unknown key {key}; {_nearest_key(key)}")
            values[key] = convert(FIELDS[key], value, place)
    return values


def _unknown_table(section: str) -> str:
    if section in ELSEWHERE:
        return f"{section} is not set in the file but with {ELSEWHERE[section]}"
    return f"unknown table or key {section}; {nearest(section, [*SECTIONS, 'root'])}"


def _nearest_key(key: str) -> str:
    """The most similar key of the same table first: people mistype names more often than they mix up tables."""
    section, _, name = key.partition(".")
    within = [field.name for field in FIELDS.values() if field.section == section]
    hint = nearest(name, within)
    return hint if hint.startswith("did") else nearest(key, FIELDS)


def _take_roots(path: Path, tables: object, lines: dict[str, int]) -> tuple[str, ...]:
    if not isinstance(tables, list):
        raise ConfigError(f"{_place(path, lines.get('root[0]'))}: expected [[root]], with two brackets on each side")
    return tuple(_take_root(_place(path, lines.get(f"root[{n}]")), table) for n, table in enumerate(tables))


def _take_root(place: str, table: object) -> str:
    if not isinstance(table, dict):
        raise ConfigError(f'{place}: expected a table [[root]] with path = "...", found {shown(table)}')
    if unknown := sorted(table.keys() - {"path"}):
        raise ConfigError(f"{place}: unknown key root.{unknown[0]}; known here: path")
    root = table.get("path")
    if not isinstance(root, str) or not root or "\0" in root:
        raise ConfigError(f'{place}: expected path = "FOLDER" in [[root]], found {shown(root)}')
    return root


def convert(field: Field, value: Any, place: str, *, text: bool = False) -> Any:
    """``value`` as the type of ``field``; with ``text`` it is a string that stands for one.

    Raises:
        ConfigError: it is of another type or out of bounds; says what was expected and found at ``place``.
    """
    try:
        return msgspec.convert(value, field.type, strict=not text)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: expected {field.expected} for {field.key}, found {shown(value)}") from error


def shown(value: object) -> str:
    """A value much as it looks in the file, cut where long."""
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def line_numbers(text: str) -> dict[str, int]:
    """Lines, from 1, of tables and keys in a valid TOML document: ``index``, ``index.exclude``, ``root[0]``.

    Looks at each line by itself, so a line inside a multi-line string may pass for a key; the first find counts.
    """
    lines: dict[str, int] = {}
    table, roots = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = header[1]
            if table == "root":
                table, roots = f"root[{roots}]", roots + 1
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            full = f"{table}.{key[1]}" if table else key[1]
            lines.setdefault(full, number)
            lines.setdefault(full.partition(".")[0], number)
    return lines


def _place(path: Path, line: int | None) -> str:
    return f"{path}:{line}" if line else str(path)
