"""Is a keyword index on disk whole? The library opens one with flipped bytes and searches it.

Each file of a segment ends in a footer: JSON with the CRC-32 of what comes before, its length and a magic number, both
32 bits, little-endian (``tantivy/src/directory/footer.rs``, index format 7).
"""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TAIL = struct.Struct("<II")
_MAGIC = 1337
_SUFFIXES = (".idx", ".term", ".fast", ".fieldnorm", ".store", ".pos")
_SHARED = {"meta.json", ".managed.json", ".tantivy-writer.lock", ".tantivy-meta.lock"}
"""What an index has beside its segments."""


def find_damage(directory: Path) -> str | None:
    """What is wrong with the committed segments in ``directory``, or None.

    Reads each file once, at over 1 GB/s. Files of no committed segment are the remains of a crash and are left out.
    Where a merge takes files away meanwhile, the segments that replace them are looked at.
    """
    while True:
        before = _committed(directory)
        found = _find_damage(directory)
        if found is None or before == _committed(directory):
            return found


def _committed(directory: Path) -> bytes:
    """What names the segments, replaced by each commit and merge; empty where it cannot be read."""
    try:
        return (directory / "meta.json").read_bytes()
    except OSError:
        return b""


def _find_damage(directory: Path) -> str | None:
    try:
        segments = json.loads((directory / "meta.json").read_bytes())["segments"]
        for path in _segment_files(directory, segments):
            if not _is_whole(path):
                return f"{path.name} does not match its checksum"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def strays(directory: Path) -> list[Path]:
    """Files in ``directory`` that belong to no committed segment: what a killed writer has left. The library forgets
    its temporary files for ever, and clears away others at some later commit.

    Raises:
        OSError: the index cannot be read.
        ValueError: it is damaged.
    """
    segments = json.loads((directory / "meta.json").read_bytes())["segments"]
    wanted = {*_segment_files(directory, segments), *(directory / name for name in _SHARED)}
    return [path for path in directory.iterdir() if path not in wanted]


def _segment_files(directory: Path, segments: list[dict[str, object]]) -> Iterator[Path]:
    for segment in segments:
        name = str(segment["segment_id"]).replace("-", "")
        yield from (directory / f"{name}{suffix}" for suffix in _SUFFIXES)
        deletes = segment["deletes"]
        if isinstance(deletes, dict):
            yield directory / f"{name}.{deletes['opstamp']}.del"


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        length, magic = _TAIL.unpack_from(data, len(data) - _TAIL.size)
        end = len(data) - _TAIL.size - length
        if magic != _MAGIC or end < 0:
            return False
        crc: object = json.loads(data[end : end + length])["crc"]
        with memoryview(data) as view, view[:end] as body:
            return zlib.crc32(body) == crc
