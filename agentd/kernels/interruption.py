"""The way out of a long computation whose result nobody waits for any more.

A kernel calls ``pause_point`` between pieces of its work; whoever runs it says here how to know that it was given up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable


class Interruption:
    """How a process knows that its present task was given up. Without anybody to ask, no task ever is."""

    def __init__(self) -> None:
        self.asked: Callable[[], bool] = lambda: False


INTERRUPTION = Interruption()


def pause_point() -> None:
    """End the task where it was given up; costs a microsecond or two.

    Raises:
        CancelledError: it was.
    """
    if INTERRUPTION.asked():
        raise CancelledError("nobody waits for this result any more")
