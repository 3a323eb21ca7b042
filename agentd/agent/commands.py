"""Commands of the user's own configuration as tools: arguments checked, no shell, time and output bounded."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from typing import TYPE_CHECKING, NamedTuple, cast

from agentd.agent.arguments import decode, shown
from agentd.agent.contracts import ToolResult
from agentd.agent.process import MOST_BYTES, Command, run_command
from agentd.agent.validation import Validator
from agentd.answer.inert import visible
from agentd.config.commands import PLACEHOLDER, executable, placeholders, schema_of
from agentd.errors import ToolCommandError, ToolError, ToolInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentd.agent.contracts import Scope
    from agentd.agent.process import Ended
    from agentd.config.settings import ToolSettings

INHERITED = ("PATH", "HOME", "LANG", "TZ")
"""What a command sees of the daemon's environment, beside what its entry names: keys and addresses stand there, too."""
ROOTS_VARIABLE = "AGENTD_ROOTS"
"""The roots of the run, one a line."""
SHOWN_OF_FAILURE = 1500
"""Characters of the end of an output that a failure repeats."""

_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
"""Colours, titles and the like (ECMA-48, 5.4 and 8.3.89); taken out whole, so that no half of one is left."""


class Prepared(NamedTuple):
    """Arguments that fit, and the command line that they make."""

    values: dict[str, object]
    line: list[str]


class CommandTool:
    """A :class:`~agentd.agent.contracts.Tool` made of a ``[[tool]]``."""

    web = False

    def __init__(self, settings: ToolSettings, environ: Mapping[str, str] = os.environ) -> None:
        self.name = settings.name
        self.description = settings.description
        self.schema = schema_of(settings)
        self.seconds = settings.timeout_seconds
        self._settings = settings
        self._environ = environ
        self._validator = Validator(self.schema)

    def parse(self, arguments: str) -> Prepared:
        """See ``Tool``. A null stands for an argument that was left out, and that for its default."""
        given = {name: value for name, value in decode(arguments).items() if value is not None}
        self._validator.check(given)
        defaults = {name: each["default"] for name, each in self._settings.parameters.items() if "default" in each}
        values = defaults | given
        return Prepared(values, command_line(self._settings.command, values))

    async def run(self, arguments: object, scope: Scope) -> ToolResult:
        """See ``Tool``. What it read is not known: it counts as text of every root of the run."""
        command = await asyncio.to_thread(self._command, cast("Prepared", arguments), scope.roots)
        try:
            ended = await run_command(command)
        except OSError as error:
            raise ToolError(f"the command of {self.name} cannot be started: {error.strerror or error}") from error
        return self._result(ended, frozenset(scope.roots))

    def _command(self, prepared: Prepared, roots: tuple[str, ...]) -> Command:
        """Looks at the disk. Raises ToolError where there is no program, or no folder to run it in."""
        name, *rest = prepared.line
        program = executable(name, self._environ)
        if program is None:
            raise ToolError(
                f"there is no program {name} that could be run: the person who set {self.name} up must mend it"
            )
        directory = self._settings.directory or next(iter(roots), "")
        if not os.path.isdir(directory):  # noqa: PTH112  # "" is no folder, and Path("") is one
            raise ToolError(f"there is no folder {directory or 'of a root'} for {self.name} to run in")
        return Command(
            arguments=[program, *rest],
            environment=self._environment(roots),
            directory=directory,
            stdin=json.dumps(prepared.values).encode() if self._settings.input == "json" else None,
            max_bytes=self._settings.max_output_bytes,
        )

    def _environment(self, roots: tuple[str, ...]) -> dict[str, str]:
        names = (*INHERITED, *self._settings.environment)
        return {name: self._environ[name] for name in names if name in self._environ} | {
            ROOTS_VARIABLE: "\n".join(roots)
        }

    def _result(self, ended: Ended, roots: frozenset[str]) -> ToolResult:
        text = plain(ended.output)
        if ended.flooded:
            raise ToolCommandError(f"{self.name} wrote more than {MOST_BYTES} bytes and was killed: ask for less")
        if ended.status:
            end = text[-SHOWN_OF_FAILURE:]
            raise ToolCommandError(f"{self.name} {_ending(ended.status)}; its output{_ends(text, end)}")
        notes = (f"the output is long: {ended.cut} bytes in its middle are left out",) if ended.cut else ()
        found = len(text.splitlines())
        return ToolResult(
            text=text or "It ended with exit code 0, and wrote nothing.", found=found, notes=notes, roots=roots
        )


def command_line(command: tuple[str, ...], values: Mapping[str, object]) -> list[str]:
    """``command`` with ``values`` in the place of their names.

    An element that names an argument which was left out is left out, too; a list that stands alone in an element
    becomes several.

    Raises:
        ToolInputError: a value would be read as an option, or cannot be an argument of a program.
    """
    line: list[str] = []
    for element in command:
        for filled in _filled(element, values):
            if filled.startswith("-") and PLACEHOLDER.match(element) and placeholders(element) and "--" not in line:
                name = placeholders(element)[0]
                raise ToolInputError(f"parameter `{name}`: expected no - at the beginning, found {shown(filled)}")
            line.append(filled)
    return line


def _filled(element: str, values: Mapping[str, object]) -> Iterator[str]:
    names = placeholders(element)
    if any(name not in values for name in names):
        return
    alone = names and element == f"{{{names[0]}}}"
    if alone and isinstance(several := values[names[0]], list):
        yield from (_argument(names[0], each) for each in several)
    else:
        yield PLACEHOLDER.sub(lambda found: _argument(found[1], values[found[1]]) if found[1] else "{", element)


def _argument(name: str, value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if "\0" in text:
        raise ToolInputError(f"parameter `{name}`: expected text without NUL characters, found {shown(text)}")
    return text


def plain(output: bytes) -> str:
    """Output as text: UTF-8 as far as it is that, without what only a terminal understands."""
    return visible(_SEQUENCES.sub("", output.decode(errors="replace").replace("\r\n", "\n")))


def _ending(status: int) -> str:
    if status > 0:
        return f"ended with exit code {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _ends(text: str, end: str) -> str:
    if not text.strip():
        return " is empty"
    return f":\n{end}" if end == text else f" ends with:\n…{end}"
