"""What a service manager hands to the daemon through the environment: sockets, where to report, credentials.

Sources: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5) for ``CREDENTIALS_DIRECTORY``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

FIRST_DESCRIPTOR = 3
"""``SD_LISTEN_FDS_START``."""
MOST_DESCRIPTORS = 1024
VARIABLES = (
    *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"),
    *("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"),
    *("LISTEN_PIDFDID", "CREDENTIALS_DIRECTORY"),
)


class ServiceManager(Struct, frozen=True, kw_only=True):
    """What the manager said. All of it is empty for a daemon that a person started.

    ``notify_socket`` is a path, or ``@NAME`` in the abstract namespace. ``descriptors`` are inherited; ``names`` has
    one for each, or nothing. ``watchdog_seconds`` is how long the manager waits for a sign of life before it kills.
    """

    notify_socket: str = ""
    descriptors: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    watchdog_seconds: float | None = None
    credentials: Path | None = None


def take_manager(environ: MutableMapping[str, str] = os.environ, pid: int | None = None) -> ServiceManager:
    """Read and remove the manager's variables: they speak to this process (``pid``) alone, never to its children.

    Raises:
        ConfigError: a number is none, or the credentials' directory is not an absolute path.
    """
    own = str(os.getpid() if pid is None else pid)
    said = {name: environ.pop(name, "") for name in VARIABLES}
    count = _number("LISTEN_FDS", said["LISTEN_FDS"]) if said["LISTEN_PID"] == own else 0
    if count > MOST_DESCRIPTORS:
        raise ConfigError(f"LISTEN_FDS: expected at most {MOST_DESCRIPTORS} descriptors, found {count}")
    microseconds = _number("WATCHDOG_USEC", said["WATCHDOG_USEC"]) if said["WATCHDOG_PID"] in {"", own} else 0
    return ServiceManager(
        notify_socket=said["NOTIFY_SOCKET"],
        descriptors=tuple(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + count)),
        names=tuple(said["LISTEN_FDNAMES"].split(":")) if count and said["LISTEN_FDNAMES"] else (),
        watchdog_seconds=microseconds / 1_000_000 or None,
        credentials=_directory(said["CREDENTIALS_DIRECTORY"]),
    )


def _number(name: str, text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()):
        raise ConfigError(f"environment variable {name}: expected a whole number from 0, found {text!r}")
    return int(text)


def _directory(text: str) -> Path | None:
    if text and not text.startswith("/"):
        raise ConfigError(f"environment variable CREDENTIALS_DIRECTORY: expected an absolute path, found {text!r}")
    return Path(text) if text else None
