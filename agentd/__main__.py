"""``agentd``: arguments -> settings -> loop -> exit code.

Exit codes: 0 stopped by a signal; 1 a fault in agentd itself; 2 wrong usage or configuration; 3 the state directory or
the socket is in use by another daemon; 4 the state directory or the socket cannot be used.
"""

from __future__ import annotations

import asyncio
import os
import sys

import structlog
import uvloop

from agentd.config.check import warnings
from agentd.config.flags import Flags, parse_flags
from agentd.config.load import Loaded, load
from agentd.config.render import render
from agentd.config.streams import open_missing_streams
from agentd.daemon.lifecycle import run
from agentd.errors import AgentdError, ConfigError, StateLockedError
from agentd.observability.logging import configure

log = structlog.get_logger("agentd")

OK, FAULT, USAGE, LOCKED, UNUSABLE = 0, 1, 2, 3, 4


def main() -> None:
    """Entry point of the ``agentd`` command."""
    open_missing_streams()
    flags = parse_flags()
    try:
        loaded = load(flags)
    except ConfigError as error:
        print(f"agentd: {error.message}", file=sys.stderr)  # noqa: T201 there is no logger without a configuration
        sys.exit(USAGE)
    if flags.check:
        sys.exit(check(loaded))
    sys.exit(serve(flags, loaded))


def check(loaded: Loaded) -> int:
    """Print the effective configuration, and on standard error what will not work."""
    sys.stdout.write(render(loaded))
    problems = warnings(loaded)
    for problem in problems:
        print(f"agentd: warning: {problem}", file=sys.stderr)  # noqa: T201 --check prints
    return OK


def serve(flags: Flags, loaded: Loaded) -> int:
    """Run the daemon to its end."""
    settings = loaded.settings
    configure(settings.log.level, settings.log.format)
    for problem in warnings(loaded):
        log.warning("configuration", problem=problem)
    os.umask(0o077)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, lambda: load(flags).settings))
    except StateLockedError as error:
        log.error("cannot_start", kind=error.kind, error=error.message)
        return LOCKED
    except AgentdError as error:
        log.error("cannot_start", kind=error.kind, error=error.message)
        return UNUSABLE
    except (KeyboardInterrupt, asyncio.CancelledError):  # a second signal: ended in the middle of things, as asked
        return OK
    except Exception:
        log.exception("fault")
        return FAULT
    return OK


if __name__ == "__main__":
    main()
