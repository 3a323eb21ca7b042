"""From what was found to the answer on the wire."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import UNSET

from agentd.observability.metrics import Metrics
from agentd.retrieval.outline import outlined
from agentd.retrieval.packing import pack, select
from agentd.retrieval.results import SearchResult

if TYPE_CHECKING:
    from agentd.retrieval.outline import Outlines
    from agentd.retrieval.passages import Found, Passage
    from agentd.retrieval.results import SearchQuery


class Packer:
    """Packs what was found as the query asks. It reads only where signatures are to stand for the text."""

    def __init__(self, outlines: Outlines, metrics: Metrics | None = None) -> None:
        self._outlines = outlines
        self._took = (metrics or Metrics()).histogram("search_stage_ms", stage="pack")

    async def answer(self, found: Found, query: SearchQuery, began: float) -> SearchResult:
        """The answer to ``query``, which began at ``began`` on the clock of ``time.monotonic``."""
        with self._took.time():
            return await self._answer(found, query, began)

    async def _answer(self, found: Found, query: SearchQuery, began: float) -> SearchResult:
        selection = select(found.passages, query)
        passages = await self._outlined(selection.passages) if query.signatures else selection.passages
        packed = pack(passages, selection.crowded, query)
        return SearchResult(
            hits=[passage.hit for passage in packed.passages],
            total=found.total,
            generation=found.generation,
            complete=found.complete,
            degraded=found.degraded,
            skipped=found.skipped,
            cut=[*found.cut, *packed.cut],
            totals=packed.totals,
            relevance=None if found.relevance is None else round(found.relevance, 4),
            explanation=found.explanation or UNSET,
            explanations=found.explanations or UNSET,
            took_ms=round((time.monotonic() - began) * 1000, 3),
        )

    async def _outlined(self, passages: list[Passage]) -> list[Passage]:
        spans = [(passage.document_id, passage.hit.start_line, passage.hit.end_line) for passage in passages]
        definitions = await self._outlines.overlapping(spans)
        return [outlined(passage, each) for passage, each in zip(passages, definitions, strict=True)]
