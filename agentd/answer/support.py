"""Sentences judged against what they cite, in the interactive lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.answer.contracts import Support
from agentd.compute.pool import Lane, Priority
from agentd.kernels.messages import SupportRequest
from agentd.kernels.registry import SUPPORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.compute.pool import Pool

TOO_FAR = "what is cited is about something else"


class EmbeddingSupport:
    """A sentence is supported when its numbers, names and quotations stand in what it cites, nothing there says the
    opposite, and it is as near as ``least`` (0 to 1) by meaning and words. Satisfies SupportChecker.
    """

    def __init__(self, pool: Pool, directory: str, max_tokens: int, least: float) -> None:
        self.least = least
        self._pool = pool
        self._directory = directory
        self._max_tokens = max_tokens

    async def check(self, sentence: str, spans: Sequence[str]) -> Support:
        """See SupportChecker.

        Raises:
            ComputeError: no worker could judge it.
        """
        request = SupportRequest(self._directory, sentence, list(spans), self._max_tokens)
        # Whoever searches comes first: a judgement is shown after the answer was read.
        result = await self._pool.run(SUPPORT, request, lane=Lane.INTERACTIVE, priority=Priority.RERANK)
        far = [TOO_FAR] if result.score < self.least else []
        reasons = (*result.reasons, *far)
        return Support(not reasons, result.score, reasons)
