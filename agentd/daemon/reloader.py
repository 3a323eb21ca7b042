"""SIGHUP: what can change live does, the rest is named and waits for a restart."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from agentd.config.reload import reload_difference, take_live
from agentd.domain import RootOrigin
from agentd.errors import AgentdError, ConfigError
from agentd.observability.logging import set_level

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from agentd.config.settings import Settings
    from agentd.indexing.index import Index

log = structlog.get_logger(__name__)


class Reloader:
    """Applies a configuration while the daemon runs; ``adopt`` hands the new one to its readers."""

    def __init__(self, settings: Settings, index: Index, adopt: Callable[[Settings], Awaitable[None]]) -> None:
        self.refused: dict[str, str] = {}
        """Roots that flags or file name and that cannot be kept, each with the reason."""
        self._asked = asyncio.Event()
        self._read: Callable[[], Settings] = lambda: settings
        self._around: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        self._settings = settings
        self._index = index
        self._adopt = adopt

    def listen(
        self,
        asked: asyncio.Event,
        read: Callable[[], Settings],
        around: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """From now on ``asked`` asks for a reload, ``read`` gives the new configuration, ``around`` is around it."""
        self._asked, self._read, self._around = asked, read, around

    async def run(self) -> None:
        """The service: one reload for each time it is asked."""
        await self.keep_fixed_roots()
        self._index.complete.set()
        while True:
            await self._asked.wait()
            self._asked.clear()
            with self._around():
                await self._reload()

    async def _reload(self) -> None:
        try:
            wanted = await asyncio.to_thread(self._read)
        except ConfigError as error:
            log.error("reload_refused", error=error.message)
        else:
            await self.apply(wanted)

    async def apply(self, wanted: Settings) -> None:
        """Take what can change live; say what needs a restart."""
        live, restart = reload_difference(self._settings, wanted)
        before, self._settings = self._settings, take_live(self._settings, wanted)
        set_level(self._settings.log.level)
        if self._settings.index != before.index:
            self._index.reconfigure(self._settings.index)
        await self._adopt(self._settings)
        await self.keep_fixed_roots()
        log.info("reloaded", changed=live, restart_needed=restart)

    async def keep_fixed_roots(self) -> None:
        """Make the roots named by flags and file be there, and those that are no longer named go."""
        named = {str(path): RootOrigin.FLAG for path in self._settings.flag_roots}
        named |= {str(path): RootOrigin.FILE for path in self._settings.roots}
        for root in await self._index.known():
            if root.origin is not RootOrigin.ADDED and root.path not in named:
                await self._index.remove(root.path, fixed=True)
        self.refused.clear()
        for path, origin in named.items():
            try:
                await self._index.add(path, origin)
            except AgentdError as error:
                self.refused[path] = error.message
                log.error("root_refused", path=path, error=error.message)
