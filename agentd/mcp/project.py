"""Which roots a client's calls are about: those around the folders in which it works. No disk but for ``.git``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def roots_around(folders: Iterable[str], roots: Sequence[str]) -> list[str]:
    """The root that holds each of ``folders``, else those below it; each once."""
    found: dict[str, None] = {}
    for folder in folders:
        holding = [root for root in roots if holds(root, folder)]
        below = [root for root in roots if holds(folder, root)]
        found |= dict.fromkeys([max(holding, key=len)] if holding else below)
    return list(found)


def holds(outer: str, inner: str) -> bool:
    """Whether ``inner`` is ``outer`` or lies below it."""
    return f"{inner.rstrip('/')}/".startswith(f"{outer.rstrip('/')}/")


def folder_of(uri: str) -> str | None:
    """The folder that a ``file:`` URI names (RFC 8089), None for any other."""
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or "\0" in path:
        return None
    return os.path.normpath(path) if path.startswith("/") else None


def resolved(path: str) -> str:
    """``path`` absolute and without links. Where that cannot be told it stays as it is, for the daemon to say what is
    wrong: a NUL is in it, or it is relative and the directory that this process was started in has gone.
    """
    try:
        return os.path.realpath(path)
    except (ValueError, OSError):
        return path


def git_top(folder: str) -> str | None:
    """The working tree of git around ``folder``, which has ``.git`` (a file in worktrees and submodules); None outside.

    A whole home, what holds homes, and ``/`` are no project, even where somebody keeps them in git.
    """
    home = os.path.realpath(os.path.expanduser("~"))
    top = os.path.realpath(folder)
    while not os.path.exists(os.path.join(top, ".git")):
        if top == os.path.dirname(top):
            return None
        top = os.path.dirname(top)
    return None if holds(top, home) else top
