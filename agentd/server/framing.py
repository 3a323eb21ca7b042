"""Bytes to lines. Knows nothing of JSON."""

from __future__ import annotations

from agentd.errors import ParseError


class LineSplitter:
    """Cuts a byte stream at newlines. Holds at most ``limit`` bytes plus one read, whatever the peer sends."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0  # bytes at the front known to hold no newline, so that no byte is looked at twice

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not popped."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add what was read."""
        self._buffer += data

    def pop(self) -> bytes | None:
        """The next whole line without its newline, or None where more bytes are needed.

        Raises ParseError for a line longer than the limit; what is buffered is then dropped, for the stream cannot be
        followed any further.
        """
        end = self._buffer.find(b"\n", self._searched)
        if (len(self._buffer) if end < 0 else end) > self._limit:
            self.clear()
            raise ParseError(f"expected a line of at most {self._limit} bytes, found a longer one", limit=self._limit)
        if end < 0:
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def clear(self) -> None:
        """Give back the memory."""
        self._buffer = bytearray()
        self._searched = 0
