"""Which root a client means by a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.errors import RootNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentd.domain import Root
    from agentd.indexing.keeper import RootKeeper


def root_ids(keepers: Mapping[str, RootKeeper], paths: Iterable[str]) -> tuple[int, ...]:
    """Ids of the roots at ``paths``. Raises RootNotFoundError."""
    return tuple(root_at(keepers, path).id for path in paths)


def root_at(keepers: Mapping[str, RootKeeper], path: str) -> Root:
    """The root at ``path``.

    Raises:
        RootNotFoundError: no root is there; the message says which one lies around it.
    """
    path = path.rstrip("/") or "/"
    if path in keepers:
        return keepers[path].root
    for root in keepers:
        if path.startswith(root + "/"):
            inside = path.removeprefix(root + "/")
            raise RootNotFoundError(
                f"{path} is no root, but lies in {root}: ask there for paths like '{inside}/**'", path=path
            )
    raise RootNotFoundError(f"{path} is no root; `agentctl roots` lists them, `agentctl add {path}` adds it", path=path)
