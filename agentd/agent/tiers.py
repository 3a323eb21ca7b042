"""What small, medium and large mean, and which of them fits a model.

The budgets of a tier are what a task of its kind takes with room to spare, not what a good run uses. A small model
loses the thread after a few turns and long results, so it gets few and short ones, and a prompt of a few rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from agentd.agent.contracts import Limits, Tier

if TYPE_CHECKING:
    from agentd.config.settings import AgentSettings, ChatSettings

_Number = TypeVar("_Number", int, float)

Style = Literal["short", "full"]
"""How much of the system prompt there is."""

MEDIUM_CONTEXT = 16_000
"""Tokens of a model's context from which on ``auto`` is medium."""
LARGE_CONTEXT = 64_000
ANSWER_SHARE = 4
"""An answer may take one part in so many of the model's context, whatever the tier says."""
RESULT_SHARE = 5
"""The same for what one tool call shows: several results and the question must have room together."""


class Plan(Struct, frozen=True):
    """What a tier stands for."""

    limits: Limits
    style: Style


PLANS = {
    Tier.SMALL: Plan(
        Limits(
            turns=8,
            tokens=60_000,
            seconds=180.0,
            tool_calls=16,
            context_tokens=7_500,
            answer_tokens=1_024,
            result_tokens=1_200,
            hits=4,
        ),
        "short",
    ),
    Tier.MEDIUM: Plan(
        Limits(
            turns=16,
            tokens=400_000,
            seconds=300.0,
            tool_calls=48,
            context_tokens=28_000,
            answer_tokens=1_024,
            result_tokens=2_500,
            hits=8,
        ),
        "full",
    ),
    Tier.LARGE: Plan(
        Limits(
            turns=40,
            tokens=2_000_000,
            seconds=900.0,
            tool_calls=160,
            context_tokens=100_000,
            answer_tokens=1_024,
            result_tokens=5_000,
            hits=12,
        ),
        "full",
    ),
}


class Wanted(Struct, frozen=True, kw_only=True):
    """What a request asks of the budgets; None leaves one as it is. Budgets can only be made smaller."""

    turns: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    tool_calls: int | None = None


def tier_of(context_tokens: int) -> Tier:
    """The tier for a model that reads and writes ``context_tokens`` together.

    >>> tier_of(8192).value, tier_of(32_768).value, tier_of(131_072).value
    ('small', 'medium', 'large')
    """
    if context_tokens < MEDIUM_CONTEXT:
        return Tier.SMALL
    return Tier.MEDIUM if context_tokens < LARGE_CONTEXT else Tier.LARGE


def fitting(limits: Limits, context_tokens: int) -> Limits:
    """``limits`` as far as a model with ``context_tokens`` can keep them: what it reads has to leave room for what it
    writes.
    """
    answer = min(limits.answer_tokens, max(1, context_tokens // ANSWER_SHARE))
    room = min(limits.context_tokens, context_tokens - answer)
    result = min(limits.result_tokens, max(1, room // RESULT_SHARE))
    return replace(limits, answer_tokens=answer, context_tokens=room, result_tokens=result)


def configured(limits: Limits, settings: AgentSettings, chat: ChatSettings) -> Limits:
    """``limits`` with the budgets that the configuration sets, which may be larger, too; 0 sets none."""
    return replace(
        limits,
        answer_tokens=chat.max_answer_tokens,
        turns=settings.max_turns or limits.turns,
        tokens=settings.max_tokens or limits.tokens,
        seconds=settings.max_seconds or limits.seconds,
        tool_calls=settings.max_tool_calls or limits.tool_calls,
    )


def lowered(limits: Limits, wanted: Wanted) -> Limits:
    """``limits`` with the budgets that a request made smaller."""
    return replace(
        limits,
        turns=least(limits.turns, wanted.turns),
        tokens=least(limits.tokens, wanted.tokens),
        seconds=least(limits.seconds, wanted.seconds),
        tool_calls=least(limits.tool_calls, wanted.tool_calls),
    )


def least(limit: _Number, wanted: _Number | None) -> _Number:
    """The smaller one."""
    return limit if wanted is None else min(limit, wanted)
