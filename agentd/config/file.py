"""The configuration file: TOML to checked values, each with the line it stands on."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from msgspec import Struct

from agentd.config.entries import take_entries
from agentd.config.schema import ENTRIES, FIELDS, SECTIONS, nearest
from agentd.config.settings import ProviderSettings, RootSettings, ToolSettings
from agentd.config.values import convert, place, shown
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
    """What a file sets. ``values`` by key; entries as written; ``lines`` by key, of entries as ``root[N].path``."""

    path: Path
    values: dict[str, Any]
    roots: tuple[RootSettings, ...]
    providers: tuple[ProviderSettings, ...]
    tools: tuple[ToolSettings, ...]
    lines: dict[str, int]

    def origin(self, key: str) -> str:
        """Where ``key`` stands, as ``file PATH:LINE``."""
        return f"file {place(self.path, self.lines.get(key))}"


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
    roots = take_entries(path, "root", tables.pop("root", []), lines, RootSettings)
    providers = take_entries(path, "provider", tables.pop("provider", []), lines, ProviderSettings)
    tools = take_entries(path, "tool", tables.pop("tool", []), lines, ToolSettings)
    return FileValues(path, _take_sections(path, tables, lines), roots, providers, tools, lines)


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
            f"{place(path, line)}: expected UTF-8, found the byte 0x{content[error.start]:02x}"
        ) from error


def _take_sections(path: Path, tables: dict[str, Any], lines: dict[str, int]) -> dict[str, Any]:
    values = {}
    for section, table in tables.items():
        if section not in SECTIONS:
            raise ConfigError(f"{place(path, lines.get(section))}: {_unknown_table(section)}")
        if not isinstance(table, dict):
            raise ConfigError(
                f"{place(path, lines.get(section))}: expected the table [{section}], found {shown(table)}"
            )
        for name, value in table.items():
            key = f"{section}.{name}"
            at = place(path, lines.get(key))
            if key not in FIELDS:
                raise ConfigError(f"{at}: unknown key {key}; {_nearest_key(key)}")
            values[key] = convert(FIELDS[key], value, at)
    return values


def _unknown_table(section: str) -> str:
    if section in ELSEWHERE:
        return f"{section} is not set in the file but with {ELSEWHERE[section]}"
    return f"unknown table or key {section}; {nearest(section, [*SECTIONS, *ENTRIES])}"


def _nearest_key(key: str) -> str:
    """The most similar key of the same table first: people mistype names more often than they mix up tables."""
    section, _, name = key.partition(".")
    within = [field.name for field in FIELDS.values() if field.section == section]
    hint = nearest(name, within)
    return hint if hint.startswith("did") else nearest(key, FIELDS)


def line_numbers(text: str) -> dict[str, int]:
    """Lines, from 1, of tables and keys in a valid TOML document: ``index``, ``index.exclude``, ``root[0]``.

    Looks at each line by itself, so a line inside a multi-line string may pass for a key; the first find counts.
    """
    lines: dict[str, int] = {}
    table = ""
    entries = Counter[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = header[1]
            if table in ENTRIES:
                entries[table] += 1
                table = f"{table}[{entries[table] - 1}]"
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            full = f"{table}.{key[1]}" if table else key[1]
            lines.setdefault(full, number)
            lines.setdefault(full.partition(".")[0], number)
    return lines
