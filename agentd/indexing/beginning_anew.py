"""A service that can be asked to begin anew, because what it works on has been taken from under it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class BeginningAnew:
    """Runs a service; ``ask`` ends it where it stands, and it is run again. The service must bear that."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None
        self._asked = False

    def ask(self) -> None:
        """Have it begin anew. One that does not run at present does so anyway when it is run next."""
        if self._running is not None:
            self._asked = True
            self._running.cancel()

    async def run(self, service: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run ``service`` until it fails or this is cancelled."""
        while True:
            self._asked = False
            self._running = asyncio.create_task(service())
            try:
                await self._running
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not self._asked or (task is not None and task.cancelling()):
                    raise
            finally:
                self._running = None
