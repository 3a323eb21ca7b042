"""When a budget gives way step by step, and when it takes a step back: pure functions of a measure and the time.

A budget has as many steps as there are things to be done about it, each dearer than the one before. While it is over
its limit it goes on to the next, leaving each some time to show effect; once it is well under it for long enough it
goes back by one. A step back that proves too early makes the next one come later, so that nothing swings for ever.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

RELAXED = 0.85
"""Share of the limit under which a budget is at ease again. Between it and the limit nothing changes."""
FAR_OVER = 1.25
EFFECT_SECONDS = 2.0
HASTE_SECONDS = 1.0
"""How long a step may take to show effect, and how long where the limit is passed by far."""
FIRST_PATIENCE_SECONDS = 10.0
LAST_PATIENCE_SECONDS = 600.0
"""How long a budget must be at ease before it takes a step back: at first, and at most after relapses."""


class Standing(Struct, frozen=True):
    """Where a budget stands. Times are seconds of one monotonic clock; ``step`` 0 is that of a budget at ease.

    ``since`` is when ``step`` was entered, ``eased`` when the pressure fell last (None while it is not down), and
    ``back`` when the last step back was taken.
    """

    step: int = 0
    since: float = float("-inf")
    eased: float | None = None
    back: float = float("-inf")
    patience: float = FIRST_PATIENCE_SECONDS


def advance(standing: Standing, pressure: float, last: int, now: float) -> Standing:
    """The standing after a look at ``now``; ``pressure`` is use through limit, ``last`` the highest step."""
    if pressure > 1.0:
        return _tighten(standing, pressure, last, now)
    if pressure >= RELAXED:
        return replace(standing, eased=None)
    eased = now if standing.eased is None else standing.eased
    if standing.step and now - max(eased, standing.since) >= standing.patience:
        return replace(standing, step=standing.step - 1, since=now, eased=eased, back=now)
    return replace(standing, eased=eased)


def _tighten(standing: Standing, pressure: float, last: int, now: float) -> Standing:
    effect = HASTE_SECONDS if pressure > FAR_OVER else EFFECT_SECONDS
    if standing.step >= last or now - standing.since < effect:
        return replace(standing, eased=None)
    relapsed = standing.back >= standing.since and now - standing.back < 2 * standing.patience
    patience = standing.patience
    if relapsed:
        patience = min(2 * patience, LAST_PATIENCE_SECONDS)
    elif standing.step == 0:
        patience = FIRST_PATIENCE_SECONDS
    return Standing(standing.step + 1, now, None, standing.back, patience)


def pressure_of(used: int, limit: int) -> float:
    """Use through limit, of what should not be exceeded."""
    return used / limit


def pressure_of_free(free: int, wanted: int) -> float:
    """The same of what should be left free; nothing wanted presses nothing."""
    return wanted / max(free, 1)
