"""Deleting what a service left: its index, its configuration, its runtime directory, and how much that freed."""

from __future__ import annotations

import fcntl
import os
import shutil

from agentd.client import AgentdClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentd.cli.units import Units

STATE_MARKS = ("lock", "index.db", "embeddings.db")
"""A directory without any of these was not made by agentd."""


class Leavings:
    """What there is to delete: ``paths`` with their bytes on disk, and ``kept``, which is not agentd's."""

    def __init__(self, units: Units) -> None:
        found = [
            *([units.state] if is_state(units.state) else []),
            *(path for path in (units.config,) if os.path.lexists(path)),
            *(path for path in (os.path.dirname(units.socket_path),) if os.path.isdir(path)),
            *units.drop_ins(),
        ]
        self.paths = {path: size(path) for path in dict.fromkeys(found)}
        self._folders = (os.path.dirname(units.config),)

    @property
    def total(self) -> int:
        """Bytes on disk."""
        return sum(self.paths.values())

    def delete(self) -> list[str]:
        """Delete all; returns what is left in folders that hold more than what agentd made.

        Raises:
            AgentdClientError: ``cannot_write``.
        """
        for path in self.paths:
            try:
                delete(path)
            except OSError as error:
                raise AgentdClientError("cannot_write", f"Cannot delete {path}: {error.strerror}.") from None
        return [folder for folder in self._folders if os.path.isdir(folder) and not removed_empty(folder)]


def is_state(directory: str) -> bool:
    """Whether agentd made the directory: a wrong path in the environment must not cost a home."""
    return any(os.path.lexists(os.path.join(directory, name)) for name in STATE_MARKS)


def user_of(lock: str) -> str | None:
    """The process id in a lock file that a daemon still holds; None where nobody does."""
    try:
        with open(lock, encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(32).strip() or "unknown"
    except OSError:
        return None
    return None


def delete(path: str) -> None:
    """Delete a file, a link with what it leads to, or a directory with all in it."""
    real = os.path.realpath(path)
    if os.path.isdir(real):
        shutil.rmtree(real)
    elif os.path.lexists(real):
        os.unlink(real)
    if os.path.islink(path):
        os.unlink(path)


def removed_empty(folder: str) -> bool:
    """Remove a folder that nothing is left in; whether it is gone."""
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True


def size(path: str) -> int:
    """Bytes on disk of a file, or of everything below a directory."""
    total = blocks(path)
    for folder, names, files in os.walk(path):
        total += sum(blocks(os.path.join(folder, name)) for name in (*names, *files))
    return total


def blocks(path: str) -> int:
    """Bytes on disk of one entry; 0 for one that has just gone."""
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0
