from __future__ import annotations

import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.decoding import SNIFFED, decode


@given(st.binary())
def test_encoding_the_text_again_gives_the_bytes_of_the_file(data: bytes) -> None:
    decoded = decode(data)
    if decoded is not None:
        assert decoded.text.encode(decoded.encoding) == data[decoded.bom :]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_text_in_utf8_is_never_mistaken(text: str) -> None:
    assert decode(text.encode()) == (text.removeprefix("\ufeff"), "utf-8", 3 * text.startswith("\ufeff"), "")


@pytest.mark.parametrize(
    ("encoding", "bom", "name"),
    [
        ("utf-8-sig", 3, "utf-8"),
        ("utf-16", 2, "utf-16-le"),
        ("utf-32", 4, "utf-32-le"),
    ],
)
def test_a_byte_order_mark_decides_and_is_no_part_of_the_text(encoding: str, bom: int, name: str) -> None:
    assert decode("größe\n".encode(encoding)) == ("größe\n", name, bom, "")


@pytest.mark.parametrize(("mark", "name"), [(b"\xfe\xff", "utf-16-be"), (b"\x00\x00\xfe\xff", "utf-32-be")])
def test_big_endian_marks_are_known(mark: bytes, name: str) -> None:
    assert decode(mark + "aé".encode(name)) == ("aé", name, len(mark), "")


def test_line_ends_stay_as_they_are() -> None:
    decoded = decode(b"a\r\nb\rc\n")
    assert decoded is not None
    assert decoded.text == "a\r\nb\rc\n"


def test_what_is_not_utf8_is_windows_1252_and_says_so() -> None:
    assert decode(b"caf\xe9 \x93quoted\x94") == ("café “quoted”", "cp1252", 0, "encoding:cp1252")


def test_bytes_that_windows_1252_lacks_make_it_latin_1() -> None:
    assert decode(b"\x81 \xe9") == ("\x81 é", "latin-1", 0, "encoding:latin-1")


def test_a_mark_before_broken_utf8_does_not_hide_the_text() -> None:
    assert decode(b"\xef\xbb\xbfcaf\xe9") == ("café", "cp1252", 3, "encoding:cp1252")


@pytest.mark.parametrize(
    "data",
    [
        b"text\0text",
        gzip.compress(b"text", mtime=0),
        b"%PDF-1.7\n",
        b"PK\x03\x04rest",
        b"\x89PNG\r\n",
        b"BZh91AY&SYrest",
        b"\xff\xfea",  # UTF-16 with half a character
        b"\xff\xfe\x00\xd8",  # and with half a pair
        b"\xff\xfea\x00\x00\x00",  # and with a NUL
        b"\xef\xbb\xbf\x00",
        hashlib.shake_128(b"").digest(4000).replace(b"\0", b"\1"),
    ],
)
def test_binary_is_told_apart(data: bytes) -> None:
    assert decode(data) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"\x1b[31mred\x1b[0m\n" * 50, b"page\f\n", b"BZhang wrote this", b"a" * SNIFFED + b"\0"],
)
def test_odd_text_is_still_text(data: bytes) -> None:
    assert decode(data) is not None
