"""``agentctl install`` and ``uninstall``: agentd as a service of the user's manager, or of the system's."""

from __future__ import annotations

import os

from agentd.cli import command as c
from agentd.cli import output
from agentd.client import AgentdClientError, Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agentd.cli.purge import Leavings
    from agentd.cli.steps import Steps
    from agentd.cli.units import Units

# What both commands need beyond this (subprocess, shutil, pwd) is imported where they run: the help of all commands
# imports this module too.
# ruff: noqa: PLC0415


def system_argument(parser: ArgumentParser) -> None:
    """What both commands take."""
    parser.add_argument(
        "--system",
        nargs="?",
        const="",
        metavar="USER",
        help="as a service of the system, which needs no log-in, for USER (default: who called sudo)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")


def install(args: Namespace) -> int:
    """Write the units, enable and start them, and wait until the daemon is ready."""
    from agentd.cli import machine
    from agentd.cli import units as u
    from agentd.cli.steps import Steps

    units, steps = machine.units_of(args), Steps(dry_run=args.dry_run, quiet=args.json)
    command = u.daemon_command()
    u.check_starts(command, units.account)
    machine.require_manager(units)
    machine.refuse_another_daemon(units)
    was_there, written = units.installed(), []
    for path, name in zip(units.paths(), units.files, strict=True):
        if steps.write(path, u.rendered(name, command)):
            written.append(name)
    start(units, steps, again=was_there, socket_changed=was_there and units.files[1] in written)
    report(args, units, steps)
    return c.FOUND


def start(units: Units, steps: Steps, *, again: bool, socket_changed: bool) -> None:
    """Have the manager take the units over. The socket stays through an update, unless its own unit changed."""
    steps.run(*units.systemctl, "daemon-reload")
    if again:  # a start that failed too often would be refused
        steps.run(*units.systemctl, "reset-failed", units.service, units.socket, may_fail=True)
    if socket_changed:
        steps.run(*units.systemctl, "stop", units.socket, units.service)
    steps.run(*units.systemctl, "enable", "--now", units.socket)
    steps.run(*units.systemctl, "enable", units.service)
    try:
        steps.run(*units.systemctl, "restart", units.service)
    except AgentdClientError as error:
        journal = f"journalctl {'' if units.account else '--user '}-u {units.service} -n 20"
        raise AgentdClientError(error.kind, f"{error.message}\nWhat it said: {journal}") from None


def report(args: Namespace, units: Units, steps: Steps) -> None:
    """Say what runs now, and what the person may want to know or do next."""
    from agentd.cli import machine

    found = {} if steps.dry_run else running(units)
    notes = machine.advice(units)
    if args.json:
        output.say_json({"steps": steps.done, "socket": units.socket_path, "notes": notes, **found})
        return
    if found:
        output.say(f"agentd {found['version']} (process {found['pid']}) is ready on {units.socket_path}")
        if not found["roots"]:
            output.say("To index a folder: agentctl add DIR")
    output.note(*notes)


def running(units: Units) -> dict[str, object]:
    """Version, process and number of roots of the daemon behind the socket."""
    with Client(units.socket_path) as client:
        hello = client.hello()
        return {"version": hello.get("version"), "pid": hello.get("pid"), "roots": len(client.roots())}


def uninstall(args: Namespace) -> int:
    """Stop and disable the service, remove its units, and with ``--purge`` everything that it kept."""
    from agentd.cli import machine
    from agentd.cli.purge import Leavings
    from agentd.cli.steps import Steps

    units, steps = machine.units_of(args), Steps(dry_run=args.dry_run, quiet=args.json)
    installed = units.installed()
    leavings = Leavings(units) if args.purge else None
    if not installed and not (leavings and leavings.paths):
        output.note(f"agentctl: {units.service} is not installed in {units.directory}")
        return c.NOTHING_FOUND
    if leavings and not steps.dry_run and not args.yes and not agreed(leavings):
        return c.USAGE
    if installed:
        take_away(units, steps)
    if leavings:
        purge(units, steps, leavings)
    if args.json:
        freed = leavings.total if leavings and not steps.dry_run else 0
        output.say_json({"steps": steps.done, "freed_bytes": freed})
    return c.FOUND


def take_away(units: Units, steps: Steps) -> None:
    """Stop, disable, remove. Other users of the system's template keep it."""
    from agentd.cli import machine

    machine.require_manager(units)
    steps.run(*units.systemctl, "disable", "--now", units.service, units.socket)
    if others := other_instances(units):
        steps.note(f"kept {', '.join(units.paths())}: used by {', '.join(others)}")
        return
    for path in units.paths():
        steps.remove(path)
    steps.run(*units.systemctl, "daemon-reload")


def other_instances(units: Units) -> list[str]:
    """Services of other users that are enabled from the same template."""
    if not units.account:
        return []
    wants = os.path.join(units.directory, "multi-user.target.wants")
    names = os.listdir(wants) if os.path.isdir(wants) else []
    return sorted(name for name in names if name.startswith("agentd@") and name != units.service)


def purge(units: Units, steps: Steps, leavings: Leavings) -> None:
    """Delete what the service kept, and say what that freed.

    Raises:
        AgentdClientError: ``in_use``: an agentd that nobody stopped writes there.
    """
    from agentd.cli import machine

    machine.refuse_another_daemon(units)
    for path, size in leavings.paths.items():
        steps.note(f"{'would delete' if steps.dry_run else 'deleted'} {path} ({megabytes(size)})")
    if steps.dry_run:
        return
    for folder in leavings.delete():
        steps.note(f"kept {folder}: it holds files that agentd did not make")
    steps.note(f"freed {megabytes(leavings.total)}")


def agreed(leavings: Leavings) -> bool:
    """Show the person what would be deleted, and ask."""
    what = [f"  {path} ({megabytes(size)})" for path, size in leavings.paths.items()]
    output.note("This deletes:", *map(output.clean, what))
    return c.agreed("Delete all this?")


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1_000_000:,.1f} MB"


def uninstall_arguments(parser: ArgumentParser) -> None:
    """What ``uninstall`` takes."""
    system_argument(parser)
    parser.add_argument("--purge", action="store_true", help="delete index, cache and configuration too")
    parser.add_argument("--yes", action="store_true", help="do not ask before --purge deletes")


COMMANDS = (
    c.Command("install", "Run agentd as a service from now on.", install, system_argument),
    c.Command("uninstall", "Take the service away; with --purge all that it kept too.", uninstall, uninstall_arguments),
)
