"""Framing between daemon and worker: a frame is a 4-byte big-endian length, then as many bytes of msgpack.

Knows bytes alone; what they say stands in ``messages``. Both ends use the same splitter.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgspec

from agentd.errors import ComputeError, TaskFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.compute.messages import FromDaemon, FromWorker

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Bound of a frame's payload: past it a request or a result belongs in several."""

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()


def pack(message: FromDaemon | FromWorker) -> bytes:
    """Encode a message as one frame. Raises TaskFailedError where it is over MAX_FRAME_BYTES."""
    payload = _encoder.encode(message)
    if len(payload) > MAX_FRAME_BYTES:
        raise TaskFailedError(
            f"a message to or from a worker holds at most {MAX_FRAME_BYTES} bytes, this one has {len(payload)}: "
            "split the work into smaller requests, or stream the result in parts",
        )
    return _LENGTH.pack(len(payload)) + payload


class FrameSplitter:
    """Cuts a stream of bytes, in pieces of any size, into the payloads of its frames."""

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def has_more(self) -> bool:
        """Whether bytes wait behind the payloads that were taken."""
        return bool(self._pending)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take ``data`` and yield every payload that is now whole; the rest waits for the next call.

        Must be exhausted before it is called again. Raises ComputeError at a length over MAX_FRAME_BYTES: the two ends
        no longer agree where a frame begins, so the connection is of no more use.
        """
        self._pending += data
        while len(self._pending) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending)
            if length > MAX_FRAME_BYTES:
                raise ComputeError(f"expected a frame of at most {MAX_FRAME_BYTES} bytes, found a length of {length}")
            end = _LENGTH.size + length
            if len(self._pending) < end:
                return
            payload = bytes(memoryview(self._pending)[_LENGTH.size : end])
            del self._pending[:end]
            yield payload
