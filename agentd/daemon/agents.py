"""What the server's handlers ask of the agent, and its composition."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import msgspec

from agentd.agent.arguments import tool_hint
from agentd.agent.builder import AgentBuilder
from agentd.agent.builtin import library_tools, web_tools
from agentd.agent.contracts import Tier
from agentd.agent.executor import Executor
from agentd.agent.scope import RunScope
from agentd.agent.tiers import Wanted
from agentd.daemon.agent_runs import Going
from agentd.daemon.scope import root_at
from agentd.errors import BusyError, InvalidParamsError, NoProviderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd import protocol as p
    from agentd.agent.builder import Agent
    from agentd.agent.contracts import Emit, Library, Tool
    from agentd.config.settings import RootSettings, Settings, ToolSettings
    from agentd.daemon.agent_runs import Runs
    from agentd.daemon.agent_web import AgentWeb
    from agentd.daemon.answers import DaemonAnswers
    from agentd.indexing.index import Index
    from agentd.observability.metrics import Metrics
    from agentd.server.agent_params import RunParams
    from agentd.server.params import PageParams
    from agentd.storage.kept_table import Head

RETRY_MILLISECONDS = 5000
LEAST_SECONDS = 0.01
"""What a run is given whose deadline has passed already: it ends at once, and says why."""
NO_MODEL = (
    'the agent needs a chat model: name a server in [[provider]] with a chat_model, and in [chat] chain = ["NAME"]; '
    "docs/providers.md shows how"
)
NO_SERVER = "no server is configured; name one in [web] searxng"
NO_WEB = "the web was not used: {reason}"


class DaemonAgents:
    """Satisfies ``agentd.server.services.AgentServices``. Model, binding and excerpts are those that answers have."""

    def __init__(
        self,
        settings: Settings,
        index: Index,
        answers: DaemonAnswers,
        library: Library,
        web: AgentWeb,
        runs: Runs,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._index = index
        self._answers = answers
        self._web = web
        self._library_tools = library_tools(library)
        self._web_tools = web_tools(web)
        self._commands: Sequence[Tool] = ()
        self._executor = Executor(settings.agent, metrics)
        self._runs = runs

    async def adopt(self, settings: Settings) -> None:
        """Take settings, the first ones too: runs that go on keep their budgets and tools, and obey the new rules of
        roots.
        """
        self._settings = settings
        self._executor.adopt(settings.agent)
        self._commands = await asyncio.to_thread(command_tools, settings.tools)

    async def run(self, params: RunParams, deadline: float | None, emit: Emit) -> p.Run:
        """Do a task, if not too many others are being done."""
        most = self._settings.agent.max_running
        if len(self._runs.going) >= most:
            raise BusyError(
                f"{most} runs of the agent go on, which is agent.max_running; try again, or end one (`agentctl runs`)",
                retry_after_ms=RETRY_MILLISECONDS,
            )
        going = self._new(params, deadline, emit)
        trace = await self._runs.carry_out(going, keep=params.keep)
        return cast("p.Run", msgspec.to_builtins(trace.run))

    async def runs(self, params: PageParams) -> p.RunList:
        """List runs."""
        page = await self._runs.page(params.before, params.limit)
        return {"runs": [run_head(each) for each in page.heads], "total": page.total, "next": page.next}

    async def trace(self, run_id: str) -> p.Trace:
        """Show a run."""
        return cast("p.Trace", msgspec.to_builtins(await self._runs.trace(run_id)))

    async def stop(self, run_id: str) -> bool:
        """End a run."""
        return await self._runs.stop(run_id)

    async def close(self) -> None:
        """End what goes on, because the daemon stops."""
        await self._runs.close()

    async def forget_removed(self) -> int:
        """End, and delete, the runs that have to do with a root which was removed; returns how many were deleted."""
        return await self._runs.forget_removed()

    async def purge_removed(self) -> None:
        """The same, and no byte of them stays in unused space. Raises StateUnusableError: no room for a copy."""
        await self._runs.forget_removed()
        await self._runs.records.purge_removed()

    def last_use(self, now: float) -> float:
        """When a run went on last, by the loop's clock, which shows ``now``."""
        return now if self._runs.going else self._runs.ended_at

    async def maintain(self) -> int:
        """Delete runs that were kept for long enough, and those of removed roots; returns how many."""
        limits = self._settings.agent
        return await self._runs.records.maintain(limits.keep_days, limits.keep_count)

    def stats(self) -> dict[str, object]:
        """Runs that go on, for ``stats``; tasks are their owners' alone."""
        traces = [each.trace for each in self._runs.going.values()]
        return {
            "running": len(traces),
            "runs": [
                {"id": each.run.id, "at": each.run.at, "tier": each.run.tier, "turns": len(each.turns)}
                for each in traces
            ],
        }

    def _new(self, params: RunParams, deadline: float | None, emit: Emit) -> Going:
        named = [root_at(self._index.keepers, path).path for path in params.roots]
        agent = self._agent(params, deadline)
        scope = RunScope(params.task, agent.limits, named or self._index.keepers, named, self._rule)
        run = agent.begin(params.task, scope)
        if params.web and (reason := scope.web_refusal() if self._web.there else NO_SERVER):
            run.trace.run.degraded.append(NO_WEB.format(reason=reason))
        return Going(run, lambda: scope.touched, emit)

    def _agent(self, params: RunParams, deadline: float | None) -> Agent:
        settings, asker = self._settings, self._answers.asker
        if asker.chat is None:
            raise NoProviderError(NO_MODEL)
        builder = (
            AgentBuilder(self._executor)
            .model(asker.chat)
            .sources(self._answers.binder, asker.extractor)
            .configured(settings.agent, settings.chat)
            .tools(*self._tools(params))
            .at_most(wanted(params, deadline))
        )
        return (builder.tier(Tier(params.tier)) if params.tier else builder).build()

    def _tools(self, params: RunParams) -> Sequence[Tool]:
        """Those that are configured and asked for, of those that there are. Raises InvalidParamsError."""
        web = self._web_tools if params.web and self._web.there else ()
        allowed = self._settings.agent.tools
        there = [tool for tool in (*self._library_tools, *web, *self._commands) if not allowed or tool.name in allowed]
        names = [tool.name for tool in there]
        for name in params.tools:
            if name not in names:
                why = self._not_there(name, params) or tool_hint(name, names)
                raise InvalidParamsError(f"agent.run has no tool `{name}` here; {why}", field="tools")
        return [tool for tool in there if not params.tools or tool.name in params.tools]

    def _not_there(self, name: str, params: RunParams) -> str:
        """Why a tool that agentd has is not to be had; empty where it has none of this name."""
        if name not in {tool.name for tool in (*self._library_tools, *self._web_tools, *self._commands)}:
            return ""
        if (allowed := self._settings.agent.tools) and name not in allowed:
            return "agent.tools of the configuration leaves it out"
        return NO_SERVER if params.web else "it needs `web`, which was not asked for (agentctl agent --web)"

    def _rule(self, root: str) -> RootSettings:
        """What the configuration in force says of a root."""
        return self._settings.rule(root)


def command_tools(settings: Sequence[ToolSettings]) -> list[Tool]:
    """The commands of the configuration as tools. What they are checked with takes a tenth of a second to load."""
    if not settings:
        return []
    from agentd.agent.commands import CommandTool  # noqa: PLC0415  # for those who need it

    return [CommandTool(each) for each in settings]


def wanted(params: RunParams, deadline: float | None) -> Wanted:
    """The budgets of a request; its deadline (loop time in seconds) is one of them."""
    bounds = [] if params.max_seconds is None else [params.max_seconds]
    if deadline is not None:
        bounds.append(max(LEAST_SECONDS, deadline - asyncio.get_running_loop().time()))
    return Wanted(
        turns=params.max_turns,
        tokens=params.max_tokens,
        seconds=min(bounds, default=None),
        tool_calls=params.max_tool_calls,
    )


def run_head(head: Head) -> p.RunHead:
    """A run in a list."""
    return cast("p.RunHead", {"id": head.id, "at": head.at, "state": head.label, "task": head.text})
