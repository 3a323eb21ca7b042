from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.compute.frames import MAX_FRAME_BYTES, FrameSplitter, pack
from agentd.compute.messages import Done, Part
from agentd.errors import ComputeError, TaskFailedError


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 700), min_size=1, max_size=20))
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(values: list[bytes], sizes: list[int]) -> None:
    parts = [Part([msgspec.Raw(msgspec.msgpack.encode(value))]) for value in values]
    stream = b"".join(pack(part) for part in parts)
    splitter = FrameSplitter()
    payloads = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)]
        payloads += list(splitter.feed(stream[:size]))
        stream, turn = stream[size:], turn + 1
    decoded = [msgspec.msgpack.decode(payload, type=Part) for payload in payloads]
    assert [msgspec.msgpack.decode(part.values[0]) for part in decoded] == values


@given(st.binary(max_size=100))
def test_a_frame_cut_short_is_no_error_and_no_message(data: bytes) -> None:
    frame = pack(Part([msgspec.Raw(msgspec.msgpack.encode(data))]))
    splitter = FrameSplitter()
    assert list(splitter.feed(frame[:-1])) == []
    assert list(splitter.feed(frame[-1:])) == [frame[4:]]


def test_an_impossible_length_is_an_error_at_once() -> None:
    with pytest.raises(ComputeError, match="expected a frame of at most"):
        list(FrameSplitter().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big")))


def test_a_message_over_the_bound_is_refused_with_what_to_do() -> None:
    with pytest.raises(TaskFailedError, match="split the work"):
        pack(Part([msgspec.Raw(msgspec.msgpack.encode(bytes(MAX_FRAME_BYTES + 1)))]))
    assert len(pack(Done())) < 20
