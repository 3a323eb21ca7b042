"""Users that the configuration names."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable


def user_ids(users: Iterable[str]) -> frozenset[int]:
    """The numbers of ``users``, each a name or a number. May ask a directory service, so never on the loop.

    Raises:
        ConfigError: there is no user of a name.
    """
    return frozenset(int(user) if user.isascii() and user.isdecimal() else _number(user) for user in users)


def _number(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError) as error:  # ValueError: a NUL in it
        raise ConfigError(
            f"server.allowed_users: expected the names or numbers of users, found {name!r}, which is nobody's"
        ) from error
