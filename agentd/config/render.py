"""The effective configuration as text: a valid configuration file, with the origin of each value beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from agentd.config.load import as_values
from agentd.config.schema import FIELDS, default_of

if TYPE_CHECKING:
    from agentd.config.load import Loaded
    from agentd.config.settings import Section

ORIGIN_COLUMN = 48


def render(loaded: Loaded) -> str:
    """TOML; socket, state directory and file are comments, because no file can set them."""
    settings, origins = loaded.settings, loaded.origins
    lines = [
        _aligned(f"# socket: {settings.socket}", origins["socket"]),
        _aligned(f"# state directory: {settings.state_directory}", origins["state_directory"]),
        f"# configuration file: {settings.config_file or 'none'}",
    ]
    section = ""
    for key, value in as_values(settings).items():
        field = FIELDS[key]
        if field.section != section:
            section = field.section
            lines += ["", f"[{section}]"]
        lines.append(_aligned(f"{field.name} = {_toml(value)}", origins[key]))
    for root in (*settings.flag_roots, *settings.roots):
        lines += ["", "[[root]]", _aligned(f"path = {_toml(_printable(str(root)))}", origins[f"root {root}"])]
        lines += _entry(settings.rule(str(root)), "path")
    for provider in settings.providers:
        lines += ["", "[[provider]]", f"name = {_toml(provider.name)}", *_entry(provider, "name")]
    for tool in settings.tools:
        lines += ["", "[[tool]]", f"name = {_toml(tool.name)}", *_entry(tool, "name")]
    return "\n".join(lines) + "\n"


def _entry(entry: Section, *shown: str) -> list[str]:
    """What an entry sets beyond the defaults, but for the keys that are ``shown`` already."""
    return [
        f"{field.name} = {_toml(value)}"
        for field in msgspec.structs.fields(entry)
        if field.name not in shown and (value := getattr(entry, field.name)) != default_of(field)
    ]


def _aligned(text: str, origin: str) -> str:
    return f"{_printable(text):<{ORIGIN_COLUMN}}  # {_printable(origin)}"


def _printable(text: str) -> str:
    """File names that are not UTF-8 come as lone surrogates, which no output takes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _toml(value: object) -> str:
    """JSON's numbers, booleans and strings are TOML's, but for the character DEL, which TOML wants escaped."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_toml(key)} = {_toml(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
