"""What the kernel says about this machine: proc(5), sysfs, control groups of version 2."""

from __future__ import annotations

import os
import re

MEBIBYTE = 1024 * 1024

UNSAFE_FOR_DATABASES = re.compile(
    r"nfs\d*|cifs|smb\w*|9p|afs|ceph|lustre|glusterfs|beegfs|gpfs|vboxsf|vmhgfs|prl_fs|virtiofs|fuse\..*"
)
"""Types of file systems on which locks or shared memory may not hold (sqlite.org/wal.html: the log of a database does
not work over a network)."""

_ESCAPE = re.compile(r"\\([0-7]{3})")


class Machine:
    """Reads the kernel's files below ``proc`` and ``control_groups``. What is not there is None."""

    def __init__(self, proc: str = "/proc", control_groups: str = "/sys/fs/cgroup") -> None:
        self._proc = proc
        self._control_groups = control_groups

    def number(self, name: str) -> int | None:
        """A setting such as ``fs/inotify/max_user_watches``."""
        return _number(self._read(f"sys/{name}"))

    def memory(self, name: str) -> int | None:
        """Bytes of an entry of ``meminfo``, such as ``MemAvailable``."""
        return _kibibytes(self._read("meminfo"), name)

    def swapped(self, pid: int) -> int | None:
        """Bytes of a process that lie in swap."""
        return _kibibytes(self._read(f"{pid}/status"), "VmSwap")

    def state(self, pid: int) -> str:
        """The letter for what a process does: ``T`` is stopped by a signal; empty where there is none."""
        return self._read(f"{pid}/stat").rpartition(")")[2].strip()[:1]

    def open_files(self, pid: int | str = "self") -> tuple[int, int] | None:
        """Soft and hard limit of descriptors of a process."""
        found = re.search(r"^Max open files +(\d+) +(\d+)", self._read(f"{pid}/limits"), re.MULTILINE)
        return (int(found[1]), int(found[2])) if found else None

    def memory_limit(self, pid: int | str = "self") -> int | None:
        """The least bytes that a control group above the process allows it."""
        limits = (_number(_text(f"{group}/memory.max")) for group in self._groups(pid))
        return min((limit for limit in limits if limit is not None), default=None)

    def processors(self, pid: int | str = "self") -> float:
        """Cores that the process may keep busy: those of the machine, or less where a control group has a quota."""
        quotas = [_quota(_text(f"{group}/cpu.max")) for group in self._groups(pid)]
        return min([float(os.cpu_count() or 1), *(quota for quota in quotas if quota is not None)])

    def filesystem(self, path: str) -> str:
        """The type of the file system that holds ``path``; empty where the mount table does not say."""
        kinds = dict(map(_mount, filter(None, self._read("self/mountinfo").split("\n"))))
        place = os.path.realpath(path)
        while place not in kinds and place != "/":
            place = os.path.dirname(place)
        return kinds.get(place, "")

    def _groups(self, pid: int | str) -> list[str]:
        """The directories of the process's control group and of those above it."""
        found = re.search(r"^0::(/.*)$", self._read(f"{pid}/cgroup"), re.MULTILINE)
        parts = found[1].strip("/").split("/") if found else []
        return ["/".join([self._control_groups, *parts[:depth]]) for depth in range(len(parts) + 1)]

    def _read(self, name: str) -> str:
        return _text(f"{self._proc}/{name}")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _number(text: str) -> int | None:
    """``max`` is no limit."""
    return int(text) if text.strip().isdecimal() else None


def _kibibytes(text: str, name: str) -> int | None:
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _quota(text: str) -> float | None:
    """``200000 100000``, microseconds in each period: two cores."""
    quota, _, period = text.partition(" ")
    return int(quota) / int(period) if quota.isdecimal() and period.strip().isdecimal() else None


def _mount(line: str) -> tuple[str, str]:
    r"""(place, type) of a line of mountinfo; the type follows a lone ``-``, and blanks in the place are ``\040``."""
    fields = line.split(" ")
    kind = fields[fields.index("-", 6) + 1] if "-" in fields[6:-1] else ""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4] if len(fields) > 4 else ""), kind
