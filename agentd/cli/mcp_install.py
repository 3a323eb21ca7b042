"""``agentctl mcp install`` and ``mcp uninstall``: agentd's entry in the configuration of MCP clients."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError

from agentd.cli import command as c
from agentd.cli import output
from agentd.client import AgentdClientError
from agentd.config import mcp_clients as places
from agentd.config import service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from agentd.cli.mcp_clients.changes import Change
    from agentd.cli.mcp_clients.clients import McpClient
    from agentd.cli.mcp_clients.receipts import Receipts

    Work = Callable[[McpClient, str, Receipts], Change]
    """Works out the change of a client's file."""

# What both commands need beyond this (difflib, tempfile, typing) is imported where they run: the help of all commands
# imports this module too.
# ruff: noqa: PLC0415

SOCKET_VARIABLE = "AGENTD_SOCKET"

COLOURS = {"@": output.CYAN, "+": output.GREEN, "-": output.RED}


def install(args: Namespace) -> int:
    """Show, ask, and write our entry for each client that was named, or that is here."""
    import shlex

    from agentd.cli.mcp_clients import changes

    command = server_command(args)

    def work(client: McpClient, path: str, receipts: Receipts) -> Change:
        return changes.installing(client, path, client.entry(command), receipts)

    names = args.clients or places.found()
    if not names:
        output.note("agentctl: no MCP client that agentd knows is here. Name one, or give yours this command:")
        output.note(shlex.join(command))
        return c.NOTHING_FOUND
    job = Job(args, work, unchanged="is up to date")
    code = job.run(names)
    if job.written:
        output.note(*job.next_steps(), *advice(args))
    return code


def uninstall(args: Namespace) -> int:
    """Show, ask, and take our entry away again from each client that was named, or that has one."""
    from agentd.cli.mcp_clients import changes
    from agentd.cli.mcp_clients.clients import CLIENTS

    job = Job(args, changes.uninstalling, unchanged="has no entry of agentd" if args.clients else "")
    code = job.run(args.clients or list(CLIENTS))
    if job.planned or code != c.FOUND:
        return code
    if not args.clients:
        output.note("agentctl: no MCP client here has an entry of agentd")
    return c.NOTHING_FOUND


def server_command(args: Namespace) -> list[str]:
    """What a client is to start: this agentctl by its whole path, since a client may have another ``PATH``.

    Raises:
        AgentdClientError: ``temporary_environment``.
    """
    from agentd.cli import units

    units.refuse_temporary("an MCP client")
    command = [*units.command_here("agentctl", "agentd.cli.main"), "mcp", "--add"]
    return [*command, "--socket", os.path.abspath(args.socket)] if args.socket else command


class Job:
    """The changes of several clients: worked out, shown, agreed to, written. One that fails does not stop the others.

    ``unchanged`` is what to say of a file that needs no change.
    """

    def __init__(self, args: Namespace, work: Work, *, unchanged: str) -> None:
        from agentd.cli.mcp_clients.receipts import Receipts

        self.planned: list[Change] = []
        self.written: list[Change] = []
        self._args = args
        self._work = work
        self._unchanged = unchanged
        self._receipts = Receipts()
        self._failed = False

    def run(self, names: list[str]) -> int:
        """All of it for these clients; returns the exit code."""
        files = configuration_files(self._args)
        for name in names:
            self._attempt(self._plan, name, files[name])
        is_wanted = bool(self.planned) and not self._args.dry_run
        is_agreed = is_wanted and (self._args.yes or c.agreed("Write this?"))
        for change in self.planned if is_agreed else ():
            self._attempt(self._write, change)
        if self._args.json:
            output.say_json({"changes": [self._as_json(change) for change in self.planned]})
        if self._failed:
            return c.FAILED
        return c.USAGE if is_wanted and not is_agreed else c.FOUND

    def next_steps(self) -> list[str]:
        """What the person does now in each client."""
        return [f"{change.client.title}: {change.client.then}" for change in self.written]

    def _attempt(self, step: Callable[..., None], *what: object) -> None:
        try:
            step(*what)
        except AgentdClientError as error:
            self._failed = True
            output.note(*map(output.clean, f"agentctl: {error.message}".splitlines()))

    def _plan(self, name: str, path: str) -> None:
        from agentd.cli.mcp_clients.clients import CLIENTS

        change = self._work(CLIENTS[name], path, self._receipts)
        if change.is_needed:
            self.planned.append(change)
            self._say(*painted(change.diff()))
        elif self._unchanged:
            self._say(f"{change.client.title}: {output.clean(path)} {self._unchanged}")

    def _write(self, change: Change) -> None:
        change.write(self._receipts)
        self.written.append(change)
        self._say(f"{'deleted' if change.after is None else 'wrote'} {output.clean(change.path)}")

    def _say(self, *lines: str) -> None:
        if not self._args.json:
            output.say(*lines)

    def _as_json(self, change: Change) -> dict[str, object]:
        is_written = change in self.written
        return {"client": change.client.name, "path": change.path, "diff": change.diff(), "written": is_written}


def configuration_files(args: Namespace) -> dict[str, str]:
    """The file of each client: the user's, or with ``--project`` that of the project around the working directory."""
    return places.project_files(project_folder(os.getcwd())) if args.project else places.user_files()


def project_folder(folder: str) -> str:
    """The git top level around ``folder``, else itself."""
    above = folder
    while not os.path.exists(os.path.join(above, ".git")):
        if above == os.path.dirname(above):
            return folder
        above = os.path.dirname(above)
    return above


def painted(diff: list[str]) -> list[str]:
    """A diff as a terminal shows it."""
    screen = output.screen()
    return [screen.paint(output.clean(line), COLOURS.get(line[:1], "0")) for line in diff]


def advice(args: Namespace) -> list[str]:
    """What a person may not expect."""
    notes = [
        f"note: {name} is set here, and clients started elsewhere do not see it; {remedy(name)}"
        for name in service.unseen()
        if not (name == SOCKET_VARIABLE and args.socket)
    ]
    if args.project:
        notes.append("note: the entry holds a path of this machine; who shares the project needs one of their own")
    return notes


def remedy(name: str) -> str:
    """What to do about a variable that a client does not see."""
    import shlex

    in_entry = 'set it in the "env" of the entry'
    if name != SOCKET_VARIABLE:
        return in_entry
    socket = output.clean(shlex.quote(os.environ[name]))
    return f"have the entry name the socket: agentctl --socket {socket} mcp install; or {in_entry}"


def client_name(text: str) -> str:
    """An argument that must name a client."""
    if text not in places.NAMES:
        raise ArgumentTypeError(f"expected one of {', '.join(places.NAMES)}, found {text}")
    return text


def arguments(parser: ArgumentParser) -> None:
    """What both commands take."""
    parser.add_argument(
        "clients",
        nargs="*",
        metavar="CLIENT",
        type=client_name,
        help=f"{', '.join(places.NAMES)} (default: those that are here)",
    )
    parser.add_argument("--project", action="store_true", help="in the project's own configuration, not the user's")
    parser.add_argument("--yes", action="store_true", help="do not ask before writing")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be written")


COMMANDS = (
    c.Command("mcp install", "Give MCP clients (Claude Code, Cursor, ...) an entry for agentd.", install, arguments),
    c.Command("mcp uninstall", "Take the entry away from MCP clients again.", uninstall, arguments),
)
