"""Who may ask which host when: few at one time, two of one host, and none of a host that asked to be left alone."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from cachetools import TLRUCache

from agentd.errors import WebError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

HOST_PARALLEL = 2
REST_SECONDS = (60.0, 3600.0)
"""How long a host is left alone that says it is overloaded: where it does not say for how long, and at most."""

RESTING_HOSTS = 1024


class Turns:
    """Bounds requests, of all together and of each host; ``clock`` is in seconds."""

    def __init__(self, parallel: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all = asyncio.Semaphore(parallel)
        # An entry lives as long as somebody waits for the host or holds a turn.
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._resting: TLRUCache[str, float] = TLRUCache(RESTING_HOSTS, ttu=lambda _, until, __: until, timer=clock)

    @asynccontextmanager
    async def of_page(self) -> AsyncGenerator[None]:
        """A turn for a page, redirects and all."""
        async with self._all:
            yield

    @asynccontextmanager
    async def of_host(self, host: str) -> AsyncGenerator[None]:
        """A turn for one request.

        Raises:
            WebError: the host asked to be left alone for a while.
        """
        turn = self._hosts.setdefault(host, asyncio.Semaphore(HOST_PARALLEL))
        async with turn:
            if (until := self._resting.get(host)) is not None:
                seconds = until - self._clock()
                raise WebError(f"{host} asked to be left alone for {seconds:.0f} s more", host=host)
            yield

    def rest(self, host: str, seconds: float) -> None:
        """Leave a host alone; 0 for as long as is usual."""
        usual, most = REST_SECONDS
        self._resting[host] = self._clock() + min(seconds or usual, most)
