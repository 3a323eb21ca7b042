"""A server of embeddings with a latency and a rate limit: ``python -m benchmarks.harness.embedding_mock LATENCY RPM``.

It prints its port. Its limit is a bucket of one second's worth; what finds it empty is refused with 429.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import sys
import time

DIMENSION = 384


class Mock:
    """Answers ``POST /embeddings``, several requests on a connection."""

    def __init__(self, latency: float, per_minute: int) -> None:
        self._latency = latency
        self._rate = per_minute / 60
        self._level = self._rate
        self._at = time.monotonic()
        vector = struct.pack(f"<{DIMENSION}f", *(1.0 + number for number in range(DIMENSION)))
        self._vector = base64.b64encode(vector).decode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the client closes."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                status, answer = self._answer(len(body["input"]))
                await asyncio.sleep(self._latency)
                fields = f"Content-Type: application/json\r\nContent-Length: {len(answer)}\r\nRetry-After: 1\r\n"
                writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n".encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, count: int) -> tuple[str, bytes]:
        if not self._allowed():
            return "429 Too Many Requests", b'{"error": {"message": "rate limit"}}'
        data = ",".join(f'{{"index":{index},"embedding":"{self._vector}"}}' for index in range(count))
        return "200 OK", f'{{"data":[{data}],"usage":{{"prompt_tokens":{count}}}}}'.encode()

    def _allowed(self) -> bool:
        now = time.monotonic()
        self._level = min(max(1.0, self._rate), self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


async def main() -> None:
    """Serve until terminated."""
    mock = Mock(float(sys.argv[1]), int(sys.argv[2]))
    server = await asyncio.start_server(mock.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
