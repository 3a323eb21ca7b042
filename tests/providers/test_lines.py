from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.errors import ProviderAnswerError
from agentd.providers.lines import MAX_LINE_BYTES, Lines, ServerSentEvents

ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
line = st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b""))
cuts = st.lists(st.integers(0, 400), max_size=20)


def pieces(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(data)) for cut in at), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@given(st.lists(st.tuples(line, ends), max_size=12), line, cuts)
def test_lines_do_not_depend_on_where_bytes_are_cut(
    lines: list[tuple[bytes, bytes]], rest: bytes, at: list[int]
) -> None:
    # A return before a line that is empty and ends with a newline is one end of two bytes: leave that out.
    data = b"".join(text + end for text, end in lines).replace(b"\r\n\n", b"\r\n") + rest
    expected = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    splitter = Lines()
    found = [each for piece in pieces(data, at) for each in splitter.feed(piece)] + splitter.end()
    assert found == (expected if expected[-1] else expected[:-1])


@given(
    st.lists(st.text().map(lambda text: text.encode().replace(b"\r", b"").replace(b"\n", b"")), max_size=8), ends, cuts
)
def test_events_do_not_depend_on_where_bytes_are_cut(data: list[bytes], end: bytes, at: list[int]) -> None:
    stream = b"".join(b": ping" + end + b"event: x" + end + b"data: " + each + end + end for each in data)
    parser = ServerSentEvents()
    found = [each for piece in pieces(stream, at) for each in parser.feed(piece)] + parser.end()
    assert found == data


def test_an_event_may_have_several_lines_and_lack_its_end() -> None:
    parser = ServerSentEvents()
    assert parser.feed(b"\xef\xbb\xbfdata:a\ndata: b\nid: 1\n\n:x\n\ndata: c") == [b"a\nb"]
    assert parser.end() == [b"c"]
    assert parser.end() == []


def test_what_has_no_end_is_given_up() -> None:
    lines = Lines(limit=100)
    assert lines.feed(b"x" * 100) == []
    with pytest.raises(ProviderAnswerError, match="at most 100 bytes"):
        lines.feed(b"x")
    parser = ServerSentEvents()
    for _ in range(MAX_LINE_BYTES // 65536):
        parser.feed(b"data: " + b"x" * 65536 + b"\n")
    with pytest.raises(ProviderAnswerError, match="expected events"):
        parser.feed(b"data: x\n")
