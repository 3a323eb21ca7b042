"""``agentctl mcp``: a server of the Model Context Protocol for the client that started it."""

from __future__ import annotations

import os
import sys

from agentd.cli import command as c
from agentd.cli import output
from agentd.client import AgentdClientError
from agentd.config import paths, service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agentd.mcp.starting import Starter

# The SDK takes half a second to load: the help of all commands imports this module too.
# ruff: noqa: PLC0415


def arguments(parser: ArgumentParser) -> None:
    """What ``mcp`` takes."""
    parser.epilog = "agentctl mcp install has your clients start this, agentctl mcp uninstall takes it out again."
    parser.add_argument(
        "--root",
        dest="roots",
        metavar="DIR",
        action="append",
        default=[],
        help="search these folders (default: the one you are in, else all); may be repeated",
    )
    parser.add_argument("--add", action="store_true", help="index the git project around you where nothing covers it")
    parser.add_argument("--no-start", action="store_true", help="do not start agentd where none runs")


def run(args: Namespace) -> int:
    """Serve standard input and output until the client closes them."""
    from agentd.mcp.connection import Daemon
    from agentd.mcp.desk import Desk
    from agentd.mcp.process import serve

    if sys.stdin.isatty():
        output.note("Waiting for an MCP client on standard input. To have yours start this: agentctl mcp install")
    socket_path = os.path.abspath(args.socket) if args.socket else paths.socket_to_connect()
    daemon = Daemon(socket_path, None if args.no_start else starter(socket_path))
    serve(Desk(daemon, [os.path.realpath(root) for root in args.roots], add=args.add))
    raise AgentdClientError("internal", "The server ended without its process.")


def starter(socket_path: str) -> Starter | None:
    """What starts agentd behind the socket; None where a service manager is to do that when somebody connects."""
    from agentd.cli.units import Units, command_here
    from agentd.mcp.starting import Starter

    units = Units()
    of_service = units.installed() and socket_path == units.socket_path
    if of_service or socket_path.startswith(f"{paths.SYSTEM_RUNTIME}/"):
        return None
    return Starter(command_here("agentd", "agentd"), socket_path, paths.state_directory(), service.detached())


COMMANDS = (c.Command("mcp", "Serve MCP clients on standard input and output.", run, arguments),)
