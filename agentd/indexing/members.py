"""A member of an embedding chain: one model, whether it can be had now, and the space that its vectors belong to."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Literal

import structlog
from msgspec import Struct

from agentd.errors import AgentdError, EgressError, ProviderRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.domain import Space
    from agentd.providers.contracts import EmbeddingModel

State = Literal["ok", "untried", "waiting", "refused"]

log = structlog.get_logger(__name__)

LOST_SECONDS = 300.0
"""Nothing finds the vectors of a model that is away. After this long, chunks that have no other get one of the next."""
PROBE_SECONDS = 3600.0
"""How often a model that works is asked whether it is still the same."""
RETRY_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 900.0

OF_ONE_REQUEST = frozenset({"request", "too_long"})
"""Causes of a refusal that say something about a text, and nothing about the model."""
LASTING = frozenset({"open", "model"})
"""Causes of a failure after which there is no use in trying the next batch."""


class Load(Struct, frozen=True):
    """What a model takes: characters and texts in a batch, batches at once, and chunks that are held for it. Batches of
    ``one_root`` never mix text of several.
    """

    chars: int
    texts: int
    at_once: int
    window: int
    one_root: bool


class Member:
    """``changed`` is called when its space or its state is another one. ``on_server`` is false for the model in
    our workers, which is always there and cannot change. ``space`` may be given where it was learned in an earlier run.
    """

    def __init__(
        self,
        name: str,
        model: EmbeddingModel,
        load: Callable[[], Load],
        space: Space | None = None,
        *,
        on_server: bool = True,
    ) -> None:
        self.name = name
        self.model = model
        self.load = load
        self.space = space
        self.state: State = "untried" if on_server else "ok"
        self.reason = ""
        self.usable = asyncio.Event()
        self.looked = asyncio.Event()
        """Set once the model was tried, with whatever outcome."""
        self.changed: Callable[[], None] = lambda: None
        self.retry_at: float | None = None
        """When it is tried again, on the clock of ``time.monotonic``; None while it works."""
        self.on_server = on_server
        self._away_since = math.inf
        self._asked = asyncio.Event()
        if space is not None:
            self.usable.set()
        if not on_server:
            self.looked.set()

    @property
    def lost(self) -> bool:
        """Away for so long that its vectors are as good as lost."""
        if self.usable.is_set():
            return False
        return self.state == "refused" or time.monotonic() - self._away_since >= LOST_SECONDS

    def standing(self) -> str:
        """What it is doing, in words: ``waiting (too many requests; tried again in 30 s)``."""
        if self.retry_at is None:
            return f"{self.state} ({self.reason})" if self.reason else self.state
        left = max(0.0, self.retry_at - time.monotonic())
        return f"{self.state} ({self.reason}; tried again in {left:.0f} s)"

    def failed(self, error: AgentdError) -> bool:
        """A call failed with ``error``; returns whether the same call may be made again, once ``usable`` is set."""
        cause = error.details.get("cause")
        if isinstance(error, ProviderRefusedError) and cause in OF_ONE_REQUEST:
            return False
        if cause in LASTING or isinstance(error, ProviderRefusedError):
            self._away(error)
            self.look_again()
        return True

    def look_again(self) -> None:
        """Probe the model as soon as may be: it may be another one."""
        self._asked.set()

    async def watch(self) -> None:
        """The service: learns the space, and notices when the model goes, comes back, or is another one."""
        while self.on_server:
            pause = await self._look()
            self.looked.set()
            self.changed()
            try:
                async with asyncio.timeout(pause):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()

    async def _look(self) -> float:
        """Probe once; returns after how many seconds to do so again."""
        try:
            await self.model.probe()
        except AgentdError as error:
            return self._away(error)
        if self.space != self.model.space:
            log.info("space_learned", model=self.name, space=self.model.space.key)
        self.space = self.model.space
        self.state, self.reason, self.retry_at = "ok", "", None
        self._away_since = math.inf
        self.usable.set()
        return PROBE_SECONDS

    def _away(self, error: AgentdError) -> float:
        """Note that it cannot be had; returns for how many seconds to leave it alone."""
        refused = isinstance(error, ProviderRefusedError | EgressError)
        self.state = "refused" if refused else "waiting"
        self.reason = str(error.details.get("reason", error.message))  # when it is tried again is told beside it
        if self.usable.is_set() or self._away_since == math.inf:
            self._away_since = time.monotonic()
            log.warning("model_away", model=self.name, state=self.state, error=error.message)
        self.usable.clear()
        left = error.details.get("left_seconds", LONGEST_WAIT_SECONDS if refused else 0.0)
        pause = min(max(float(str(left)), RETRY_SECONDS), LONGEST_WAIT_SECONDS)
        self.retry_at = time.monotonic() + pause
        lost_in = self._away_since + LOST_SECONDS - time.monotonic()
        return min(pause, lost_in) if lost_in > 0 else pause
