"""``agentd``: arguments -> settings -> loop -> exit code.

Exit codes: 0 stopped by a signal; 1 a fault in agentd itself; 2 wrong usage or configuration; 3 the state directory or
the socket is in use by another daemon; 4 the state directory or the socket cannot be used; 5 a newer agentd wrote the
state. The units restart after none of 2 and 5, which another try cannot mend.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import structlog
import uvloop

from agentd.config.check import warnings
from agentd.config.credentials import read_credentials
from agentd.config.flags import Flags, parse_flags
from agentd.config.load import Loaded, load
from agentd.config.manager import take_manager
from agentd.config.render import render
from agentd.config.streams import open_missing_streams
from agentd.daemon.lifecycle import run
from agentd.errors import AgentdError, ConfigError, StateLockedError, StateNewerError
from agentd.observability.logging import configure
from agentd.observability.masking import set_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentd.config.manager import ServiceManager

log = structlog.get_logger("agentd")

OK, FAULT, USAGE, LOCKED, UNUSABLE, NEWER = 0, 1, 2, 3, 4, 5
CANNOT_START: dict[type[AgentdError], int] = {ConfigError: USAGE, StateLockedError: LOCKED, StateNewerError: NEWER}
"""Exit codes by error; all others are UNUSABLE."""


def main() -> None:
    """Entry point of the ``agentd`` command."""
    open_missing_streams()
    flags = parse_flags()
    try:
        manager = take_manager()
        credentials = read_credentials(manager.credentials)
        loaded = load(flags)
    except ConfigError as error:
        print(f"agentd: {error.message}", file=sys.stderr)  # noqa: T201 there is no logger without a configuration
        sys.exit(USAGE)
    set_secrets(credentials.values())
    if flags.check:
        sys.exit(check(loaded, credentials))
    sys.exit(serve(flags, loaded, manager, credentials))


def check(loaded: Loaded, credentials: Iterable[str]) -> int:
    """Print the effective configuration and the names of ``credentials``; on standard error what will not work."""
    sys.stdout.write(render(loaded))
    if names := ", ".join(credentials):
        sys.stdout.write(f"\n# credentials: {names}\n")
    problems = warnings(loaded)
    for problem in problems:
        print(f"agentd: warning: {problem}", file=sys.stderr)  # noqa: T201 --check prints
    return OK


def serve(flags: Flags, loaded: Loaded, manager: ServiceManager, credentials: Mapping[str, str]) -> int:
    """Run the daemon to its end."""
    settings = loaded.settings
    configure(settings.log.level, settings.log.format)
    for problem in warnings(loaded):
        log.warning("configuration", problem=problem)
    if names := list(credentials):
        log.info("credentials", names=names)
    os.umask(0o077)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, lambda: load(flags).settings, manager, credentials))
    except AgentdError as error:
        log.error("cannot_start", kind=error.kind, error=error.message)
        return next((code for kind, code in CANNOT_START.items() if isinstance(error, kind)), UNUSABLE)
    except (KeyboardInterrupt, asyncio.CancelledError):  # a second signal: ended in the middle of things, as asked
        return OK
    except Exception:
        log.exception("fault")
        return FAULT
    return OK


if __name__ == "__main__":
    main()
