"""The one executor of all tools of all runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from agentd.agent.outcomes import judged
from agentd.agent.tracing import Tracer
from agentd.errors import AgentdError, EgressError, ToolInputError, ToolTimeoutError
from agentd.observability.metrics import Metrics

if TYPE_CHECKING:
    from agentd.agent.contracts import Scope, Tool, ToolResult
    from agentd.agent.outcomes import Failure
    from agentd.config.settings import AgentSettings

log = structlog.get_logger(__name__)


class Executor:
    """Runs tools: so many at once over all runs, each for so long.

    ``parallel`` is how many calls one run may have going; the executor takes that of as many runs as there may be, so
    that no run waits for the slow tools of another.
    """

    def __init__(self, settings: AgentSettings, metrics: Metrics | None = None) -> None:
        self.tracer = Tracer(metrics or Metrics())
        self.adopt(settings)

    def adopt(self, settings: AgentSettings) -> None:
        """Take other bounds for calls that begin from now on."""
        self.parallel = settings.parallel_tools
        self._seconds = settings.tool_seconds
        self._slots = asyncio.Semaphore(settings.parallel_tools * settings.max_running)

    async def attempt(self, tool: Tool, arguments: str, scope: Scope) -> ToolResult | Failure:
        """What ``tool`` gives for ``arguments``, the JSON that a model wrote; or how that failed. Waiting for a place
        does not count against the tool's time.
        """
        try:
            parsed = tool.parse(arguments)
        except ToolInputError as error:
            return judged(error)._replace(tells=False)
        try:
            async with self._slots:
                return await self._limited(tool, parsed, scope)
        except AgentdError as error:
            return judged(error)
        except Exception as error:
            log.exception("tool_broke", tool=tool.name)
            return judged(error)

    async def _limited(self, tool: Tool, parsed: object, scope: Scope) -> ToolResult:
        if tool.web and (refusal := scope.web_refusal()):
            raise EgressError(refusal)
        seconds = tool.seconds or self._seconds
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await tool.run(parsed, scope)
        except TimeoutError:
            if not limit.expired():
                raise
            raise ToolTimeoutError(
                f"{tool.name} was stopped after {seconds:g} s: ask for less, or narrow it down"
            ) from None
