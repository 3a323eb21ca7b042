from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.errors import ParseError
from agentd.server.framing import LineSplitter

LIMIT = 20


def everything(splitter: LineSplitter) -> list[bytes]:
    found = []
    while (line := splitter.pop()) is not None:
        found.append(line)
    return found


@given(st.lists(st.binary(max_size=LIMIT).filter(lambda line: b"\n" not in line)), st.binary(), st.data())
def test_lines_come_out_whole_however_the_bytes_arrive(lines: list[bytes], rest: bytes, data: st.DataObject) -> None:
    rest = rest.replace(b"\n", b"")[:LIMIT]
    stream = b"".join(line + b"\n" for line in lines) + rest
    splitter, found = LineSplitter(LIMIT), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        splitter.feed(stream[:size])
        stream = stream[size:]
        found += everything(splitter)
    assert found == lines
    splitter.feed(b"\n")
    assert everything(splitter) == [rest]


@pytest.mark.parametrize("ending", [b"", b"\n", b"\nnext\n"])
def test_a_line_over_the_limit_is_an_error_whether_it_ends_or_not(ending: bytes) -> None:
    splitter = LineSplitter(LIMIT)
    splitter.feed(b"ok\n" + b"x" * (LIMIT + 1) + ending)
    assert splitter.pop() == b"ok"
    with pytest.raises(ParseError, match="at most 20 bytes"):
        splitter.pop()
    assert splitter.pop() is None


def test_a_line_of_just_the_limit_passes() -> None:
    splitter = LineSplitter(LIMIT)
    splitter.feed(b"x" * LIMIT)
    assert splitter.pop() is None
    splitter.feed(b"\n")
    assert splitter.pop() == b"x" * LIMIT
