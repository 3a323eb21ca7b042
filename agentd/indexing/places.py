"""Paths of roots and below them; which folders can be roots."""

from __future__ import annotations

import os
import re

from agentd.errors import RootInvalidError
from agentd.indexing.mounts import is_pseudo, read_mounts

DEVICES = "/dev"
SHARED_MEMORY = "/dev/shm"  # noqa: S108  # named to be told apart, not to write there


def relative(path: str, root: str) -> str:
    """``path`` below ``root``, ``""`` for the root itself."""
    return path[len(root) + 1 :]


def absolute(root: str, path: str) -> str:
    """The opposite of ``relative``."""
    return f"{root}/{path}" if path else root


def folders_above(path: str) -> list[str]:
    """The folders that hold ``path`` (absolute), the nearest first, without ``/``."""
    found = []
    while (path := os.path.dirname(path)) not in {"/", ""}:
        found.append(path)
    return found


def pattern_of(path: str, root: str) -> str:
    """The gitignore pattern that names exactly ``path``, which lies below ``root``."""
    return "/" + re.sub(r"([\\*?\[ ])", r"\\\1", relative(path, root))


def resolve(path: str, *, may_be_missing: bool = False) -> str:
    """The folder that ``path`` leads to.

    Raises:
        RootInvalidError: it is missing, no folder, unreadable, ``/``, or made up by the kernel.
    """
    resolved = os.path.realpath(path)
    if not os.path.exists(resolved):
        if may_be_missing:
            return resolved
        raise RootInvalidError(f"{path} does not exist; expected a folder")
    if not os.path.isdir(resolved):
        raise RootInvalidError(f"{path} is a file; expected a folder")
    if resolved == "/":
        raise RootInvalidError("/ cannot be a root: it holds system files and devices; name the folders that matter")
    _refuse_kernel_files(path, resolved)
    if not os.access(resolved, os.R_OK | os.X_OK):
        raise RootInvalidError(f"{path} cannot be read by this user; expected a readable folder")
    return resolved


def _refuse_kernel_files(path: str, resolved: str) -> None:
    """In a container devices may lie on an ordinary file system."""
    mount = read_mounts().holding(resolved)
    if mount is not None and is_pseudo(mount.kind):
        kind = mount.kind
    elif _lies_in(resolved, DEVICES) and not _lies_in(resolved, SHARED_MEMORY):
        kind = "devices"
    else:
        return
    raise RootInvalidError(
        f"{path} cannot be a root: its files are of the kernel's own making ({kind}); expected a folder with files "
        "of yours"
    )


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
