r"""From bytes to text, or to the verdict that they are none.

Byte offsets stay those of the file: ``Decoded.text`` is everything after the byte order mark, unchanged, so CR LF stays
two characters and ``text.encode(encoding)`` is ``data[bom:]`` again. A line ends with ``\n``; what precedes it may end
with ``\r``. A lone ``\r`` ends no line, as in git and in compilers.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple

SNIFFED = 8192
"""Bytes looked at to tell binary from text; git looks at 8,000."""

CONTROL_SHARE = 0.05
"""Random bytes hold 10 % of these control characters, terminal logs and old listings hardly any."""

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = (
    b"%PDF-",
    b"\x1f\x8b",  # gzip
    b"\x1f\x9d",  # compress
    *(b"BZh%d1AY&SY" % size for size in range(1, 10)),  # bzip2, by block size
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"!<arch>\n",
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",  # Java class, Mach-O
    b"OggS",
    b"fLaC",
    b"wOFF",
    b"wOF2",
    b"SQLite format 3",
)
_ODD_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b") | {127})


class Decoded(NamedTuple):
    """Text of a file. ``encoding`` is a Python codec without mark, ``bom`` the bytes of the mark before the text.

    ``note`` is empty, or ``encoding:cp1252`` or ``encoding:latin-1`` where the encoding is a guess.
    """

    text: str
    encoding: str
    bom: int
    note: str


def decode(data: bytes) -> Decoded | None:
    """Decode by mark, else as UTF-8, else as Windows-1252; None for binary."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], encoding, len(mark))
    if is_binary(data):
        return None
    try:
        return Decoded(data.decode(), "utf-8", 0, "")
    except UnicodeDecodeError:
        return _decode_legacy(data)


def is_binary(data: bytes) -> bool:
    """Judge unmarked bytes by known magic numbers, a NUL or many control characters in the first 8 KiB."""
    head = data[:SNIFFED]
    if head.startswith(_MAGIC) or b"\0" in head:
        return True
    odd = len(head) - len(head.translate(None, _ODD_CONTROLS))
    return odd > CONTROL_SHARE * len(head)


def _decode_marked(body: bytes, encoding: str, bom: int) -> Decoded | None:
    if encoding == "utf-8" and is_binary(body):
        return None
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        return _decode_legacy(body, bom) if encoding == "utf-8" else None
    return None if "\0" in text[:SNIFFED] else Decoded(text, encoding, bom, "")


def _decode_legacy(body: bytes, bom: int = 0) -> Decoded:
    """Windows-1252, or Latin-1 where one of the five bytes occurs that Windows-1252 leaves undefined."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return Decoded(body.decode(encoding), encoding, bom, f"encoding:{encoding}")
        except UnicodeDecodeError:
            continue
    raise AssertionError("Latin-1 decodes every byte")
