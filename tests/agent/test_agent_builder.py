"""How agents are put together, and what follows from their model."""

from __future__ import annotations

import pytest
from agent_harness import LIMITS, Script, broken, look
from answer_harness import Disk
from hypothesis import given
from hypothesis import strategies as st

from agentd.agent.builder import AgentBuilder
from agentd.agent.contracts import Tier
from agentd.agent.executor import Executor
from agentd.agent.tiers import PLANS, Wanted, fitting, lowered, tier_of
from agentd.answer.binding import Binder
from agentd.answer.grounding import Grounder
from agentd.answer.literal import LiteralSupport, WholePassages
from agentd.config.settings import AgentSettings, ChatSettings
from agentd.errors import ConfigError, NoProviderError


def builder(context_tokens: int = 32_768) -> AgentBuilder:
    """All that is needed."""
    disk = Disk({})
    binder = Binder(Grounder(disk, disk, disk), LiteralSupport(0.5))
    model = Script([], context_tokens=context_tokens)
    return AgentBuilder(Executor(AgentSettings())).model(model).sources(binder, WholePassages())


def test_a_tier_follows_from_the_model_unless_it_is_set() -> None:
    assert [builder(context).build().tier for context in (8192, 32_768, 200_000)] == [
        Tier.SMALL,
        Tier.MEDIUM,
        Tier.LARGE,
    ]
    assert builder().tier(Tier.LARGE).build().tier is Tier.LARGE
    assert builder().configured(AgentSettings(tier="small"), ChatSettings()).build().tier is Tier.SMALL


def test_a_builder_can_be_built_upon_more_than_once() -> None:
    first = builder().tools(look)
    more = first.tools(broken)
    assert first.tier(Tier.SMALL).build().limits != first.build().limits
    assert first.build() is not more.build()


def test_what_is_missing_is_said() -> None:
    executor = Executor(AgentSettings())
    with pytest.raises(NoProviderError, match="chat"):
        AgentBuilder(executor).build()
    with pytest.raises(ConfigError, match="sources"):
        AgentBuilder(executor).model(Script([])).build()
    with pytest.raises(ConfigError, match="look is there twice"):
        builder().tools(look, broken, look).build()


def test_budgets_come_from_the_tier_then_the_configuration_then_the_request_which_lowers_them() -> None:
    assert builder().build().limits.turns == PLANS[Tier.MEDIUM].limits.turns
    configured = builder().configured(AgentSettings(max_turns=90, max_seconds=7.5), ChatSettings(max_answer_tokens=700))
    limits = configured.build().limits
    assert (limits.turns, limits.seconds, limits.answer_tokens) == (90, 7.5, 700)
    assert limits.tokens == PLANS[Tier.MEDIUM].limits.tokens
    lower = configured.at_most(Wanted(turns=3, seconds=100.0)).build().limits
    assert (lower.turns, lower.seconds) == (3, 7.5)


@given(st.integers(512, 2_000_000), st.sampled_from(Tier))
def test_a_request_and_its_answer_never_take_more_than_the_model_has(context: int, tier: Tier) -> None:
    limits = fitting(PLANS[tier].limits, context)
    assert limits.context_tokens + limits.answer_tokens <= context
    assert 0 < limits.result_tokens < limits.context_tokens


def test_larger_tiers_have_more_of_everything() -> None:
    small, medium, large = (PLANS[tier].limits for tier in Tier)
    for name in ("turns", "tokens", "seconds", "tool_calls", "context_tokens", "result_tokens", "hits"):
        assert getattr(small, name) < getattr(medium, name) < getattr(large, name)


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_request_never_raises_a_budget(turns: int, calls: int) -> None:
    limits = lowered(LIMITS, Wanted(turns=turns, tool_calls=calls))
    assert limits.turns == min(turns, LIMITS.turns)
    assert limits.tool_calls == min(calls, LIMITS.tool_calls)
    assert tier_of(0) is Tier.SMALL
