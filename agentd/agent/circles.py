"""Whether a run still gets anywhere. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentd.agent.records import Limit, TurnRecord

MOST_REPEATED = 2
"""Turns one after the other in which every call had been made before; the first such turn is told so."""
MOST_FRUITLESS = 3
"""Turns one after the other in which no call succeeded, or none could be read."""


class Circles:
    """Looks at turns as they end."""

    def __init__(self) -> None:
        self._repeated = 0
        self._fruitless = 0

    @property
    def reached(self) -> Limit:
        """The limit that the last turns reached."""
        if self._repeated >= MOST_REPEATED:
            return "repetition"
        return "errors" if self._fruitless >= MOST_FRUITLESS else ""

    def saw(self, turn: TurnRecord) -> None:
        """Take in a turn that is over."""
        ok = any(call.outcome == "ok" for call in turn.calls)
        self._fruitless = 0 if ok else self._fruitless + 1
        again = bool(turn.calls) and all(call.cached for call in turn.calls)
        self._repeated = self._repeated + 1 if again else 0
