"""``[[tool]]``: commands that a person makes tools of, looked at before any model may call them."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from agentd.config.schema import nearest
from agentd.config.tool_names import NAMES
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentd.config.settings import ToolSettings

BUILT_IN = frozenset(NAMES)
"""Names of the tools that are there anyway."""

PLACEHOLDER = re.compile(r"\{\{|\{([A-Za-z_][A-Za-z0-9_-]*)\}")
"""``{NAME}``, or ``{{``, which stands for a brace."""
_OTHER_BRACE = re.compile(r"\{\{|\{[A-Za-z_][A-Za-z0-9_-]*\}|(\{)")
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def check_tool(tool: ToolSettings) -> None:
    """Refuse what could never be called as it is meant.

    Raises:
        ConfigError: says which tool and key, what was expected and what was found.
    """
    here = f"tool {tool.name}"
    if tool.name in BUILT_IN:
        raise ConfigError(f"{here}: a tool of that name is built in; expected another name")
    for problem in (*_about_parameters(tool), *_about_command(tool), *_about_environment(tool)):
        raise ConfigError(f"{here}: {problem}")


def schema_of(tool: ToolSettings) -> dict[str, object]:
    """The JSON schema of its arguments. Without ``required``, those are required that have no default."""
    required = [name for name, about in tool.parameters.items() if "default" not in about]
    return {
        "type": "object",
        "properties": tool.parameters,
        "required": required if tool.required is None else list(tool.required),
        "additionalProperties": False,
    }


def placeholders(element: str) -> list[str]:
    """The names of arguments in an element of a command, in their order."""
    return [found[1] for found in PLACEHOLDER.finditer(element) if found[1]]


def executable(program: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The file that ``program`` names, by ``PATH`` where it is no path; None where there is none that could be run.

    Entries of ``PATH`` that depend on the current folder are passed over: that may be somebody's checkout.
    """
    entries = environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(program, path=os.pathsep.join(entry for entry in entries if entry.startswith("/")))


def _about_parameters(tool: ToolSettings) -> Iterator[str]:
    for name, about in tool.parameters.items():
        if not _ARGUMENT.fullmatch(name):
            yield f"parameters: expected names of letters, digits, - and _, found {name!r}"
        if reference := _reference_in(about):
            yield f"parameters.{name}: expected a schema without {reference}"
        if problem := _schema_problem(about):
            yield f"parameters.{name}: expected a JSON schema, {problem}"
    for name in tool.required or ():
        if name not in tool.parameters:
            yield f"required: there is no parameter {name}; {_known(tool, name)}"


def _about_command(tool: ToolSettings) -> Iterator[str]:
    program, *rest = tool.command
    if not program or placeholders(program):
        yield f"command: expected a program, which no argument can choose, found {program!r}"
    for element in (program, *rest):
        if "\0" in element:
            yield "command: expected elements without NUL bytes"
        if any(brace[1] for brace in _OTHER_BRACE.finditer(element)):
            yield f"command: expected {{NAME}}, or {{{{ for a brace, found another {{ in {element!r}"
        for name in placeholders(element):
            if name not in tool.parameters:
                yield f"command: {{{name}}} is no parameter; {_known(tool, name)}"
    used = {name for element in rest for name in placeholders(element)}
    if tool.input == "none" and (unused := [name for name in tool.parameters if name not in used]):
        yield f'parameters: {", ".join(unused)} stands nowhere in command; name it there, or set input = "json"'


def _about_environment(tool: ToolSettings) -> Iterator[str]:
    for name in tool.environment:
        if not _VARIABLE.fullmatch(name):
            yield f"environment: expected names of variables to pass on, found {name!r}"


def _known(tool: ToolSettings, name: str) -> str:
    return nearest(name, tool.parameters) if tool.parameters else "there are no parameters"


def _reference_in(about: object) -> str | None:
    """A keyword that points elsewhere: models do not follow it, and no file or address is to be read for it."""
    if isinstance(about, dict):
        inner: list[object] = list(about.values())
        if found := next((key for key in _REFERENCES if key in about), None):
            return found
    else:
        inner = about if isinstance(about, list) else []
    return next(filter(None, map(_reference_in, inner)), None)


def _schema_problem(about: dict[str, object]) -> str | None:
    """What is wrong with a schema; None where it is one."""
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415  # 0.1 s, for those who have tools

    try:
        Draft202012Validator.check_schema(about)
    except SchemaError as error:
        where = f" at {error.json_path}" if error.path else ""
        return f"found one that is none{where}: {error.message[:200]}"
    return None
