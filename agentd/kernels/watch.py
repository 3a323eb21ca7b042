"""Watch directories for changes, until killed: the one kernel that never ends by itself.

It has a worker of its own because the extension keeps the interpreter to itself while it arms directories: 0.2 s for
3,000 of them, which the daemon's loop would feel. Directories are watched one by one, not recursively, so that ignored
trees cost no watches.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from watchfiles._rust_notify import RustNotify

from agentd.errors import WatchError
from agentd.kernels.messages import WatchEvents, WatchRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

BURST_MILLISECONDS = 200
"""A burst that never pauses is handed over in slices of this length."""
ARM_TRIES = 5
"""Directories vanish while others are armed; a tree that loses them faster than this is scanned again anyway."""

ADDED, DELETED = 1, 3
"""Values of watchfiles.Change; the enum lives in a module that brings asyncio helpers along."""


def watch(request: WatchRequest) -> Iterator[WatchEvents]:
    """Say which directories are missing once the others are armed, then each burst of changes.

    Raises:
        WatchError: the system's limit is reached, or the extension fails: an event for a name that is not UTF-8 makes
            it raise the same error at every later call.
    """
    notify, missing = _arm(request.directories)
    yield WatchEvents(missing=missing, changes=[])
    never = threading.Event()
    while True:
        try:
            changes = notify.watch(BURST_MILLISECONDS, request.step_milliseconds, 0, never)
        except RuntimeError as error:  # WatchfilesRustInternalError is one
            raise WatchError(f"watching {len(request.directories)} directories failed: {error}") from error
        if isinstance(changes, str):  # why it stopped, though nobody asked it to
            raise WatchError(f"watching {len(request.directories)} directories ended: {changes}")
        yield WatchEvents(missing=[], changes=[(path, change in {ADDED, DELETED}) for change, path in changes])


def _arm(directories: list[str]) -> tuple[RustNotify, list[str]]:
    for _ in range(ARM_TRIES):
        existing = [directory for directory in directories if os.path.isdir(directory)]  # noqa: PTH112 thousands of strings
        try:
            notify = RustNotify(existing, False, False, 0, False, True)  # noqa: FBT003 positional-only in the extension
        except FileNotFoundError:
            continue
        except OSError as error:
            raise WatchError(f"{len(existing)} directories cannot be watched: {error}") from error
        return notify, sorted(set(directories).difference(existing))
    raise WatchError(f"directories vanish faster than they can be watched (tried {ARM_TRIES} times)")
