"""Files by chance, without a walk through all there are."""

from __future__ import annotations

import os
import random
import stat

TRIES = 4
"""Descents for each file that is wanted: some end in an empty folder, at a link, or at a file that was met before."""
NEVER_INDEXED = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "node_modules", "__pycache__"})
"""Not worth a look: there are as many files in them as elsewhere, and all are ignored."""


def random_files(roots: list[str], count: int) -> list[str]:
    """Up to ``count`` regular files below ``roots``, each found by going down into a folder by chance at each step.

    Files near the top come up more often than those deep below. Names that are not UTF-8 are left out.
    """
    listings: dict[str, list[str]] = {}
    found: dict[str, None] = {}
    chance = random.Random()  # noqa: S311  # a sample, no secret
    for _ in range(TRIES * count if roots else 0):
        if len(found) == count:
            break
        if path := descend(chance.choice(roots), listings, chance):
            found[path] = None
    return list(found)


def descend(path: str, listings: dict[str, list[str]], chance: random.Random) -> str:
    """A file below the folder ``path``, or empty where the way ended elsewhere."""
    while True:
        if path not in listings:
            listings[path] = entries(path)
        if not listings[path]:
            return ""
        path = os.path.join(path, chance.choice(listings[path]))
        mode = mode_of(path)
        if stat.S_ISREG(mode):
            return path
        if not stat.S_ISDIR(mode):
            return ""


def entries(folder: str) -> list[str]:
    """Names worth going on with; none of a folder that cannot be listed."""
    try:
        return [name for name in os.listdir(folder) if name not in NEVER_INDEXED and is_text(name)]
    except OSError:
        return []


def mode_of(path: str) -> int:
    """Of the entry itself, never of what a link leads to; 0 for one that has just gone."""
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def is_text(name: str) -> bool:
    """Whether a name can be sent to the daemon."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
