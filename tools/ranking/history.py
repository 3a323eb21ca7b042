"""Queries from a git log: what a commit says, for the files that it changed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from ranking.candidates import usable
from ranking.dataset import Gold, Query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_FILES = 3
"""A commit that changes more is about no file in particular."""
ASIDE = ("tests/", "test/", "CHANGELOG", "CHANGES", "README", "docs/changes")
"""Files that change along with what a commit is about."""
LOG = ("log", "--no-merges", "--no-renames", "--name-only", "--format=%x00%s")


def commit_queries(corpus: str, checkout: Path) -> Iterator[Query]:
    """One query for each commit whose files still exist.

    Raises:
        subprocess.CalledProcessError: git cannot read the log.
    """
    done = subprocess.run(["git", "-C", str(checkout), *LOG], check=True, capture_output=True, text=True)
    for entry in done.stdout.split("\0"):
        subject, *changed = [line for line in entry.splitlines() if line] or [""]
        files = [path for path in changed if not path.startswith(ASIDE)]
        if usable(subject) and 0 < len(files) <= MOST_FILES and all((checkout / path).is_file() for path in files):
            yield Query(corpus, "commit", subject, tuple(Gold(path) for path in files))


def tracked_files(checkout: Path) -> list[str]:
    """What git holds, relative to the checkout.

    Raises:
        subprocess.CalledProcessError: git cannot read the checkout.
    """
    command = ["git", "-C", str(checkout), "ls-files", "-z"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [path for path in done.stdout.split("\0") if path]
