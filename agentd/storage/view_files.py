"""Files of the derived views: written so that a crash leaves the old or the new, and thrown away when in doubt."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from agentd.errors import StateDamagedError, StateUnusableError
from agentd.storage.set_aside import set_aside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from typing_extensions import Buffer


class OtherViewError(ValueError):
    """What is there is no view, or whole and not the one that is wanted: it can be thrown away."""


ASIDE = ".new"
"""After the name of a file, while it is being written."""


def make_directory(directory: Path) -> None:
    """Make ``directory``, private to this user (it holds copies of text).

    Raises:
        StateUnusableError: it cannot be made.
    """
    try:
        if directory.exists() and not directory.is_dir():
            set_aside(directory, "it is no directory")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(f"Cannot make the directory {directory}", error) from error


def replace_file(path: Path, parts: Sequence[Buffer]) -> None:
    """Replace ``path`` by the concatenation of ``parts``, durably and at once.

    Written aside, synced, renamed, directory synced: after a crash the old or the new content is there, whole.

    Raises:
        OSError: the old content is still there.
    """
    aside = path.with_name(path.name + ASIDE)
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise
    sync_directory(path.parent)


def forget_half_written(path: Path) -> None:
    """Remove what a :func:`replace_file` of ``path`` has left that was killed before its end.

    Raises:
        OSError: it cannot be removed.
    """
    path.with_name(path.name + ASIDE).unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Make names that were added to or removed from ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def renew(directory: Path, reason: str) -> None:
    """Set the view in ``directory`` aside and make an empty directory in its place.

    Raises:
        StateUnusableError: one of them cannot be done, or the state directory is gone.
    """
    set_aside(directory, reason)
    if not directory.parent.is_dir():
        raise StateUnusableError(f"{directory.parent} was deleted while in use; nothing is kept: restart agentd")
    make_directory(directory)


def wipe(directory: Path, *, first: str) -> None:
    """Remove everything in ``directory``; ``first`` is the file without which the rest is not taken for a view.

    Raises:
        StateUnusableError: something in it cannot be removed.
    """
    try:
        (directory / first).unlink(missing_ok=True)
        for entry in directory.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(f"Cannot clear {directory} to build it anew", error) from error


def disk_bytes(directory: Path) -> int:
    """Bytes on disk of the files in ``directory``; holes in them count nothing."""
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # a merge or a compaction removed it meanwhile
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def damaged(directory: Path, reason: str) -> StateDamagedError:
    """The error for a view whose files are not what was written."""
    return StateDamagedError(f"The view in {directory} is damaged ({reason}); it is set aside and built again")


def unusable(what: str, error: BaseException) -> StateUnusableError:
    """The error for a view's files that cannot be read or written; ``what`` starts its sentence."""
    return StateUnusableError(
        f"{what}: {error}. Check free space and permissions; nothing is lost, the view catches up"
    )
