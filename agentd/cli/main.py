"""``agentctl``: find the command, run it, turn its end into an exit code.

Only the family of the command that was typed is imported, and only its arguments are set up: a search should cost
little more than the start of Python.
"""

from __future__ import annotations

import os
import sys

from agentd import __version__
from agentd.cli import command as c
from agentd.cli import output, skew
from agentd.client import AgentdClientError, NoDaemonError, ReplyTimeoutError
from agentd.config.streams import open_missing_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentd.cli.command import Command

FAMILIES = {
    "search": "search",
    "ask": "ask",
    "agent": "agent",
    "runs": "runs",
    "trace": "runs",
    "answer": "answers",
    "answers": "answers",
    "verify": "answers",
    "symbol": "graph",
    "graph": "graph",
    "related": "graph",
    "show": "files",
    "files": "files",
    "add": "roots",
    "remove": "roots",
    "roots": "roots",
    "status": "index",
    "wait": "index",
    "reindex": "index",
    "stats": "stats",
    "doctor": "doctor",
    "mcp": "mcp",
    "mcp install": "mcp_install",
    "mcp uninstall": "mcp_install",
    "stop": "daemon",
    "install": "service",
    "uninstall": "service",
    "version": "daemon",
}
"""Command -> the module of this package that holds it, in the order of the help."""

NOT_KNOWN = {"method_not_found", "invalid_params"}
"""What a daemon of another version says to what it does not know."""


def main(argv: list[str] | None = None) -> int:
    """Run ``agentctl`` and return its exit code."""
    open_missing_streams()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a locale that lacks a letter
    name, arguments = split(sys.argv[1:] if argv is None else argv)
    if name == "help" and arguments and not arguments[0].startswith("-"):
        name, arguments = split(arguments)[0], ["--help"]
    if name in {"help", "--help", "-h"}:
        output.say(*help_lines())
        return c.FOUND
    if name not in FAMILIES:
        output.note(unknown(name))
        return c.USAGE
    command = load(name)
    return guard(command, arguments)


def split(argv: list[str]) -> tuple[str, list[str]]:
    """The command, and its arguments: the global options before it are its own too."""
    before: list[str] = []
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in {"-h", "--help"}:
            return "help", []
        if option == "--version":
            return "version", before
        before.append(option)
        if option == "--socket":
            before += rest[:1]
            del rest[:1]
        elif option != "--json" and not option.startswith("--socket="):
            return option, []
    if not rest:
        return "help", []
    words = 2 if takes_second_word(rest) else 1
    return " ".join(rest[:words]), before + rest[words:]


def takes_second_word(words: list[str]) -> bool:
    """Whether the command has two words, such as ``mcp install``, be the second one right or mistyped."""
    two = len(words) > 1 and not words[1].startswith("-")
    return two and any(name.startswith(f"{words[0]} ") for name in FAMILIES)


def load(name: str) -> Command:
    """The command of that name, from its family's module."""
    module = __import__(f"agentd.cli.{FAMILIES[name]}", fromlist=["COMMANDS"])
    commands: tuple[Command, ...] = module.COMMANDS
    return next(command for command in commands if command.name == name)


def guard(command: Command, arguments: list[str]) -> int:
    """Run a command; every way in which it can end is an exit code here."""
    try:
        code = run(command, arguments)
        sys.stdout.flush()
    except AgentdClientError as error:
        output.note(f"agentctl: {output.clean(error.message)}", *remaining(error))
        return failure(error)
    except KeyboardInterrupt:
        return c.INTERRUPTED
    except BrokenPipeError:
        give_up_output()
        return c.BROKEN_PIPE
    except OSError as error:  # a full disk behind standard output
        give_up_output()
        output.note(f"agentctl: {error.strerror}")
        return c.FAILED
    return code


def run(command: Command, arguments: list[str]) -> int:
    """Run a command. What fails because the daemon has another version says so.

    Raises:
        AgentdClientError: ``version_skew`` in that case, else what the daemon or the client says.
    """
    args = command.parser().parse_args(arguments)
    try:
        return command.run(args)
    except AgentdClientError as error:
        if error.kind in NOT_KNOWN and (why := skew.explanation(args.socket)):
            raise AgentdClientError("version_skew", f"{error.message}\n{why}") from error
        raise
    except (KeyError, TypeError) as error:  # an answer of another shape than this version knows, or a fault of ours
        if why := skew.explanation(args.socket):
            raise AgentdClientError("version_skew", f"this answer cannot be read ({error!r}): {why}") from error
        raise


def give_up_output() -> None:
    """Python flushes once more at exit; give it a place where that succeeds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def failure(error: AgentdClientError) -> int:
    """The exit code of an error."""
    if isinstance(error, NoDaemonError):
        return c.NO_DAEMON
    if isinstance(error, ReplyTimeoutError) or error.kind == "deadline":
        return c.TIMED_OUT
    if error.kind == "symbol_not_found":
        return c.NOTHING_FOUND
    return c.USAGE if error.kind == "invalid_params" else c.FAILED


def remaining(error: AgentdClientError) -> list[str]:
    """What was left to do when the time ran out, where the daemon says it."""
    status = error.data.get("status")
    if not isinstance(status, dict):
        return []
    left = output.left_to_do(status["pending"], status["vectors_pending"])
    return [left] if left else []


def unknown(name: str) -> str:
    """What to say about a command that there is not."""
    if name.startswith("-"):
        return f"agentctl: unknown option {output.clean(name)}. See: agentctl help"
    from difflib import get_close_matches  # noqa: PLC0415  # only a typing error pays for it

    near = get_close_matches(name, FAMILIES, n=1)
    advice = f"Did you mean: agentctl {near[0]}" if near else "See: agentctl help"
    return f"agentctl: unknown command {output.clean(name)}. {advice}"


def help_lines() -> list[str]:
    """The page that ``agentctl`` alone prints."""
    rows = [(f"  {name}", load(name).summary) for name in FAMILIES]
    return [
        f"agentctl {__version__}: search your folders through agentd.",
        "",
        "agentctl [--socket PATH] [--json] COMMAND ...",
        "",
        *output.table(rows),
        "",
        "agentctl COMMAND --help says what a command takes.",
        "Exit codes: 0 found or done, 1 nothing found, 2 usage, 3 no daemon, 4 failed, 5 time-out.",
    ]


if __name__ == "__main__":
    sys.exit(main())
