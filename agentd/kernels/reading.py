"""Read one file below a root: whole, unchanged while it was read, and never through a link.

``read_file`` opens the path one component at a time, each relative to the directory before it and none through a
symbolic link. The alternatives were weighed: checking ``realpath`` before opening leaves a moment in which a directory
can be swapped for a link; checking ``/proc/self/fd`` afterwards is too late for devices, where opening alone acts; and
``openat2(RESOLVE_BENEATH)`` is not in the standard library. The walk lists no path with a link in it, so none is lost.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat as st
import time
from typing import TYPE_CHECKING, NamedTuple

from agentd.domain import SkipReason
from agentd.kernels.decoding import Decoded, decode
from agentd.kernels.signature import modified_ns, signature, signature_when_read

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Decoded", "ReadFile", "decode", "open_below", "read_file", "relative_parts"]

TRIES = 3
"""How often a file that changes while it is read is read again."""

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO must not block the open

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL}
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors that are about this process and not about the file that it tried to open."""


class ReadFile(NamedTuple):
    """What was read. ``data`` is empty, and ``content_hash`` too, where ``skip`` or ``vanished`` says why.

    ``signature`` ends with ``!`` where the file was so young that it has to be looked at again; ``content_hash`` is
    BLAKE2b-128 of ``data``. ``vanished``: no file has this name now; a link or a directory in its place counts as that.
    """

    data: bytes
    size: int
    mtime_ns: int
    signature: str
    content_hash: bytes
    skip: SkipReason | None
    vanished: bool


def read_file(root: str, path: str, max_bytes: int) -> ReadFile:
    """Read ``path``, relative to ``root``, up to ``max_bytes``.

    Raises:
        OSError: the process ran out of descriptors or memory; anything that is about the file is in the result.
    """
    parts = relative_parts(path)
    if not parts:
        return _skipped(SkipReason.OUTSIDE_ROOT)
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            descriptor = open_below(folder, parts)
        finally:
            os.close(folder)
    except OSError as error:
        return _failed(error)
    try:
        return _read_stable(descriptor, max_bytes)
    except OSError as error:
        return _failed(error)
    finally:
        os.close(descriptor)


def relative_parts(path: str) -> list[bytes] | None:
    """The components of a path below a root; none for the root itself, None for a path that is not below any.

    Always in UTF-8, which the walk has made sure of, whatever the locale says about names of files.
    """
    try:
        parts = path.encode().split(b"/") if path else []
    except UnicodeEncodeError:
        return None
    return None if any(part in {b"", b".", b".."} or b"\0" in part for part in parts) else parts


def open_below(folder: int, parts: Sequence[bytes]) -> int:
    """Open a file below the open ``folder`` for reading, through no link; never blocks. The caller closes it.

    Raises:
        OSError: ``ELOOP`` or ``ENOTDIR`` where a component is a link.
    """
    at = folder
    try:
        for part in parts[:-1]:
            parent, at = at, os.open(part, DIRECTORY_FLAGS, dir_fd=at)
            if parent != folder:
                os.close(parent)
        return os.open(parts[-1], _FILE_FLAGS, dir_fd=at)
    finally:
        if at != folder:
            os.close(at)


def _read_stable(descriptor: int, max_bytes: int) -> ReadFile:
    """Read until the file is the same before and after; the clock is read first so that no change goes unseen."""
    stat = os.fstat(descriptor)
    for _ in range(TRIES):
        now_ns = time.time_ns()
        before = os.fstat(descriptor)
        if not st.S_ISREG(before.st_mode):
            return _VANISHED if st.S_ISDIR(before.st_mode) else _skipped(SkipReason.NOT_REGULAR, before)
        if before.st_size > max_bytes:
            return _skipped(SkipReason.TOO_LARGE, before)
        data = _read_up_to(descriptor, max_bytes + 1)
        stat = os.fstat(descriptor)
        if signature(stat) != signature(before):
            continue
        if len(data) > max_bytes:  # files of /proc and the like say they are empty
            return _skipped(SkipReason.TOO_LARGE, stat)
        digest = hashlib.blake2b(data, digest_size=16).digest()
        remembered = signature_when_read(stat, now_ns)
        return ReadFile(data, stat.st_size, modified_ns(stat), remembered, digest, skip=None, vanished=False)
    return _skipped(SkipReason.UNSTABLE, stat)


def _read_up_to(descriptor: int, limit: int) -> bytes:
    blocks: list[bytes] = []
    offset = 0
    while offset < limit and (block := os.pread(descriptor, min(limit - offset, 1 << 20), offset)):
        blocks.append(block)
        offset += len(block)
    return b"".join(blocks)


def _failed(error: OSError) -> ReadFile:
    if error.errno in OUT_OF_RESOURCES:
        raise error
    if error.errno in _GONE:
        return _VANISHED
    if error.errno in {errno.ENXIO, errno.ENODEV}:  # a socket, or a device without a driver
        return _skipped(SkipReason.NOT_REGULAR)
    return _skipped(SkipReason.UNREADABLE)


def _skipped(reason: SkipReason, stat: os.stat_result | None = None) -> ReadFile:
    if stat is None:
        return ReadFile(b"", 0, 0, "", b"", skip=reason, vanished=False)
    return ReadFile(b"", stat.st_size, modified_ns(stat), signature(stat), b"", skip=reason, vanished=False)


_VANISHED = ReadFile(b"", 0, 0, "", b"", skip=None, vanished=True)
