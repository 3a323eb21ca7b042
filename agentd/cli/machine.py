"""What has to hold on this machine before a service is installed or taken away, and what a person should know."""

from __future__ import annotations

import os
import pwd

from agentd.cli.purge import user_of
from agentd.cli.steps import run
from agentd.cli.units import Units
from agentd.client import AgentdClientError
from agentd.config import service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def units_of(args: Namespace) -> Units:
    """The units that the arguments name.

    Raises:
        AgentdClientError: ``invalid_params``: no such user, or the service of the system by another than root.
    """
    if args.system is None:
        return Units()
    name = args.system or service.invoking_user()
    if not name:
        raise AgentdClientError("invalid_params", "Expected whose folders to index: agentctl install --system USER")
    if os.geteuid() != 0 and not args.dry_run:
        raise AgentdClientError(
            "invalid_params", f"Only root can change services of the system: sudo agentctl install --system {name}"
        )
    return Units(account_of(name))


def account_of(name: str) -> pwd.struct_passwd:
    """The entry of a user in the password database."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise AgentdClientError("invalid_params", f"There is no user {name} on this machine.") from None


def user_name() -> str:
    """The name of who runs this, or the number, which loginctl takes too, where there is none, as in containers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def require_manager(units: Units) -> None:
    """See that a service manager runs.

    Raises:
        AgentdClientError: ``no_manager``, and what to do about it.
    """
    code, _, said = run(*units.systemctl, "show", "--property=Version")
    if code == 0:
        return
    if units.account:
        raise AgentdClientError("no_manager", f"systemd does not run this machine ({said.strip()}).")
    raise AgentdClientError(
        "no_manager",
        f"No service manager of yours runs ({said.strip()}). It comes with a log-in at a screen or by ssh, not with su "
        f"or sudo. To have it always: loginctl enable-linger {user_name()}. Where systemd does not run at all, "
        "start agentd yourself.",
    )


def refuse_another_daemon(units: Units) -> None:
    """See that no agentd but the service's own uses the state or the socket.

    Raises:
        AgentdClientError: ``in_use``.
    """
    locks = (os.path.join(units.state, "lock"), f"{units.socket_path}.lock")
    if not (users := {pid for lock in locks if (pid := user_of(lock))}):
        return
    own = run(*units.systemctl, "show", "--property=MainPID", "--value", units.service)[1].strip()
    if others := users - {own}:
        raise AgentdClientError(
            "in_use",
            f"An agentd that the service did not start (process {', '.join(sorted(others))}) uses {units.state} or "
            f"{units.socket_path}. Stop it first: agentctl stop",
        )


def advice(units: Units) -> list[str]:
    """What will surprise the person later."""
    notes = [
        f"{name} is set in this shell; the service does not see it. See: systemctl --user edit {units.service}"
        for name in service.unseen()
    ]
    if not units.account and not os.path.exists(os.path.join(service.LINGERING, user_name())):
        notes.append("The service ends when you log out. To keep it running: loginctl enable-linger")
    return notes
