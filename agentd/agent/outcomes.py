"""What becomes of a tool call that failed: whether the model may try again, and what it is told. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentd.errors import AgentdError, BusyError, DeadlineError, ToolError, ToolTimeoutError

if TYPE_CHECKING:
    from agentd.agent.contracts import Outcome

RETRYABLE = frozenset(
    {
        "invalid_params",
        "not_found",
        "symbol_not_found",
        "outside_roots",
        "root_not_found",
        "busy",
        "deadline",
        "task_timeout",
        "web_failed",
    }
)
"""Kinds of errors that other words, a smaller question or another moment may avoid. Others are final."""

LONGEST = 2000
"""Characters of a message."""


class Failure(NamedTuple):
    """How a call failed. ``tells`` says that the message may name what the roots of the run hold."""

    outcome: Outcome
    kind: str
    message: str
    tells: bool = False


def judged(error: Exception) -> Failure:
    """What ``error`` makes of its call. Nothing is told of one that we did not foresee but its class."""
    if not isinstance(error, AgentdError):
        message = f"the tool failed by an internal error ({type(error).__name__}), which was logged"
        return Failure("final", AgentdError.kind, message)
    message = error.message if len(error.message) <= LONGEST else error.message[: LONGEST - 1] + "…"
    if isinstance(error, ToolTimeoutError):
        return Failure("timed_out", error.kind, message)
    retry = error.retry if isinstance(error, ToolError) else error.kind in RETRYABLE
    tells = not isinstance(error, (BusyError, DeadlineError))
    return Failure("retry" if retry else "final", error.kind, message, tells)
