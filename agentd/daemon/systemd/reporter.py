"""Says to the service manager how the daemon is: opening, ready, alive, what it works on, stopping."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from agentd.daemon.systemd.summary import summary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from agentd.daemon.systemd.notify import Notifier
    from agentd.protocol import IndexStatus
    from agentd.storage.clock import Clock

EXTEND_SECONDS = 30.0
"""What is asked for at a time while the state opens: a migration takes as long as it takes, a hang takes this long."""
EXTEND_EVERY_SECONDS = 5.0
SIGNS_OF_LIFE = 3
"""A third of the time that the manager waits, so that one may be late or lost (sd_watchdog_enabled(3): a half)."""
STATUS_SECONDS = 3.0
LONGEST_STATUS_SECONDS = 60.0
"""What changes without a commit, such as a root that went missing, is told this late."""
CLOSING_SECONDS = 30.0
"""For stores and workers to close, after the clients."""


class Reporter:
    """``watchdog_seconds`` is how long the manager waits for a sign of life; None where it does not."""

    def __init__(self, notifier: Notifier, watchdog_seconds: float | None) -> None:
        self._notifier = notifier
        self._watchdog_seconds = watchdog_seconds
        self._stopping = False

    @contextlib.asynccontextmanager
    async def opening(self) -> AsyncIterator[None]:
        """Around what may take long before the daemon is ready: the manager waits as long as the loop turns."""
        self._notifier.status("opening the index")
        extending = asyncio.create_task(self._extend())
        try:
            yield
        finally:
            extending.cancel()

    async def _extend(self) -> None:
        while True:
            self._notifier.extend(EXTEND_SECONDS)
            await asyncio.sleep(EXTEND_EVERY_SECONDS)

    def ready(self) -> None:
        """Clients are served from now on."""
        self._notifier.ready()

    @contextlib.contextmanager
    def reloading(self) -> Iterator[None]:
        """Around a reload, also one that is refused: the old configuration stays in force then."""
        self._notifier.reloading()
        try:
            yield
        finally:
            self._notifier.ready()

    def stopping(self, drain_seconds: float) -> None:
        """The end has begun; clients have ``drain_seconds`` to get their answers."""
        self._stopping = True
        self._notifier.stopping(drain_seconds + CLOSING_SECONDS)

    async def feed_watchdog(self, writer_answers: Callable[[], Awaitable[None]]) -> None:
        """Give signs of life until cancelled, each only after the loop and the database's writer both moved.

        A writer that is stuck holds its answer back, and the manager restarts the daemon. What may be slow for good
        reasons (a model, a worker, a folder on a slow disk) is not asked: those have time limits of their own.
        """
        if self._watchdog_seconds is None or not self._notifier.listened_to:
            return
        while True:
            await writer_answers()
            self._notifier.alive()
            await asyncio.sleep(self._watchdog_seconds / SIGNS_OF_LIFE)

    async def show_status(self, index: Callable[[], Awaitable[IndexStatus]], commits: Clock) -> None:
        """Tell what the index does whenever that changes, until cancelled. Costs nothing while it is current."""
        shown = ""
        while self._notifier.listened_to:
            seen, now = commits.value, await index()
            if (line := summary(now)) != shown and not self._stopping:
                self._notifier.status(line)
                shown = line
            await asyncio.sleep(STATUS_SECONDS)
            if now["state"] != "current":
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_STATUS_SECONDS):
                    await commits.wait(seen)
