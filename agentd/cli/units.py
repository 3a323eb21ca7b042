"""The units of agentd: where the templates are, how they are filled in, and which agentd they start."""

from __future__ import annotations

import os
import subprocess
import sys

from agentd.client import AgentdClientError
from agentd.config import service

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pwd
    from typing import Any

VERSION_SECONDS = 30.0
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEMPLATES = (os.path.join(_PACKAGE, "units"), os.path.join(os.path.dirname(_PACKAGE), "systemd"))
"""In an installed package, else in a checkout."""


class Units:
    """The service and socket of one user, run by that user's manager or, with ``account``, by the system's."""

    def __init__(self, account: pwd.struct_passwd | None = None) -> None:
        self.account = account
        template, instance = ("agentd@", f"agentd@{account.pw_name}") if account else ("agentd", "agentd")
        self.files = (f"{template}.service", f"{template}.socket")
        self.service, self.socket = f"{instance}.service", f"{instance}.socket"
        self.directory = service.SYSTEM_UNITS if account else service.user_units()
        self.systemctl = ("systemctl",) if account else ("systemctl", "--user")
        places = service.system_places(account.pw_name) if account else service.own_places()
        self.socket_path, self.state, self.config = places

    def paths(self) -> list[str]:
        """Where the unit files lie, or will."""
        return [os.path.join(self.directory, name) for name in self.files]

    def installed(self) -> bool:
        """Whether any of them is there."""
        return any(os.path.lexists(path) for path in self.paths())

    def drop_ins(self) -> list[str]:
        """Directories with what a person changed, which an install leaves alone."""
        names = dict.fromkeys((*self.files, self.service, self.socket))
        directories = (os.path.join(self.directory, f"{name}.d") for name in names)
        return [directory for directory in directories if os.path.isdir(directory)]


def rendered(name: str, command: list[str]) -> str:
    """The text of a unit that starts ``command``.

    Raises:
        AgentdClientError: ``broken_install``: the package came without its units.
    """
    for directory in TEMPLATES:
        path = os.path.join(directory, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return file.read().replace("@EXEC_START@", " ".join(map(quoted, command)))
    raise AgentdClientError("broken_install", f"Expected the unit {name} in {TEMPLATES[0]}. Install agentd again.")


def quoted(argument: str) -> str:
    """An argument of ExecStart= as systemd reads it back (systemd.service(5), "Command lines")."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain = escaped and not any(letter in escaped for letter in " \t\n'\";\\")
    return escaped if plain else f'"{escaped}"'


def daemon_command() -> list[str]:
    """The agentd that belongs to this agentctl.

    Raises:
        AgentdClientError: ``temporary_environment``.
    """
    refuse_temporary("a service")
    return command_here("agentd", "agentd")


def refuse_temporary(user: str) -> None:
    """See that this agentctl runs from where it can stay, for the sake of a ``user`` that will start it from there.

    Raises:
        AgentdClientError: ``temporary_environment``: it will not be there one day.
    """
    if reason := service.why_temporary(sys.prefix):
        raise AgentdClientError(
            "temporary_environment",
            f"This agentctl runs from {sys.prefix}, and {reason}: {user} that starts from there would fail one day. "
            "Install it where it can stay: in a checkout elsewhere, such as ~/src (`make run` installs into its .venv) "
            "or as a package with `uv tool install agentd-local`; then run the agentctl that this gives you.",
        )


def command_here(program: str, module: str) -> list[str]:
    """How to start a program of ours with this Python, wherever that is."""
    script = os.path.join(os.path.dirname(sys.executable), program)
    return [script] if os.access(script, os.X_OK) else [sys.executable, "-P", "-m", module]


def check_starts(command: list[str], account: pwd.struct_passwd | None) -> None:
    """See that the service's user can run ``command`` in about the environment that a service has.

    Raises:
        AgentdClientError: ``cannot_start``, with what it said.
    """
    environ = service.bare()
    become: dict[str, Any] = {}
    if account and os.geteuid() == 0:
        environ["HOME"] = account.pw_dir
        groups = os.getgrouplist(account.pw_name, account.pw_gid)
        become = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}
    try:
        ended = subprocess.run(  # noqa: S603  # our own daemon
            [*command, "--version"],
            cwd="/",
            env=environ,
            **become,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
        said, failed = ended.stderr.strip(), ended.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        said, failed = str(error), True
    if failed:
        who = account.pw_name if account else "this user"
        raise AgentdClientError(
            "cannot_start",
            f"{who} cannot start {' '.join(command)}: {last_line(said)}. Install agentd where {who} may read it.",
        )


def last_line(text: str) -> str:
    """Of a traceback, the line that says what went wrong."""
    return text.splitlines()[-1].rstrip(".") if text else "it says nothing"
