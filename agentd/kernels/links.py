"""Where a symbolic link inside a root leads, found out without touching anything outside: that may be a dead mount."""

from __future__ import annotations

import errno
import os

from agentd.domain import SkipReason

MAX_LINKS = 40
"""Links that Linux follows in one path before it gives up (path_resolution(7))."""


def judge_link(root: bytes, path: bytes) -> SkipReason | None:
    """Why the link at ``path`` (relative to the absolute, resolved ``root``) is reported, or None.

    None means that its target lies below the root, where it is walked under its own name, or that nothing is there. An
    absolute target counts as inside only where it spells the root as it is spelt here.
    """
    done: list[bytes] = []
    pending = path.split(b"/")[::-1]
    links = 0
    while pending:
        part = pending.pop()
        if part == b"..":
            if not done:
                return SkipReason.OUTSIDE_ROOT
            done.pop()
        elif part not in {b"", b"."}:
            target = _target(b"/".join((root, *done, part)))
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > MAX_LINKS:
                return SkipReason.SYMLINK_LOOP
            if target.startswith(b"/"):
                if target != root and not target.startswith(root.rstrip(b"/") + b"/"):
                    return SkipReason.OUTSIDE_ROOT
                target = target[len(root) :]
                done.clear()
            pending.extend(target.split(b"/")[::-1])
    return None


def _target(path: bytes) -> bytes | None:
    """The text of a link; None for what is no link, or not there at all."""
    try:
        return os.readlink(path)  # noqa: PTH115 - paths are bytes here, which pathlib does not take
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.ENOENT, errno.ENOTDIR, errno.EACCES}:
            return None
        raise
