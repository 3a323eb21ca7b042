"""Lines for a reader who may be slow, stopped or gone: a pipe that nobody empties, a terminal held with Ctrl-S."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

PIECE_BYTES = select.PIPE_BUF
"""What a pipe that is ready takes without waiting (pipe(7))."""


class Lines:
    """Writes whole lines to ``stream``, and drops what there is no room for: the loop logs, and must never wait."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._lost = 0
        self._torn = False  # the last line lacks its end
        # What one thread was told is free, another must not take. Reentrant: the garbage collector may warn meanwhile.
        self._writing = threading.RLock()
        self._ready = select.poll()
        try:
            self._descriptor = stream.fileno()
            self._ready.register(self._descriptor, select.POLLOUT)
        except (OSError, ValueError):  # closed, or in memory
            self._descriptor = -1

    def write(self, line: str) -> int:
        """Write ``line``; returns how many were dropped before it, each counted once.

        Raises:
            OSError, ValueError: the reader is gone, or the stream closed.
        """
        if self._descriptor < 0:
            self.stream.write(line + "\n")
            return 0
        data = f"{line}\n".encode(errors="backslashreplace")
        with self._writing:
            return self._write_pieces(b"\n" + data if self._torn else data)

    def _write_pieces(self, data: bytes) -> int:
        for start in range(0, len(data), PIECE_BYTES):
            if not self._ready.poll(0):
                self._lost += 1
                self._torn = self._torn or start > 0
                return 0
            os.write(self._descriptor, data[start : start + PIECE_BYTES])
        lost, self._lost, self._torn = self._lost, 0, False
        return lost
