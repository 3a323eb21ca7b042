"""Damaged files are set aside, not deleted: for a while somebody can look at what happened to them.

``index.db`` becomes ``index.db.damaged-20261122T183012Z`` (UTC). One copy of each is kept, for ``KEPT_DAYS``.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog

from agentd.errors import StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

log = structlog.get_logger(__name__)

KEPT_DAYS = 7
SQLITE_COMPANIONS = ("-wal", "-shm")
"""What lies beside a database belongs to it, and would damage another of its name."""

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<name>.+)\.damaged-(?P<stamp>\d{8}T\d{6}Z)")


class Damaged(NamedTuple):
    """A copy that was set aside, of what was called ``name``."""

    path: Path
    name: str
    at: datetime


def set_aside(path: Path, reason: str, companions: Sequence[str] = ()) -> None:
    """Rename ``path``, and what is called so with each of ``companions`` after it; copies of before are removed.

    What is missing needs no setting aside, and so is no error.

    Raises:
        StateUnusableError: it cannot be renamed.
    """
    forget_copies(path)
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC).strftime(_STAMP)}")
    try:
        # The database last: a new one must never meet the log of the old one.
        for suffix in (*companions, ""):
            with suppress(FileNotFoundError):
                os.rename(f"{path}{suffix}", f"{aside}{suffix}")  # noqa: PTH104 names with a suffix are strings
    except OSError as error:
        raise StateUnusableError(
            f"{path} is damaged ({reason}) and cannot be set aside: {error.strerror}; make its directory writable, or "
            "move it away yourself: it is built again",
            path=str(path),
        ) from error
    log.warning("state_damaged", path=str(path), reason=reason, set_aside=aside.name)


def copies(directory: Path) -> list[Damaged]:
    """What was set aside in ``directory``, the oldest first; companions go with their databases and are not named."""
    found = []
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in directory.iterdir():
            if match := _NAME.fullmatch(path.name):
                at = datetime.strptime(match["stamp"], _STAMP).replace(tzinfo=UTC)
                found.append(Damaged(path, match["name"], at))
    return sorted(found, key=lambda each: each.at)


def forget_copies(path: Path) -> None:
    """Remove all copies of what is called ``path``."""
    for copy in copies(path.parent):
        if copy.name == path.name:
            _remove(copy.path)


def forget_every_copy(state: Path) -> None:
    """Remove all copies in a state directory: those of its own files, and of its vector views."""
    for copy in (*copies(state), *copies(state / "vectors")):
        _remove(copy.path)


def forget_all_copies(directory: Path) -> None:
    """Remove every copy in ``directory``: somebody needs the room."""
    for copy in copies(directory):
        _remove(copy.path)


def forget_old_copies(directory: Path, now: datetime) -> None:
    """Remove copies from more than ``KEPT_DAYS`` ago, or ahead: the clock was wrong then, or is now, and nothing may
    stay for ever because of that.
    """
    for copy in copies(directory):
        if abs(now - copy.at) > timedelta(days=KEPT_DAYS):
            _remove(copy.path)


def _remove(path: Path) -> None:
    """Remove a copy with its companions; what resists is left to the next time."""
    for suffix in ("", *SQLITE_COMPANIONS):
        entry = path.with_name(path.name + suffix)
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with suppress(OSError):
                entry.unlink(missing_ok=True)
