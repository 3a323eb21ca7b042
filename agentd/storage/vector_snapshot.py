"""What a vector view remembers across restarts: one small file, replaced whole.

Magic, length of the header (32 bits, little-endian), header in JSON, five arrays of ``count`` little-endian values
(chunk ids, document ids and root ids as uint64, scales as float32, live flags as bytes), CRC-32 of all before.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from agentd.storage.view_files import OtherViewError, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentd.storage.vector_kernels import Floats, Ids, Mask

Array = npt.NDArray[Any]

FORMAT = 1
_MAGIC = b"agentd-vectors\n\0"
_LENGTH = struct.Struct("<I")
_TYPES = ("<u8", "<u8", "<u8", "<f4", "?")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which view this is, and which rows it stands on."""

    format: int
    epoch: str
    space: str
    dimension: int
    generation: int
    count: int
    rows: str
    rows_crc: int


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of each row, (n,) each. ``live`` is false for rows that were removed or replaced."""

    chunk_ids: Ids
    document_ids: Ids
    root_ids: Ids
    scales: Floats
    live: Mask

    @classmethod
    def empty(cls) -> Columns:
        """No rows."""
        return cls(*(np.empty(0, dtype=kind) for kind in _TYPES))

    def arrays(self) -> tuple[Array, ...]:
        """In the order of the file."""
        return self.chunk_ids, self.document_ids, self.root_ids, self.scales, self.live

    def map(self, change: Callable[[Array], Array]) -> Columns:
        """The columns that ``change`` makes of these."""
        return Columns(*map(change, self.arrays()))


def write_snapshot(path: Path, header: Header, columns: Columns) -> None:
    """Replace the snapshot, durably.

    Raises:
        OSError: the old snapshot is still there.
    """
    text = msgspec.json.encode(header)
    arrays = [np.ascontiguousarray(each, dtype=kind) for each, kind in zip(columns.arrays(), _TYPES, strict=True)]
    parts: list[bytes | memoryview] = [_MAGIC, _LENGTH.pack(len(text)), text, *(each.data for each in arrays)]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    replace_file(path, [*parts, _LENGTH.pack(crc)])


def read_snapshot(path: Path) -> tuple[Header, Columns]:
    """Read a snapshot back; the arrays can be written to.

    Raises:
        OSError: there is none, or it cannot be read.
        OtherViewError: it is of another format.
        ValueError: it is damaged.
    """
    data = path.read_bytes()
    start = len(_MAGIC) + _LENGTH.size
    if not data.startswith(_MAGIC) or len(data) < start + _LENGTH.size:
        raise ValueError(f"{path.name} is no snapshot")
    if zlib.crc32(memoryview(data)[: -_LENGTH.size]) != _LENGTH.unpack(data[-_LENGTH.size :])[0]:
        raise ValueError(f"{path.name} does not match its checksum")
    end = start + _LENGTH.unpack_from(data, len(_MAGIC))[0]
    try:
        header = msgspec.json.decode(data[start:end], type=Header)
    except msgspec.MsgspecError as error:  # whole, and from a version with other fields
        raise OtherViewError(f"{path.name} has an unknown header: {error}") from error
    arrays = []
    for kind in _TYPES:
        array = np.frombuffer(data, dtype=kind, count=header.count, offset=end)
        arrays.append(array.copy())
        end += array.nbytes
    return header, Columns(*arrays)
