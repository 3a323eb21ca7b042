"""The optional last judge of a ranking: a cross-encoder that reads query and passage together.

It is slow, so it sees the first candidates alone, in small tasks of the interactive lane that let other queries pass,
and for a limited time. Without its answer the ranking stands as it was, and the search says why.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from agentd.compute.pool import Lane, Priority
from agentd.errors import AgentdError, DeadlineError, TaskFailedError
from agentd.kernels.batches import plan_runs
from agentd.kernels.messages import ModelRequest, RerankRequest
from agentd.kernels.registry import DESCRIBE_CROSS_ENCODER, RERANK

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from agentd.compute.pool import Pool
    from agentd.config.settings import RerankSettings
    from agentd.observability.metrics import Metrics

log = structlog.get_logger(__name__)

NO_MODEL = "no cross-encoder is configured (rerank.model)"
TASK_CHARS = 2000
"""Characters of one task, 500 tokens or so: what a query that is embedded meanwhile waits for."""
TOKEN_CHARS = 4
"""Characters of a token, more or less: what a text that will be cut counts for."""
FIRST_RANKS = 10
"""The constant of reciprocal rank fusion; see ``fusion``."""


class Reranking(Struct, frozen=True):
    """A score for each text, in their order, higher is better; or none, and ``problem`` says why."""

    scores: list[float]
    problem: str = ""


class Reranker:
    """Judges texts by the configured cross-encoder. ``problem`` says why it cannot; empty while it can."""

    def __init__(self, pool: Pool, settings: RerankSettings, metrics: Metrics) -> None:
        self.settings = settings
        self.problem = "the cross-encoder is not loaded yet" if settings.model else NO_MODEL
        self._pool = pool
        self._took = metrics.histogram("search_stage_ms", stage="rerank")
        self._failed = metrics.counter("rerank_failed")
        self._late = metrics.counter("rerank_late")

    @property
    def configured(self) -> bool:
        """Whether a model is named, be it usable or not."""
        return bool(self.settings.model)

    async def prepare(self) -> None:
        """Load the model in the interactive lane and try it out. One that cannot be used is no error, but a problem."""
        if not self.configured:
            return
        request = ModelRequest(self.settings.model, self.settings.max_tokens)
        try:
            model = await self._pool.run(DESCRIBE_CROSS_ENCODER, request, lane=Lane.INTERACTIVE)
        except AgentdError as error:
            self.problem = error.message
            log.error("cross_encoder_unusable", directory=self.settings.model, error=error.message)
        else:
            self.problem = ""
            log.info("cross_encoder_ready", name=model.name, max_tokens=model.max_tokens)

    async def rerank(self, query: str, texts: Sequence[str], within: float) -> Reranking:
        """Judge ``texts`` in half of the seconds that the query has left, at most in the limit of the settings.

        The other half is for what comes after: a search that answers late is worth less than one in its old order.
        """
        if self.problem:
            return Reranking([], self.problem)
        began = time.monotonic()
        seconds = max(0.0, min(within / 2, self.settings.limit_milliseconds / 1000))
        try:
            return Reranking(await self._judge(query, texts, began + seconds))
        except TimeoutError:
            self._late.increment()
            return Reranking([], f"{len(texts)} passages were not judged within {seconds * 1000:.0f} ms")
        except AgentdError as error:
            self._failed.increment()
            log.warning("rerank_failed", kind=error.kind, error=error.message)
            return Reranking([], error.message)
        finally:
            self._took.observe(1000 * (time.monotonic() - began))

    async def _judge(self, query: str, texts: Sequence[str], deadline: float) -> list[float]:
        """Texts of about one length share a task.

        Raises:
            TimeoutError: the deadline passed.
            AgentdError: a task failed.
        """
        longest = self.settings.max_tokens * TOKEN_CHARS
        tasks = plan_runs([min(len(query) + len(text), longest) for text in texts], TASK_CHARS)
        async with asyncio.timeout(deadline - time.monotonic()):
            parts = await all_or_none([self._task(query, [texts[at] for at in task], deadline) for task in tasks])
        scores = [0.0] * len(texts)
        for task, part in zip(tasks, parts, strict=True):
            for at, score in zip(task, part, strict=True):
                scores[at] = score
        return scores

    async def _task(self, query: str, texts: list[str], deadline: float) -> list[float]:
        settings = self.settings
        request = RerankRequest(settings.model, query, texts, max_tokens=settings.max_tokens, deadline=deadline)
        try:
            result = await self._pool.run(RERANK, request, lane=Lane.INTERACTIVE, priority=Priority.RERANK)
        except TaskFailedError as error:
            if error.kind == DeadlineError.kind:  # the worker looked at the clock just before we did
                raise TimeoutError from error
            raise
        return result.scores


async def all_or_none(calls: Sequence[Coroutine[Any, Any, list[float]]]) -> list[list[float]]:
    """The results of ``calls``, run side by side. The first to fail ends the others, and its error is raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def reorder(ids: Sequence[int], scores: Sequence[float], weight: float) -> list[int]:
    """``ids``, best first, in the order that their old ranks and their ranks by ``scores`` give together.

    Scores of a cross-encoder do not compare with others, so ranks from 1 are joined: (1 - weight) / (10 + old rank) +
    weight / (10 + rank by score). Weight 0 leaves the order, 1 is the cross-encoder's alone; between equals it decides.

    >>> reorder([7, 8, 9], [0.1, 0.2, 0.9], 1.0)
    [9, 8, 7]
    """
    judged = sorted(range(len(ids)), key=lambda at: -scores[at])
    rank = {at: place for place, at in enumerate(judged, start=1)}

    def worth(at: int) -> float:
        return (1 - weight) / (FIRST_RANKS + at + 1) + weight / (FIRST_RANKS + rank[at])

    return [ids[at] for at in sorted(judged, key=worth, reverse=True)]
