"""Reading and replacing a configuration file that other programs own, without harm to it."""

from __future__ import annotations

import os
import stat
import tempfile

from agentd.client import AgentdClientError


def read(path: str) -> str | None:
    """The text of a file, its line ends as they are; None where there is no file.

    Raises:
        AgentdClientError: ``cannot_read``, ``broken_config``: it is not UTF-8.
    """
    try:
        with open(path, encoding="utf-8", newline="", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise AgentdClientError("cannot_read", f"Cannot read {path}: it is no file but a pipe or a device.")
            return file.read()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise AgentdClientError(
            "broken_config", f"{path} is not UTF-8 (byte {error.start}). It stays as it is."
        ) from None
    except OSError as error:
        raise AgentdClientError("cannot_read", f"Cannot read {path}: {error.strerror}.") from None


def _without_waiting(path: str, flags: int) -> int:
    """A pipe would be waited for until somebody writes: a project from elsewhere may hold one."""
    return os.open(path, flags | os.O_NONBLOCK)


def write(path: str, text: str, mode: int | None = None) -> list[str]:
    """Put ``text`` at ``path``, whole or not at all (rename(2)); returns the folders that were made for it, outermost
    first. A link is followed; a file that is there keeps its mode and its owner, a new one gets ``mode``, else what
    the umask leaves.

    Raises:
        AgentdClientError: ``cannot_write``.
    """
    target = os.path.realpath(path)
    made = missing_folders(target)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.exists(target) and not os.access(target, os.W_OK):  # a rename would not mind
            raise PermissionError(None, "it may not be written")
        _replace(target, text, mode)
    except OSError as error:
        remove_folders(made)
        raise AgentdClientError("cannot_write", f"Cannot write {path}: {error.strerror}.") from None
    return made


def _replace(target: str, text: str, mode: int | None) -> None:
    os.umask(umask := os.umask(0))  # there is no other way to read it
    mode = 0o666 & ~umask if mode is None else mode
    descriptor, beside = tempfile.mkstemp(prefix=".agentd-", dir=os.path.dirname(target))
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            if os.path.exists(target):
                there = os.stat(target)
                mode = there.st_mode & 0o7777
                if os.geteuid() == 0:  # called through sudo
                    os.fchown(descriptor, there.st_uid, there.st_gid)
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise


def delete(path: str, folders: list[str]) -> None:
    """Delete a file, and those of ``folders`` that nothing is left in. A link to it stays: it was there before.

    Raises:
        AgentdClientError: ``cannot_write``.
    """
    try:
        os.unlink(os.path.realpath(path))
    except OSError as error:
        raise AgentdClientError("cannot_write", f"Cannot delete {path}: {error.strerror}.") from None
    remove_folders(folders)


def missing_folders(path: str) -> list[str]:
    """Folders above ``path`` that are not there, outermost first."""
    folder, missing = os.path.dirname(path), []
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing[::-1]


def remove_folders(folders: list[str]) -> None:
    """Remove empty folders, innermost first; one that is not empty, or gone, stays as it is."""
    for folder in reversed(folders):
        try:
            os.rmdir(folder)
        except OSError:
            return
