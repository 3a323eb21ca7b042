"""Whether a page may be fetched, by the ``robots.txt`` of its host (RFC 9309), which is read once an hour.

A host that has none allows everything; one that cannot give it now allows nothing (section 2.3.1).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from cachetools import TLRUCache

from agentd.errors import AddressRefusedError, WebError
from agentd.kernels.robots import MAX_BYTES, judge
from agentd.kernels.web_messages import RobotsRequest
from agentd.providers.web.connection import AGENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from agentd.kernels.web_messages import RobotsVerdict
    from agentd.providers.contracts import Outgoing

LIFE_SECONDS = 3600.0
FAILED_LIFE_SECONDS = 60.0
MEMORY_BYTES = 4 * 1024 * 1024
ENTRY_BYTES = 512
IN_PLACE_BYTES = 4 * 1024
"""Judged on the loop: at most a millisecond. More goes to a worker."""


class RobotsFile(NamedTuple):
    """What a host said. ``failed`` is why it said nothing, when nothing may be fetched."""

    body: bytes = b""
    failed: str = ""


class Robots:
    """``fetch`` gets the file behind an address, through the same guard as pages; it raises WebError."""

    def __init__(
        self,
        fetch: Callable[[httpx.URL, Outgoing], Awaitable[RobotsFile]],
        judge_long: Callable[[RobotsRequest], Awaitable[RobotsVerdict]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._judge_long = judge_long
        self._reading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._files: TLRUCache[str, RobotsFile] = TLRUCache(
            MEMORY_BYTES, ttu=_life, timer=clock, getsizeof=lambda file: len(file.body) + ENTRY_BYTES
        )

    async def check(self, url: httpx.URL, outgoing: Outgoing) -> None:
        """Refuse a page that its host does not want fetched.

        Raises:
            WebError: it says so, or cannot be asked.
        """
        file = await self._file(url, outgoing)
        if file.failed:
            raise WebError(f"{url.host} is left alone: its robots.txt cannot be had ({file.failed})", host=url.host)
        if not file.body:
            return
        request = RobotsRequest(file.body, AGENT, url.raw_path.decode("ascii"))
        verdict = judge(request) if len(file.body) <= IN_PLACE_BYTES else await self._judge_long(request)
        if not verdict.allowed:
            raise WebError(f"{url} is left alone: its robots.txt says {verdict.rule[:200]!r}", host=url.host)

    async def _file(self, url: httpx.URL, outgoing: Outgoing) -> RobotsFile:
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        reading = self._reading.setdefault(origin, asyncio.Lock())
        async with reading:
            if (known := self._files.get(origin)) is not None:
                return known
            try:
                file = await self._fetch(url.copy_with(raw_path=b"/robots.txt"), outgoing)
            except AddressRefusedError:
                raise  # what the guard refuses is not for the host to say
            except WebError as error:
                file = RobotsFile(failed=error.message)
            file = file._replace(body=file.body[:MAX_BYTES])
            self._files[origin] = file
            return file


def _life(_: str, file: RobotsFile, now: float) -> float:
    return now + (FAILED_LIFE_SECONDS if file.failed else LIFE_SECONDS)
