"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from agentd.config.users import user_ids

if TYPE_CHECKING:
    from asyncio import BaseTransport
    from collections.abc import Iterable

_UCRED = struct.Struct("3i")


class Peer(NamedTuple):
    """Credentials of the process that connected, as the kernel took them then (unix(7), SO_PEERCRED)."""

    pid: int
    uid: int
    gid: int


def peer_of(transport: BaseTransport) -> Peer:
    """Ask the kernel. Raises OSError where the socket is already gone."""
    credentials = transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return Peer(*_UCRED.unpack(credentials))


def is_own_or_root(peer: Peer) -> bool:
    """Whether the peer may read everything that the daemon may read anyway."""
    return peer.uid in {0, os.geteuid()}


class AllowList:
    """Lets in the daemon's own user, root, and ``users``: names or numbers, as the configuration has them.

    Raises:
        ConfigError: there is no user of a name.
    """

    def __init__(self, users: Iterable[str]) -> None:
        self._users = user_ids(users)

    def __call__(self, peer: Peer) -> bool:
        """Whether the peer may connect."""
        return is_own_or_root(peer) or peer.uid in self._users
