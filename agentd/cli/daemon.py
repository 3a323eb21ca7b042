"""``agentctl stop`` and ``version``: the daemon itself."""

from __future__ import annotations

import os
import select
import signal

from agentd import __version__
from agentd.cli import command as c
from agentd.cli import output
from agentd.client import AgentdClientError, NoDaemonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agentd.client import Client


def stop_arguments(parser: ArgumentParser) -> None:
    """What ``stop`` takes."""
    parser.add_argument(
        "--timeout", type=c.seconds, default=30.0, metavar="S", help="give up after S seconds (default: 30)"
    )


def stop(args: Namespace) -> int:
    """Ask the daemon to drain and stop, and wait until its process has ended."""
    with c.connect(args, any_protocol=True) as client:
        client.timeout = max(args.timeout, 1.0)
        pid = pid_of_daemon(client)
        ended = terminate(pid, args.timeout)
    if args.json:
        output.say_json({"pid": pid, "stopped": ended})
    elif ended:
        output.say(f"agentd (process {pid}) has stopped")
    else:
        output.note(f"agentctl: agentd (process {pid}) still runs after {args.timeout:g} s")
    return c.FOUND if ended else c.TIMED_OUT


def pid_of_daemon(client: Client) -> int:
    """The process that answers, where it is also the one that made the socket.

    Raises:
        AgentdClientError: ``not_ours_to_stop``: a service manager made the socket and would start agentd again, or the
            daemon runs in another pid namespace.
    """
    maker, answering = client.peer_pid, client.hello().get("pid", 0)
    if maker and maker == answering:
        return maker
    raise AgentdClientError(
        "not_ours_to_stop",
        f"The socket was made by process {maker}, but process {answering} answers: a service manager or a container "
        "holds agentd. Stop it there, for example with: systemctl --user stop agentd.socket agentd.service",
    )


def terminate(pid: int, timeout: float) -> bool:
    """Send SIGTERM and wait for the process to end; whether it did within ``timeout`` seconds.

    A pidfd becomes readable when its process ends, and never names another process that got the same number
    (pidfd_open(2)).

    Raises:
        AgentdClientError: ``permission_denied``.
    """
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        return bool(select.select([process], [], [], timeout)[0])
    except ProcessLookupError:
        return True
    except PermissionError:
        raise AgentdClientError("permission_denied", f"Process {pid} belongs to another user.") from None
    finally:
        os.close(process)


def version(args: Namespace) -> int:
    """Print the versions of agentctl and, where one runs, of the daemon."""
    try:
        with c.connect(args, any_protocol=True) as client:
            daemon = client.hello().get("version", "unknown")
    except NoDaemonError:
        daemon = None
    if args.json:
        output.say_json({"agentctl": __version__, "agentd": daemon})
    else:
        output.say(f"agentctl {__version__}", f"agentd {output.clean(daemon) if daemon else 'is not running'}")
    return c.FOUND


COMMANDS = (
    c.Command("stop", "Stop the daemon, and wait until it has.", stop, stop_arguments),
    c.Command("version", "Print the versions of agentctl and of the daemon.", version),
)
