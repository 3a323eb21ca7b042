"""What ``install`` and ``uninstall`` do to the machine, one step at a time, each shown; or only shown."""

from __future__ import annotations

import os
import shlex
import subprocess

from agentd.cli import output
from agentd.client import AgentdClientError

COMMAND_SECONDS = 180.0
"""A start waits for the daemon to open its state; the unit gives up before this."""


class Steps:
    """Does what it is told and says so; with ``dry_run`` it only says what it would do."""

    def __init__(self, *, dry_run: bool, quiet: bool = False) -> None:
        self.done: list[str] = []
        self.dry_run = dry_run
        self._quiet = quiet

    def write(self, path: str, text: str) -> bool:
        """Put ``text`` at ``path``, whole or not at all (rename(2)); whether that changed anything.

        Raises:
            AgentdClientError: ``cannot_write``.
        """
        if read(path) == text:
            self.note(f"{path} is up to date")
            return False
        self._tell("write", path)
        if not self.dry_run:
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                replace(path, text)
            except OSError as error:
                raise AgentdClientError("cannot_write", f"Cannot write {path}: {error.strerror}.") from None
        return True

    def remove(self, path: str) -> None:
        """Remove the file at ``path``, where it is there.

        Raises:
            AgentdClientError: ``cannot_write``.
        """
        if not os.path.lexists(path):
            return
        self._tell("remove", path)
        if not self.dry_run:
            try:
                os.unlink(path)
            except OSError as error:
                raise AgentdClientError("cannot_write", f"Cannot remove {path}: {error.strerror}.") from None

    def run(self, *command: str, may_fail: bool = False) -> None:
        """Run a command and wait for its end.

        Raises:
            AgentdClientError: ``command_failed``, with what it said.
        """
        self._tell("run", shlex.join(command))
        if self.dry_run:
            return
        code, _, said = run(*command)
        if code and not may_fail:
            raise AgentdClientError("command_failed", f"{shlex.join(command)} failed: {said.strip() or f'code {code}'}")

    def _tell(self, verb: str, what: str) -> None:
        past = {"write": "wrote", "remove": "removed", "run": "ran"}[verb]
        self.note(f"would {verb} {what}" if self.dry_run else f"{past} {what}")

    def note(self, line: str) -> None:
        """Show a line, and keep it for those who ask for JSON."""
        self.done.append(line)
        if not self._quiet:
            output.say(output.clean(line))


def run(*command: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command.

    Raises:
        AgentdClientError: ``no_command``: it is not there; ``command_failed``: it takes too long.
    """
    try:
        ended = subprocess.run(  # noqa: S603  # commands of ours, with no shell in between
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except FileNotFoundError:
        message = f"There is no {command[0]} here, so nothing can run agentd as a service. Run it yourself: agentd"
        raise AgentdClientError("no_command", message) from None
    except subprocess.TimeoutExpired:
        raise AgentdClientError(
            "command_failed", f"{shlex.join(command)} did not end within {COMMAND_SECONDS:g} s."
        ) from None
    return ended.returncode, ended.stdout, ended.stderr


def read(path: str) -> str | None:
    """The text of a file; None where there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def replace(path: str, text: str) -> None:
    """Write beside ``path`` and put it in its place: a reader sees the old text or the new."""
    beside = f"{path}.new"
    try:
        with open(beside, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except OSError:
        if os.path.lexists(beside):
            os.unlink(beside)
        raise
