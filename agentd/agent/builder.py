"""How an agent is put together.

::

    agent = AgentBuilder(executor).model(chat).sources(binder, extractor).tier(Tier.MEDIUM).tools(*tools).build()
    scope = RunScope(task, agent.limits, roots, named, settings.rule)
    run = agent.begin(task, scope)
    trace = await run.carry_out(emit, progress)
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agentd.agent.budget import Budget
from agentd.agent.contracts import Tier
from agentd.agent.loop import Means, Run
from agentd.agent.records import RunRecord, TraceRecord
from agentd.agent.tiers import PLANS, Wanted, configured, fitting, lowered, tier_of
from agentd.agent.toolbox import RunToolbox
from agentd.answer.records import new_id
from agentd.errors import ConfigError, NoProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.agent.contracts import Limits, Tool
    from agentd.agent.executor import Executor
    from agentd.agent.scope import RunScope
    from agentd.answer.binding import Binder
    from agentd.answer.contracts import Extractor
    from agentd.config.settings import AgentSettings, ChatSettings
    from agentd.providers.contracts import ChatModel


class _Parts(NamedTuple):
    """What was said of an agent so far."""

    executor: Executor
    chat: ChatModel | None = None
    binder: Binder | None = None
    extractor: Extractor | None = None
    tier: Tier | None = None
    tools: tuple[Tool, ...] = ()
    settings: AgentSettings | None = None
    chat_settings: ChatSettings | None = None
    limits: Limits | None = None
    wanted: Wanted = Wanted()
    temperature: float | None = None
    clock: Callable[[], float] = time.monotonic


class AgentBuilder:
    """Builds agents. Each method gives a new builder, so that one may be kept and built upon more than once."""

    def __init__(self, executor: Executor) -> None:
        self._parts = _Parts(executor)

    def model(self, chat: ChatModel) -> AgentBuilder:
        """The model, or chain of models, that works."""
        return self._of(self._parts._replace(chat=chat))

    def sources(self, binder: Binder, extractor: Extractor) -> AgentBuilder:
        """Who binds answers to what was found, and who makes one of it where the model does not."""
        return self._of(self._parts._replace(binder=binder, extractor=extractor))

    def tier(self, tier: Tier) -> AgentBuilder:
        """How much a run may take. Where none is set or configured, it follows from the context of the model."""
        return self._of(self._parts._replace(tier=tier))

    def tools(self, *tools: Tool) -> AgentBuilder:
        """What the model may call; what was named before is kept."""
        return self._of(self._parts._replace(tools=(*self._parts.tools, *tools)))

    def configured(self, agent: AgentSettings, chat: ChatSettings) -> AgentBuilder:
        """Budgets, tier and temperature as in the configuration, where it sets any."""
        return self._of(self._parts._replace(settings=agent, chat_settings=chat))

    def temperature(self, temperature: float) -> AgentBuilder:
        """How much chance there is in what the model writes, from 0 on, instead of as configured."""
        return self._of(self._parts._replace(temperature=temperature))

    def limits(self, limits: Limits) -> AgentBuilder:
        """Budgets instead of those of a tier, whatever is configured. The model's context bounds them all the same."""
        return self._of(self._parts._replace(limits=limits))

    def at_most(self, wanted: Wanted) -> AgentBuilder:
        """Make budgets smaller."""
        return self._of(self._parts._replace(wanted=wanted))

    def clock(self, clock: Callable[[], float]) -> AgentBuilder:
        """What time is taken from: seconds that only grow."""
        return self._of(self._parts._replace(clock=clock))

    def build(self) -> Agent:
        """The agent.

        Raises:
            NoProviderError: there is no model.
            ConfigError: something else is missing, or two tools have one name.
        """
        parts = self._parts
        if parts.chat is None:
            raise NoProviderError(
                'an agent needs a model: name a [[provider]] with a chat_model in [chat] chain = ["…"]'
            )
        if parts.binder is None or parts.extractor is None:
            raise ConfigError("an agent needs to know how answers are bound to what it finds: call sources() first")
        if twice := [name for name, count in Counter(tool.name for tool in parts.tools).items() if count > 1]:
            raise ConfigError(f"each tool needs a name of its own; {', '.join(twice)} is there twice")
        tier = self._tier(parts.chat)
        means = Means(parts.chat, parts.binder, parts.extractor, PLANS[tier].style, self._temperature())
        return Agent(tier, self._limits(tier, parts.chat), parts.tools, parts.executor, means, parts.clock)

    def _tier(self, chat: ChatModel) -> Tier:
        parts = self._parts
        if parts.tier is None and parts.settings is not None and parts.settings.tier != "auto":
            return Tier(parts.settings.tier)
        return parts.tier or tier_of(chat.context_tokens)

    def _temperature(self) -> float:
        parts = self._parts
        if parts.temperature is not None:
            return parts.temperature
        return 0.0 if parts.chat_settings is None else parts.chat_settings.temperature

    def _limits(self, tier: Tier, chat: ChatModel) -> Limits:
        parts = self._parts
        limits = parts.limits or PLANS[tier].limits
        if parts.settings is not None and parts.chat_settings is not None and parts.limits is None:
            limits = configured(limits, parts.settings, parts.chat_settings)
        return lowered(fitting(limits, chat.context_tokens), parts.wanted)

    def _of(self, parts: _Parts) -> AgentBuilder:
        builder = AgentBuilder(parts.executor)
        builder._parts = parts
        return builder


class Agent:
    """Begins runs, any number at once. ``limits`` are the budgets of each of them."""

    def __init__(
        self,
        tier: Tier,
        limits: Limits,
        tools: tuple[Tool, ...],
        executor: Executor,
        means: Means,
        clock: Callable[[], float],
    ) -> None:
        self.tier = tier
        self.limits = limits
        self._tools = tools
        self._executor = executor
        self._means = means
        self._clock = clock

    def begin(self, task: str, scope: RunScope) -> Run:
        """A run that has its id and its trace, and has not begun to work: call ``carry_out``."""
        now = time.time()
        record = RunRecord(
            id=new_id(now),
            at=round(now, 3),
            task=task,
            tier=self.tier.value,
            model=self._means.chat.name,
            state="running",
            limits=msgspec.to_builtins(scope.limits),
            roots=[*scope.touched],
        )
        tools = RunToolbox(self._executor, self._tools, scope)
        return Run(TraceRecord(run=record), scope, tools, Budget(scope.limits, self._clock), self._means)
