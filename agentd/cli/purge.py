"""Deleting what a service left: its index, its configuration, its runtime directory, and how much that freed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil

from agentd.client import AgentdClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentd.cli.units import Units

STATE_MARKS = ("lock", "index.db", "embeddings.db", "answers.db", "runs.db")
"""A directory without any of these was not made by agentd."""

_MADE = re.compile(
    r"((roots|mcp)\.json|(index|embeddings|answers|runs|web)\.db|keyword|vectors|lock|agentd\.(sock|log))"
    r"(\.new|\.lock|\.damaged-\d{8}T\d{6}Z)?(-wal|-shm|-journal)?"
)
"""The names of what agentd makes in its directories of state and runtime (docs/state.md)."""


class Leavings:
    """What there is to delete: ``paths`` with their bytes on disk.

    What lies beside it was made by somebody else and stays, as does what a link leads to: only the state itself may lie
    behind one, on a larger disk, say.
    """

    def __init__(self, units: Units) -> None:
        own = [*([units.state] if is_state(units.state) else []), os.path.dirname(units.socket_path)]
        self._folders = [*own, os.path.dirname(units.config)]
        files = [path for path in (units.config, *units.drop_ins()) if os.path.lexists(path)]
        made = {folder: made_in(folder) for folder in own} | {path: [path] for path in files}
        self._made = {path: entries for path, entries in made.items() if entries}
        self.paths = {path: sum(map(size, entries)) for path, entries in self._made.items()}

    @property
    def total(self) -> int:
        """Bytes on disk."""
        return sum(self.paths.values())

    def delete(self) -> list[str]:
        """Delete all; returns what is left in folders that hold more than what agentd made.

        Raises:
            AgentdClientError: ``cannot_write``.
        """
        # Looked at once more: the daemon has stopped since, and took some away or left some at its end.
        for path in (entry for place, entries in self._made.items() for entry in (made_in(place) or entries)):
            try:
                delete(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise AgentdClientError("cannot_write", f"Cannot delete {path}: {error.strerror}.") from None
        return [folder for folder in self._folders if os.path.isdir(folder) and not removed_empty(folder)]


def made_in(folder: str) -> list[str]:
    """What agentd made in a directory of its own; the lock last, which keeps others out until then."""
    try:
        names = [name for name in os.listdir(folder) if _MADE.fullmatch(name)]
    except OSError:
        return []
    return [os.path.join(folder, name) for name in sorted(names, key=lambda name: (name == "lock", name))]


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
    """Delete a file, a link, or a directory with all in it."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def removed_empty(folder: str) -> bool:
    """Remove a folder that nothing is left in, and the link that led to it; whether it is gone."""
    try:
        os.rmdir(os.path.realpath(folder))
        if os.path.islink(folder):
            os.unlink(folder)
    except OSError:
        return False
    return True


def size(path: str) -> int:
    """Bytes on disk of a file, of a link alone, or of everything below a directory."""
    total = blocks(path)
    if os.path.islink(path):
        return total
    for folder, names, files in os.walk(path):
        total += sum(blocks(os.path.join(folder, name)) for name in (*names, *files))
    return total


def blocks(path: str) -> int:
    """Bytes on disk of one entry; 0 for one that has just gone."""
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0
