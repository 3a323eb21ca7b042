"""Lines and server-sent events out of a stream of bytes that may be cut anywhere.

Our own forty lines: httpx's line reader also splits at characters (U+2028) that JSON holds unescaped, and has no bound.
"""

from __future__ import annotations

from agentd.errors import ProviderAnswerError

MAX_LINE_BYTES = 4 * 1024 * 1024
"""A piece of an answer has some hundred bytes; a whole tool call a few thousand."""


class Lines:
    r"""Splits at ``\n``, ``\r\n`` and ``\r``, as both formats allow; JSON holds none of them raw."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = b""
        self._after_return = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without their ends.

        Raises:
            ProviderAnswerError: a line is longer than the limit.
        """
        if not data:
            return []
        ends_with_return = data.endswith(b"\r")
        if self._after_return and data.startswith(b"\n"):
            data = data[1:]
        self._after_return = ends_with_return
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > self._limit:
            raise ProviderAnswerError(f"expected lines of at most {self._limit} bytes, found a longer one")
        return lines

    def end(self) -> list[bytes]:
        """What stood behind the last line end, if anything."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


class ServerSentEvents:
    """The data of each event; names, ids and comments say nothing here.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, but for one
    thing: an event whose blank line is missing at the end counts, for its JSON shows whether it is whole.
    """

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The data of the events that ``data`` completes.

        Raises:
            ProviderAnswerError: a line or an event is longer than the limit.
        """
        return [event for line in self._lines.feed(data) for event in self._line(line)]

    def end(self) -> list[bytes]:
        """The last one, where its blank line is missing."""
        return [event for line in (*self._lines.end(), b"") for event in self._line(line)]

    def _line(self, line: bytes) -> list[bytes]:
        if line:
            field, _, value = line.partition(b":")
            if field.removeprefix(b"\xef\xbb\xbf") == b"data":
                self._add(value.removeprefix(b" "))
            return []
        data, self._data, self._size = self._data, [], 0
        return [b"\n".join(data)] if data else []

    def _add(self, value: bytes) -> None:
        self._data.append(value)
        self._size += len(value)
        if self._size > MAX_LINE_BYTES:
            raise ProviderAnswerError(f"expected events of at most {MAX_LINE_BYTES} bytes, found a longer one")
