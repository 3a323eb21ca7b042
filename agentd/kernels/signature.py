"""A file's signature: equal signatures mean that its content need not be read again.

It is made of everything that ``stat`` gives and that a change moves: size, mtime, ctime and inode. ctime is the part
that cannot be set by hand, so ``touch -r``, ``cp -p`` over the old file and a restored backup change it all the same.

What ``stat`` alone cannot see is a second change within one tick of the kernel's clock (up to 10 ms; a whole second
or two on FAT and on old servers): size and times stay as they were. Git knows this as the racy index
(Documentation/technical/racy-git.txt) and solves it by distrusting entries that were young when they were recorded.
So does ``signature_when_read``: a file that was changed within the last ticks before it was read gets a mark that no
later ``signature`` carries, therefore counts as changed at the next look and is read once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

TICK_NS = 20_000_000
"""Twice the coarsest tick of a Linux kernel (CONFIG_HZ=100)."""

COARSE_TICK_NS = 2_000_000_000
"""The tick of file systems that keep whole seconds; FAT keeps every other one."""

UNSETTLED = "!"

MAX_NS = 2**63 - 1
"""The year 2262. File systems reach further, the 64-bit integers of SQLite and of the wire do not."""


def modified_ns(stat: os.stat_result) -> int:
    """When the file was modified, as far as 64 bits say: a time beyond them becomes the nearest that they hold."""
    return max(-MAX_NS, min(stat.st_mtime_ns, MAX_NS))


def signature(stat: os.stat_result) -> str:
    """Compact text of what changes with a file: ``size-mtime-ctime-inode`` in hexadecimal, times in nanoseconds."""
    return f"{stat.st_size:x}-{stat.st_mtime_ns:x}-{stat.st_ctime_ns:x}-{stat.st_ino:x}"


def settled(stat: os.stat_result, now_ns: int) -> bool:
    """Whether any change after ``now_ns`` must show in a later ``stat``.

    A change sets ctime to the clock's current tick, so it shows once the clock has left the tick of the last change.
    A ctime in the future (the clock was set back, or a file server's runs ahead) is never settled.
    """
    whole_seconds = stat.st_ctime_ns % 1_000_000_000 == 0
    return now_ns - stat.st_ctime_ns > (COARSE_TICK_NS if whole_seconds else TICK_NS)


def signature_when_read(stat: os.stat_result, now_ns: int) -> str:
    """The signature to remember for content that was read from ``now_ns`` on; marked ``!`` where it may be racy."""
    return signature(stat) if settled(stat, now_ns) else signature(stat) + UNSETTLED
