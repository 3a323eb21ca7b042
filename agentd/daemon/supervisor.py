"""Services that must not end: one that fails is logged, named in ``health`` and started again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from agentd.errors import AgentdError, StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger(__name__)

FIRST_DELAY_SECONDS = 0.5
LAST_DELAY_SECONDS = 30.0
DISK_DELAY_SECONDS = 2.0
"""A disk that is full or read-only is mended by somebody at some moment, and trying costs next to nothing."""
HEALTHY_SECONDS = 5.0
"""A service that ran this long after a failure has recovered: its problem is struck off and its delay begins anew."""


class Supervisor:
    """Runs services and remembers what is wrong with each."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}
        self.restarts: Counter[str] = Counter()

    async def keep(self, name: str, service: Callable[[], Awaitable[None]]) -> None:
        """Run ``service`` until it returns or is cancelled; after a failure again, later each time."""
        try:
            await self._keep(name, service)
        except asyncio.CancelledError:  # a root that is removed while it fails is no problem any more
            self.problems.pop(name, None)
            raise

    async def _keep(self, name: str, service: Callable[[], Awaitable[None]]) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            recovered = asyncio.get_running_loop().call_later(HEALTHY_SECONDS, self.problems.pop, name, None)
            try:
                await service()
            except Exception as error:  # noqa: BLE001 the outermost edge of every service: logged once, here
                last = DISK_DELAY_SECONDS if self._note(name, error) else LAST_DELAY_SECONDS
                delay = FIRST_DELAY_SECONDS if recovered.when() < asyncio.get_running_loop().time() else delay
            else:
                return
            finally:
                recovered.cancel()
            await asyncio.sleep(min(delay, last))
            delay = min(delay * 2, last)

    def _note(self, name: str, error: Exception) -> bool:
        """Remember what is wrong; returns whether the disk is to blame."""
        cause = first_cause(error)
        self.problems[name] = f"{type(cause).__name__}: {cause}"
        self.restarts[name] += 1
        expected = isinstance(cause, AgentdError)
        log.error("service_failed", service=name, error=self.problems[name], exc_info=None if expected else error)
        return isinstance(cause, StateUnusableError)


def first_cause(error: BaseException) -> BaseException:
    """What went wrong first inside (nested) exception groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
