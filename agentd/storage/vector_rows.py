"""The file of int8 rows: appended to, mapped for reading, never changed in place."""

from __future__ import annotations

import mmap
import os
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from agentd.storage.vector_kernels import Codes

STEP = 4096
"""Rows by which the map grows at least; it grows by half of what is there."""


class RowFile:
    """Rows of ``dimension`` bytes. One thread appends, under its owner's lock; any number read ``codes``.

    The file is longer than its rows: the rest is a hole, so that the map need not follow every append. Rows are written
    by ``pwrite``, never through the map, so a full disk is an error and not a SIGBUS.
    """

    def __init__(self, path: Path, dimension: int, count: int = 0, *, create: bool = False) -> None:
        """Open ``path`` and cut it to ``count`` rows; with ``create`` it is made, or emptied.

        Raises:
            OSError: the file cannot be read or written.
            ValueError: it is shorter than ``count`` rows.
        """
        self.path = path
        self.dimension = dimension
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_TRUNC if create else 0)
        self._descriptor = os.open(path, flags, 0o600)
        self.count = count
        self.crc = 0
        """CRC-32 of the rows, carried along as they are appended."""
        try:
            self._fit(count)
        except BaseException:
            self.close()
            raise
        self.crc = zlib.crc32(self.codes[:count].data)

    def append(self, codes: Codes) -> None:
        """Append rows (n, dimension). Nothing is appended when it fails.

        Raises:
            OSError: the disk is full, or broken.
        """
        data = np.ascontiguousarray(codes).data.cast("B")
        self._reserve(self.count + len(codes))
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], self.count * self.dimension + written)
        self.crc = zlib.crc32(data, self.crc)
        self.count += len(codes)

    def is_whole(self) -> bool:
        """Whether the rows are those that were appended. Nothing may be appended meanwhile."""
        return zlib.crc32(self.codes[: self.count].data) == self.crc

    def sync(self) -> None:
        """Make the rows durable.

        Raises:
            OSError: the disk is full, or broken.
        """
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file. The map lives as long as somebody reads ``codes``."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _fit(self, count: int) -> None:
        size = os.fstat(self._descriptor).st_size
        if size < count * self.dimension:
            raise ValueError(f"{self.path.name} has {size} bytes, expected {count} rows of {self.dimension}")
        # Cut, so that what lies beyond the rows after a crash is a hole again and takes no room on the disk.
        os.ftruncate(self._descriptor, count * self.dimension)
        self._capacity = 0
        self._reserve(max(count, 1))

    def _reserve(self, count: int) -> None:
        """Map room for ``count`` rows. The old map stays valid for those who read it."""
        if count <= self._capacity:
            return
        capacity = count + max(STEP, count // 2)
        os.ftruncate(self._descriptor, capacity * self.dimension)
        mapped = mmap.mmap(self._descriptor, capacity * self.dimension, mmap.MAP_SHARED, mmap.PROT_READ)
        self.codes: Codes = np.frombuffer(mapped, dtype=np.int8).reshape(capacity, self.dimension)
        """Rows, and room after them: only the first ``count`` mean anything."""
        self._capacity = capacity
