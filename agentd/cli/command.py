"""What a command is, and how its arguments are read."""

from __future__ import annotations

import argparse
import sys

from agentd.cli import output, skew
from agentd.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FOUND, NOTHING_FOUND, USAGE, NO_DAEMON, FAILED, TIMED_OUT, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 4, 5, 130, 141
"""Exit codes. The last two are the shell's for a process that SIGINT or SIGPIPE ended."""

BUSY_RETRIES = 5
"""How often a person's command asks a busy daemon again before it gives up."""


class Command:
    """A word after ``agentctl``: its line in the help, its arguments, and what it does (returning the exit code)."""

    def __init__(
        self,
        name: str,
        summary: str,
        run: Callable[[argparse.Namespace], int],
        arguments: Callable[[argparse.ArgumentParser], None] | None = None,
    ) -> None:
        self.name = name
        self.summary = summary
        self.run = run
        self._arguments = arguments

    def parser(self) -> argparse.ArgumentParser:
        """Reads what stands after the command; the global options are welcome there too."""
        parser = argparse.ArgumentParser(
            prog=f"agentctl {self.name}", description=self.summary, formatter_class=_formatter, allow_abbrev=False
        )
        if self._arguments:
            self._arguments(parser)
        parser.add_argument("--socket", metavar="PATH", help="the daemon's socket")
        parser.add_argument("--json", action="store_true", help="print what the daemon says as lines of JSON")
        return parser


def connect(args: argparse.Namespace, *, any_protocol: bool = False) -> Client:
    """A connection to the daemon that the arguments name, which is asked again where it is busy.

    Raises:
        AgentdClientError: ``protocol_mismatch``, but not for what works with ``any_protocol``; or no daemon is there.
    """
    client = Client(args.socket, retries=BUSY_RETRIES)
    try:
        if not any_protocol:
            skew.greet(client)
    except BaseException:
        client.close()
        raise
    return client


def agreed(question: str) -> bool:
    """Ask the person; without one to ask, only ``--yes`` is a yes."""
    if not sys.stdin.isatty():
        output.note("agentctl: nobody is here to confirm it; add --yes")
        return False
    output.note(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def words(text: str) -> str:
    """An argument that must say something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("expected words, found none")
    return text


def positive(text: str) -> int:
    """An argument that must be a whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, found {text}")
    return number


def count(text: str) -> int:
    """An argument that must be a whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a number from 0, found {text}")
    return number


def seconds(text: str) -> float:
    """An argument that must be a time in seconds, from 0."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds from 0, found {text}")
    return number


positive.__name__ = count.__name__ = "number"  # argparse shows these in its errors
seconds.__name__ = "number of seconds"


def _formatter(prog: str) -> argparse.HelpFormatter:
    """A formatter told its width: left to itself it imports shutil, which argparse would pay for at every start."""
    return argparse.HelpFormatter(prog, max_help_position=26, width=min(output.width(), 100))
