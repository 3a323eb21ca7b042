"""Which file system holds a directory, and whether the kernel tells of all its changes (proc(5), mountinfo)."""

from __future__ import annotations

import os
import re
import select
from contextlib import suppress
from typing import NamedTuple

MOUNTINFO = "/proc/self/mountinfo"

REMOTE = frozenset(
    {
        "9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "fuse", "gfs2", "glusterfs", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "sshfs", "vboxsf",
        "virtiofs", "vmhgfs",
    }
)  # fmt: skip
"""Types whose files change behind this kernel's back: on a server, in a virtual machine's host, in a process."""

PSEUDO = frozenset(
    {
        "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "rpc_pipefs", "securityfs", "selinuxfs",
        "smackfs", "sysfs", "tracefs",
    }
)  # fmt: skip
"""Types that hold no files of anybody's: reading some of theirs waits for ever, or changes the machine."""

_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A file system at a place. ``number`` tells two mounts at the same place apart."""

    number: int
    place: str
    kind: str


class Mounts:
    """The mount table at one moment."""

    def __init__(self, mounts: list[Mount]) -> None:
        # What was mounted last hides what was there before.
        self._by_place = {mount.place: mount for mount in mounts}

    def holding(self, path: str) -> Mount | None:
        """The mount that ``path`` (absolute) lies on; None where the table does not say."""
        while True:
            if mount := self._by_place.get(path):
                return mount
            if path in {"/", ""}:
                return None
            path = os.path.dirname(path)

    def within(self, path: str) -> list[Mount]:
        """Mounts at places below ``path``, by place."""
        below = path.rstrip("/") + "/"
        return sorted(mount for place, mount in self._by_place.items() if place.startswith(below) and place != path)

    def affecting(self, path: str) -> frozenset[Mount]:
        """All that decide what is found at ``path`` and below."""
        holding = self.holding(path)
        return frozenset(self.within(path)) | ({holding} if holding else frozenset())


def parse(mountinfo: str) -> Mounts:
    """Read the table. Lines of a form that the manual does not know are left out."""
    return Mounts([mount for line in mountinfo.split("\n") if (mount := _mount(line))])


def _mount(line: str) -> Mount | None:
    """``36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw``: number, ..., place, ..., type after ``-``."""
    fields = line.split(" ")
    try:
        kind = fields[fields.index("-", 6) + 1]
        return Mount(int(fields[0]), _unescaped(fields[4]), kind)
    except (ValueError, IndexError):
        return None


def _unescaped(place: str) -> str:
    r"""Blanks, tabs, line ends and backslashes are written as ``\040`` and the like."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), place)


def is_remote(kind: str) -> bool:
    """Whether files of this type can change without an event here. ``fuseblk`` is a local disk behind a process."""
    return kind in REMOTE or kind.startswith(("fuse.", "nfs"))


def is_pseudo(kind: str) -> bool:
    """Whether the kernel makes these files up."""
    return kind in PSEUDO


def read_mounts() -> Mounts:
    """The table of this process; an empty one where there is no procfs."""
    try:
        with open(MOUNTINFO, encoding="utf-8", errors="surrogateescape") as table:
            return parse(table.read())
    except OSError:
        return Mounts([])


class MountEvents:
    """A descriptor that is readable when the mount table has changed.

    The kernel tells so by an exceptional condition, which an event loop does not ask for; an epoll instance of our own
    does, and is itself readable then.

    Raises:
        OSError: there is no procfs.
    """

    def __init__(self) -> None:
        self._table = os.open(MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
        self._epoll = select.epoll()
        self._epoll.register(self._table, select.EPOLLPRI)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._epoll.fileno()

    def take(self) -> None:
        """The change is known."""
        with suppress(InterruptedError):
            self._epoll.poll(0)

    def close(self) -> None:
        """Wait for no more."""
        self._epoll.close()
        os.close(self._table)
