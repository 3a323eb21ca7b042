"""Flags, environment and file to settings, and where each value came from.

What is nearer to the person counts more: flags before environment variables, these before the file, this before the
defaults.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from agentd.config import paths
from agentd.config.environment import read_environment
from agentd.config.file import FileValues, read_file
from agentd.config.schema import FIELDS, SECTIONS
from agentd.config.settings import Settings
from agentd.config.together import check_together
from agentd.config.values import convert
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentd.config.flags import Flags
    from agentd.config.settings import RootSettings, ToolSettings

DEFAULT = "default"
SOCKET_VARIABLES = ("AGENTD_SOCKET", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR")
STATE_VARIABLES = ("AGENTD_STATE_DIR", "STATE_DIRECTORY", "XDG_STATE_HOME")
"""In the order in which ``agentd.config.paths`` looks at them."""

FLAGS = {"log.level": "--log-level", "log.format": "--log-format", "server.idle_exit_seconds": "--idle-exit"}
"""Keys that have a flag."""

FILES = ("embedding.model", "rerank.model", "search.weights", "metrics.textfile")
"""Folders and files: relative to the file that names them."""


class Loaded(Struct, frozen=True):
    """``origins`` has a text for every key (``index.exclude``), place (``socket``) and root (``root /path``):
    ``default``, ``file PATH:LINE``, ``environment NAME`` or ``flag --NAME``.
    """

    settings: Settings
    origins: dict[str, str]


def load(flags: Flags, environ: Mapping[str, str] = os.environ) -> Loaded:
    """The effective configuration.

    Raises:
        ConfigError: a value cannot be used, a name is unknown, or a file that was named cannot be read.
    """
    home = _home(environ)
    places, origins = _places(flags, environ, home)
    file = _find_file(flags, environ, home)
    values: dict[str, Any] = {}
    for source, origin in (
        (file.values if file else {}, file.origin if file else str),
        (read_environment(environ), lambda key: f"environment {FIELDS[key].variable}"),
        (_flag_values(flags), lambda key: f"flag {FLAGS[key]}"),
    ):
        values |= source
        origins |= {key: origin(key) for key in source}
    _place_files(values, origins, file, home)
    flag_roots = _unique(_resolve(root, Path.cwd(), home) for root in flags.roots)
    roots = _file_roots(file, home, origins)
    origins |= {f"root {root}": "flag --root" for root in flag_roots}
    settings = Settings(
        **places,
        config_file=file.path if file else None,
        git_excludes=paths.git_excludes(environ),
        flag_roots=flag_roots,
        roots=tuple(root for root in roots if root not in flag_roots),
        rules=_rules(file, home),
        providers=file.providers if file else (),
        tools=_tools(file, home),
        **_sections(values),
    )
    check_together(settings, origins)
    return Loaded(settings, dict.fromkeys(FIELDS, DEFAULT) | origins)


def _places(flags: Flags, environ: Mapping[str, str], home: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Socket and state directory, with their origins."""
    found: dict[str, Any] = {}
    origins = {}
    for name, flag, given, fallback, variables in (
        ("socket", "--socket", flags.socket, paths.socket_path, SOCKET_VARIABLES),
        ("state_directory", "--state-dir", flags.state_dir, paths.state_directory, STATE_VARIABLES),
    ):
        found[name] = _resolve(given or fallback(environ), Path.cwd(), home)
        named = next((f"environment {variable}" for variable in variables if environ.get(variable)), DEFAULT)
        origins[name] = f"flag {flag}" if given else named
    return found, origins


def _find_file(flags: Flags, environ: Mapping[str, str], home: str) -> FileValues | None:
    """The file's values; None where nobody named a file and there is none at the usual place."""
    path, required = (flags.config, True) if flags.config else paths.config_file(environ)
    absolute = _resolve(path, Path.cwd(), home)
    try:
        return read_file(absolute)
    except FileNotFoundError as error:
        if not required:
            return None
        source = "--config" if flags.config else "AGENTD_CONFIG"
        raise ConfigError(f"{source} names {absolute}, but there is no such file") from error


def _flag_values(flags: Flags) -> dict[str, Any]:
    given = {"log.level": flags.log_level, "log.format": flags.log_format, "server.idle_exit_seconds": flags.idle_exit}
    return {
        key: convert(FIELDS[key], value, f"flag {FLAGS[key]}", text=True)
        for key, value in given.items()
        if value is not None
    }


def _place_files(values: dict[str, Any], origins: dict[str, str], file: FileValues | None, home: str) -> None:
    """Makes paths to models and weights absolute: what a file says is relative to the file."""
    for key in FILES:
        if path := values.get(key):
            from_file = file is not None and origins[key].startswith("file ")
            base = file.path.parent if file is not None and from_file else Path.cwd()
            values[key] = str(_resolve(path, base, home))


def _file_roots(file: FileValues | None, home: str, origins: dict[str, str]) -> tuple[Path, ...]:
    if file is None:
        return ()
    roots = [_resolve(root.path, file.path.parent, home) for root in file.roots]
    for number, root in enumerate(roots):
        origins.setdefault(f"root {root}", file.origin(f"root[{number}]"))
    return _unique(roots)


def _rules(file: FileValues | None, home: str) -> tuple[RootSettings, ...]:
    if file is None:
        return ()
    return tuple(
        msgspec.structs.replace(rule, path=str(_resolve(rule.path, file.path.parent, home))) for rule in file.roots
    )


def _tools(file: FileValues | None, home: str) -> tuple[ToolSettings, ...]:
    """A program that is named by a path, and the folder that it runs in, are relative to the file: never to a root."""
    if file is None:
        return ()
    placed = []
    for tool in file.tools:
        program, *rest = tool.command
        program = str(_place(program, file.path.parent, home)) if "/" in program else program
        directory = str(_resolve(tool.directory, file.path.parent, home)) if tool.directory else ""
        placed.append(msgspec.structs.replace(tool, command=(program, *rest), directory=directory))
    return tuple(placed)


def _unique(roots: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(roots))


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111  # Path.expanduser raises without a home


def _resolve(path: str, base: Path, home: str) -> Path:
    """Absolute, with ``~`` expanded and links followed as far as they lead."""
    absolute = _place(path, base, home)
    try:
        return absolute.resolve()
    except (OSError, RuntimeError):  # a loop of links: whoever opens it says so
        return Path(os.path.abspath(absolute))  # noqa: PTH100  # Path.resolve is what just failed


def _place(path: str, base: Path, home: str) -> Path:
    """Absolute, with ``~`` expanded; links stay, since programs such as busybox tell by their name what to do."""
    if "\0" in path:
        raise ConfigError(f"expected a path without NUL bytes, found {path!r}")
    return base / (home + path[1:] if path == "~" or path.startswith("~/") else path)


def _sections(values: dict[str, Any]) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for key, value in values.items():
        tables[FIELDS[key].section][FIELDS[key].name] = value
    return {section: SECTIONS[section](**table) for section, table in tables.items()}


def as_values(settings: Settings) -> dict[str, Any]:
    """Every setting of every section, by key."""
    return {
        f"{section}.{name}": value
        for section in SECTIONS
        for name, value in msgspec.structs.asdict(getattr(settings, section)).items()
    }
