"""The kernel's file-change events (inotify(7)), through the C library: there is nothing between us and its limits.

An overflow of its queue, a limit that is reached and a watch that ended are told by the kernel in so many words; a
library that hides them would have to be distrusted instead.
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from typing import NamedTuple

# linux/inotify.h
MODIFY = 0x0000_0002
ATTRIB = 0x0000_0004
CLOSE_WRITE = 0x0000_0008
OPEN = 0x0000_0020
MOVED_FROM = 0x0000_0040
MOVED_TO = 0x0000_0080
CREATE = 0x0000_0100
DELETE = 0x0000_0200
DELETE_SELF = 0x0000_0400
MOVE_SELF = 0x0000_0800
UNMOUNT = 0x0000_2000
QUEUE_OVERFLOW = 0x0000_4000
IGNORED = 0x0000_8000
ONLY_DIRECTORY = 0x0100_0000
NO_FOLLOW = 0x0200_0000
NO_UNLINKED = 0x0400_0000
ADD_TO_MASK = 0x2000_0000
IS_DIRECTORY = 0x4000_0000

_HEADER = struct.Struct("iIII")
"""Watch descriptor, mask, cookie, length of the name with its padding of NULs."""

WATCH_LIMIT = "/proc/sys/fs/inotify/max_user_watches"
LEAST_LIMIT = 8192
"""The default of old kernels; newer ones give a hundredth of the memory that programs can address."""

_libc = ctypes.CDLL(None, use_errno=True)


class Event(NamedTuple):
    """What happened to a watched directory or, where ``name`` is set, to an entry of it. ``watch`` is -1 for what
    concerns no watch: an overflow of the queue.
    """

    watch: int
    mask: int
    name: str


def parse(buffer: bytes) -> list[Event]:
    """The events in what one read returned; the kernel never cuts one in two. Names are as ``os.fsdecode`` has them."""
    events: list[Event] = []
    at = 0
    while at < len(buffer):
        watch, mask, _, length = _HEADER.unpack_from(buffer, at)
        at += _HEADER.size
        events.append(Event(watch, mask, os.fsdecode(buffer[at : at + length].rstrip(b"\0"))))
        at += length
    return events


class Inotify:
    """One instance, of which a user has ``fs.inotify.max_user_instances``.

    Raises:
        OSError: EMFILE where the user's instances are used up.
    """

    def __init__(self) -> None:
        self._descriptor = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify")

    def fileno(self) -> int:
        """The descriptor, which is readable when there are events."""
        return self._descriptor

    def add(self, directory: str, mask: int) -> int:
        """Watch a directory; its descriptor, the same for every path that leads to it.

        May wait for the disk.

        Raises:
            OSError: ENOSPC where the user's watches are used up (``fs.inotify.max_user_watches``); ENOENT, ENOTDIR,
                EACCES as for any path.
        """
        return _checked(_libc.inotify_add_watch(self._descriptor, os.fsencode(directory), mask), directory)

    def remove(self, watch: int) -> None:
        """End a watch; fine where it has ended by itself."""
        _libc.inotify_rm_watch(self._descriptor, watch)

    def read(self, most_bytes: int) -> list[Event]:
        """The oldest events that fit ``most_bytes`` (272 at least, for the longest name); none where there are none."""
        with suppress(BlockingIOError):
            return parse(os.read(self._descriptor, most_bytes))
        return []

    def close(self) -> None:
        """End all watches."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def system_limit() -> int:
    """How many watches a user may have, all processes and instances together."""
    try:
        with open(WATCH_LIMIT, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return LEAST_LIMIT


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result
