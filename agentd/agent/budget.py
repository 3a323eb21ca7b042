"""What of a run's budgets is left, and which is reached. Pure but for the clock that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentd.agent.contracts import Limits
    from agentd.agent.records import Limit

LAST_SHARE = 0.25
"""Of the time that is kept for the last turn."""
LAST_SECONDS = 60.0
"""At most."""
CLOSING_SHARE = 0.05
"""Of the time that is kept for what follows the last turn: its citations are compared with the disk and judged."""
CLOSING_SECONDS = 3.0
"""At most."""
LEAST_ANSWER = 64
"""Tokens; no model is asked for an answer of fewer."""


class Budget:
    """Counts what a run takes. ``clock`` gives seconds that only grow."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.turns = 0
        self.tool_calls = 0
        self.tokens = 0
        self._clock = clock
        self._began = clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._began

    @property
    def milliseconds(self) -> float:
        """The same as they are noted."""
        return round(1000 * self.elapsed, 3)

    @property
    def last_seconds(self) -> float:
        """Until the last turn has to be done."""
        seconds = self.limits.seconds
        return seconds - min(CLOSING_SHARE * seconds, CLOSING_SECONDS) - self.elapsed

    @property
    def seconds(self) -> float:
        """Until the last turn has to begin."""
        return self.last_seconds - min(LAST_SHARE * self.limits.seconds, LAST_SECONDS)

    @property
    def calls_left(self) -> int:
        """Tool calls that may be made."""
        return max(0, self.limits.tool_calls - self.tool_calls)

    def reached(self, prompt_tokens: int) -> Limit:
        """The budget for which the next turn, with a request of ``prompt_tokens``, has to be the last; empty for none.

        A turn that is not the last has to leave turns and tokens for one: as many tokens again, since requests grow.
        """
        if self.turns + 1 >= self.limits.turns:
            return "turns"
        if not self.calls_left:
            return "tool_calls"
        if self.seconds <= 0:
            return "seconds"
        return "tokens" if self.tokens + 2 * (prompt_tokens + self.limits.answer_tokens) > self.limits.tokens else ""

    def answer_tokens(self, prompt_tokens: int) -> int:
        """How long an answer to a request of ``prompt_tokens`` may be now."""
        return min(self.limits.answer_tokens, self.limits.tokens - self.tokens - prompt_tokens)

    @property
    def prompt_tokens(self) -> int:
        """How long the last request may be, for an answer of half the length that is wished for at least."""
        left = self.limits.tokens - self.tokens - max(LEAST_ANSWER, self.limits.answer_tokens // 2)
        return max(0, min(self.limits.context_tokens, left))

    def may_ask(self) -> bool:
        """Whether one more request can be made at all, be it the last."""
        return self.turns < self.limits.turns and self.last_seconds > 0
