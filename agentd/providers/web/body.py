"""A body of the web, read up to a limit on the wire and after decompression: what is endless is cut, a bomb never
unfolds.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, NamedTuple

from agentd.errors import WebError

if TYPE_CHECKING:
    import httpx

STEP_BYTES = 256 * 1024
"""Decompressed before others have their turn on the loop: under a millisecond."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # zlib.h, inflateInit2


class Body(NamedTuple):
    """What was read; ``cut`` says that there was more."""

    data: bytes
    cut: bool


async def read_body(response: httpx.Response, limit: int) -> Body:
    """Read at most ``limit`` bytes of the body, and of what it unfolds to.

    Raises:
        WebError: it is compressed in a way that was not asked for, or wrongly.
        httpx.HTTPError: the connection broke.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise WebError(
            f"{response.request.headers['host']} sent a page packed as {encoding[:40]!r}; expected gzip or none"
        )
    unfold = None if encoding in {"identity", ""} else zlib.decompressobj(_GZIP_OR_ZLIB)
    data = bytearray()
    read = 0
    async for piece in response.aiter_raw():
        room = limit - read
        read += len(piece)
        cut = len(piece) > room
        if unfold is None:
            data += piece[:room]
        else:
            cut |= await _unfold(unfold, piece[:room], data, limit)
        if cut:
            return Body(bytes(data), cut=True)
    return Body(bytes(data), cut=False)


async def _unfold(unfold: zlib._Decompress, piece: bytes, data: bytearray, limit: int) -> bool:
    """Add what ``piece`` unfolds to; whether that was more than fits."""
    while piece:
        try:
            # One byte over the limit tells a page that just fits from one that goes on.
            data += unfold.decompress(piece, min(STEP_BYTES, limit + 1 - len(data)))
        except zlib.error as error:
            raise WebError(f"a page was packed wrongly: {error}") from error
        if len(data) > limit:
            del data[limit:]
            return True
        piece = unfold.unconsumed_tail
        await asyncio.sleep(0)
    return False
