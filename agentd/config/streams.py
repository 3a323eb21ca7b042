"""Standard streams: where they lead, and what to do without them (``agentd 2>&-``). Standard library's ``os`` alone."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""In the order of their descriptors: ``open`` gives the lowest one that is free."""


def open_missing_streams() -> None:
    """Put ``/dev/null`` where a standard stream is closed, for children too; to be called before any file is opened.

    Else the next file or socket takes its number, and what a library prints ends up in there; libuv aborts.
    """
    for name, mode in STREAMS:
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115, PTH123  # for as long as the process runs
            os.set_inheritable(stream.fileno(), True)  # noqa: FBT003  # its own signature
            setattr(sys, name, stream)


def leads_to_journal(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the service manager connected ``stream`` to the journal: ``JOURNAL_STREAM`` names its device and inode
    (systemd.exec(5)). One that was redirected since is another file.
    """
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"
