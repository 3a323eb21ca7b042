"""The state holds copies of text: it is for its owner alone, whatever the umask was and whoever put it there."""

from __future__ import annotations

import os
import stat
from contextlib import suppress


def make_private(directory: str | os.PathLike[str]) -> None:
    """Give all below ``directory`` the modes 0700 and 0600. This also mends files that their owner may not read.

    What belongs to somebody else, or has gone, stays as it is: opening it says what is wrong.
    """
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                _make_private(entry)


def _make_private(entry: os.DirEntry[str]) -> None:
    if entry.is_symlink():
        return
    folder = entry.is_dir(follow_symlinks=False)
    wanted = 0o700 if folder else 0o600
    mode = entry.stat(follow_symlinks=False).st_mode
    if (folder or stat.S_ISREG(mode)) and stat.S_IMODE(mode) != wanted:
        os.chmod(entry.path, wanted)  # noqa: PTH101 an entry of a scan has its path as a string
    if folder:
        make_private(entry.path)
