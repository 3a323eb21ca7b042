"""A listening socket that the service manager made and holds: clients queue in it while the daemon restarts."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from agentd.daemon.locks import FileLock
from agentd.errors import ConfigError, StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.config.manager import ServiceManager

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def adopted_socket(manager: ServiceManager) -> Iterator[socket.socket]:
    """The one socket of the manager, which keeps it open, and its file in place, when the daemon ends.

    The lock beside it tells an agentd that a person starts on the same path that the socket is taken; where the
    directory is not the daemon's to write, nobody else of its user could bind there either.

    Raises:
        ConfigError: expected one listening Unix stream socket, found something else.
        StateLockedError: another daemon listens there.
    """
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(_the_one(manager))
        path = Path(os.fsdecode(listening.getsockname()))
        try:
            stack.enter_context(FileLock(path.with_name(path.name + ".lock"), f"the socket {path}"))
        except StateUnusableError as error:
            log.debug("socket_not_locked", error=error.message)
        yield listening


def _the_one(manager: ServiceManager) -> socket.socket:
    for descriptor in manager.descriptors:
        with contextlib.suppress(OSError):  # not open: said below
            os.set_inheritable(descriptor, False)  # noqa: FBT003 its own signature
    if len(manager.descriptors) != 1:
        named = f" ({', '.join(manager.names)})" if manager.names else ""
        raise ConfigError(
            f"expected one socket from the service manager, found {len(manager.descriptors)}{named}; "
            "leave one ListenStream= in the socket unit"
        )
    try:
        given = socket.socket(fileno=manager.descriptors[0])
    except OSError as error:
        raise ConfigError(
            f"LISTEN_FDS: expected a listening Unix stream socket as descriptor {manager.descriptors[0]}, found none "
            f"({error.strerror})"
        ) from error
    if (found := _unfit(given)) is not None:
        given.close()
        raise ConfigError(
            f"expected a listening Unix stream socket with a path from the service manager, found {found}; "
            "use ListenStream=%t/agentd/agentd.sock and Accept=no in the socket unit"
        )
    given.setblocking(False)  # noqa: FBT003 the socket's own signature
    return given


def _unfit(given: socket.socket) -> str | None:
    """What it is instead; None where it is right."""
    if given.family != socket.AF_UNIX:
        return f"one of the family {_name(given.family)}"
    if given.type != socket.SOCK_STREAM:
        return f"one of the type {_name(given.type)}"
    if not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "a connection"
    name = given.getsockname()
    # Bytes stand for the abstract namespace, which has no permissions: anybody could connect.
    return None if isinstance(name, str) and name else "one without a path"


def _name(constant: int) -> str:
    return getattr(constant, "name", str(constant))
