"""All sources at once, each on its own: one that fails, is late or is off is named, and the others stand."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

import structlog
from msgspec.structs import replace

from agentd.answer.contracts import Off, Retrieved, SourceStatus
from agentd.errors import AgentdError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agentd.answer.contracts import Question, Source, SourceName

    Told = Callable[[SourceName, SourceStatus], Awaitable[None]]

GRACE_SECONDS = 0.1
"""Sources are to end by themselves, with what they have, this much before they are ended."""

log = structlog.get_logger(__name__)


class Outcome(NamedTuple):
    """What a source gave, and how it fared."""

    retrieved: Retrieved
    status: SourceStatus


async def gather(
    sources: Mapping[SourceName, Source | Off], question: Question, seconds: float, told: Told
) -> dict[SourceName, Outcome]:
    """What each source gives within ``seconds`` and before the question's deadline; ``told`` hears of each as it ends.

    Takes as long as the slowest of them.
    """
    until = min(question.deadline, time.monotonic() + seconds)
    question = replace(question, deadline=until - min(GRACE_SECONDS, seconds / 10))

    async def one(name: SourceName, source: Source | Off) -> Outcome:
        outcome = await _outcome(name, source, question, until)
        await told(name, outcome.status)
        return outcome

    outcomes = await asyncio.gather(*(one(name, source) for name, source in sources.items()))
    return dict(zip(sources, outcomes, strict=True))


async def _outcome(name: SourceName, source: Source | Off, question: Question, until: float) -> Outcome:
    if isinstance(source, Off):
        return Outcome(Retrieved([]), SourceStatus("off", 0.0, 0, source.reason))
    began = time.monotonic()

    def ended(state: str, retrieved: Retrieved, reason: str = "") -> Outcome:
        took = round(1000 * (time.monotonic() - began), 3)
        return Outcome(retrieved, SourceStatus(state, took, len(retrieved.passages), reason))  # type: ignore[arg-type]

    try:
        async with asyncio.timeout(max(0.0, until - began)):
            # A source that knows when its time is over gives what it has by then.
            retrieved = await source.retrieve(replace(question, deadline=until))
    except TimeoutError:
        return ended("timed_out", Retrieved([]), f"not ready within {until - began:.1f} s")
    except AgentdError as error:
        log.warning("answer_source_failed", source=name, kind=error.kind, error=error.message)
        return ended("failed", Retrieved([]), error.message)
    except Exception as error:  # an edge: a fault in one source must not cost the answer
        log.exception("answer_source_broke", source=name)
        return ended("failed", Retrieved([]), f"internal error ({type(error).__name__}); the daemon's log has it")
    return ended("ok" if retrieved.passages else "empty", retrieved, "; ".join(retrieved.problems))
