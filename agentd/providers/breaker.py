"""A circuit breaker: who fails again and again is left alone for a while, then asked once, then trusted again.

::

    closed ──N failures in a row, or told to wait──▶ open ──pause over──▶ half open ──trial succeeds──▶ closed
       └───────────refused: key, model, address─────▶ open (refused)           └──trial fails──▶ open, for twice as long

Who fails again soon after a trial is left alone for twice as long, too.

Source: M. Nygard, Release It!, "Circuit Breaker".
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from agentd.errors import ProviderError, ProviderRefusedError, ProviderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

State = Literal["ok", "untried", "waiting", "refused"]

FAILURES = 3
"""In a row, until it is left alone."""
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
REFUSED_PAUSE_SECONDS = 900.0
"""A person has to change something, perhaps at the other end; nobody tells us when."""
LONGEST_WAIT_SECONDS = 3600.0
"""Of what a server may ask for."""


class Breaker:
    """Of one model of one server. ``clock`` gives seconds that only grow."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.openings = 0
        """How often it opened: whoever trusted the model before an opening has to look again."""
        self.last_failure: tuple[float, str] | None = None
        """When (seconds since the epoch) and why a call failed last, also where the next one succeeded."""
        self._name = name
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget everything: the configuration, or a key, is another one."""
        self._state: State = "untried"
        self._reason = ""
        self._failures = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._until = -math.inf
        self._well_since = -math.inf
        self._trying = False

    @property
    def state(self) -> State:
        """As ``ProviderStatus`` has it."""
        return self._state

    @property
    def reason(self) -> str:
        """What the last failure said; empty where the last call succeeded."""
        return self._reason

    @property
    def left_alone(self) -> bool:
        """Whether a call now would be refused without being sent."""
        return self._state in {"waiting", "refused"} and (self._trying or self._until > self._clock())

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Make one call. Its ProviderError counts as a failure, another exception (a cancellation, say) as nothing.

        Raises:
            ProviderUnavailableError: it is left alone, and nothing was sent.
            ProviderRefusedError: the same, because a person must change something.
        """
        trial = self._enter()
        try:
            yield
        except ProviderRefusedError as error:
            cause = error.details.get("cause")
            if cause != "too_long":  # that says something about the text alone
                self._failed(trial=trial, error=error, lasting=cause not in {"request", "tools"})
            raise
        except ProviderError as error:
            self._failed(trial=trial, error=error, lasting=False)
            raise
        else:
            self._succeeded()
        finally:
            self._trying = self._trying and not trial

    def refuse(self, reason: str) -> None:
        """Let nothing through until ``reset``: what is missing cannot come by waiting."""
        self._open("refused", reason, math.inf)

    def _enter(self) -> bool:
        """Whether this call is the trial."""
        if self._state not in {"waiting", "refused"}:
            return False
        left = self._until - self._clock()
        if left > 0 or self._trying:
            raise self._left_alone(left)
        self._trying = True
        return True

    def _left_alone(self, left: float) -> ProviderError:
        if self._state == "refused":
            return ProviderRefusedError(
                self._reason, provider=self._name, cause="open", left_seconds=left, reason=self._reason
            )
        when = f"for another {left:.0f} s" if left > 0 else "until one request has shown that it works again"
        return ProviderUnavailableError(
            f"{self._name} is left alone {when}: {self._reason}",
            provider=self._name,
            cause="open",
            left_seconds=max(left, 0.0),
            reason=self._reason,
        )

    def _succeeded(self) -> None:
        """Closes it, also where it was begun before it opened: it is proof."""
        if self._state != "ok":
            self._well_since = self._clock()
        self._state = "ok"
        self._reason = ""
        self._failures = 0
        self._until = -math.inf

    def _failed(self, *, trial: bool, error: ProviderError, lasting: bool) -> None:
        self.last_failure = time.time(), error.message
        if self._state in {"waiting", "refused"} and not trial:
            return  # begun before it opened: it says nothing new
        self._failures += 1
        if lasting:
            self._open("refused", error.message, REFUSED_PAUSE_SECONDS)
        elif trial or self._failures >= FAILURES or asked_to_wait(error):
            pause = self._next_pause()
            self._open("waiting", error.message, max(pause, min(asked_to_wait(error), LONGEST_WAIT_SECONDS)))
            self._pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        else:
            self._reason = error.message

    def _next_pause(self) -> float:
        """The first one again after it was well for a while. One success is not enough: a server may embed the probe,
        or a question, and break at everything else, and would be asked for ever.
        """
        well = self._state == "ok" and self._clock() - self._well_since >= self._pause
        return FIRST_PAUSE_SECONDS if well else self._pause

    def _open(self, state: State, reason: str, pause: float) -> None:
        self.openings += 1
        self._state = state
        self._reason = reason
        self._until = self._clock() + pause


def asked_to_wait(error: ProviderError) -> float:
    """Seconds that the server itself wants to be left alone for; 0 where it did not say."""
    seconds = error.details.get("retry_after_seconds", 0.0)
    return float(seconds) if isinstance(seconds, int | float) else 0.0
