"""The hits of a search as they are chosen, and what was left out on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from agentd.retrieval.entries import absolute
from agentd.retrieval.freshness import Disk
from agentd.retrieval.lists import place
from agentd.retrieval.packing import select
from agentd.retrieval.passages import Passage
from agentd.retrieval.results import Explanation, Hit, Why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentd.retrieval.analysis import Analysis
    from agentd.retrieval.lists import Lists
    from agentd.retrieval.ranker import Ranking
    from agentd.retrieval.results import SearchQuery
    from agentd.retrieval.verdict import Verdict
    from agentd.retrieval.verification import OnDisk
    from agentd.storage.rows import HitRow


class Chosen:
    """Passages chosen so far, best first."""

    def __init__(
        self, query: SearchQuery, analysis: Analysis, lists: Lists, ranking: Ranking | None, verdict: Verdict
    ) -> None:
        self.lists = lists
        self.verdict = verdict
        self.passages: list[Passage] = []
        self.below = 0
        """Hits that score too little to be shown."""
        self.disk = Disk({})
        """The files behind what was considered."""
        self._query = query
        self._analysis = analysis
        self._ranking = ranking

    @property
    def filled(self) -> bool:
        """Whether there are as many as the answer can hold."""
        limit = self._query.limit  # packing makes fewer of them, never more
        return len(self.passages) >= limit and len(select(self.passages, self._query).passages) >= limit

    def take(self, page: Sequence[tuple[int, float]], rows: dict[int, HitRow], states: Mapping[str, OnDisk]) -> None:
        """Take what may be shown of a page, whose files are in these ``states``.

        A chunk without a row changed since the views were searched.
        """
        self.disk = self.disk.and_of(states)
        for chunk_id, score in page:
            row = rows.get(chunk_id)
            if row is not None and self.disk.has(absolute(row)):
                hit = self._hit(row, score)
                self.passages.append(Passage(hit, (row.chunk_id,), row.document_id, row.start_byte, row.end_byte))

    def _hit(self, row: HitRow, score: float) -> Hit:
        return Hit(
            path=absolute(row),
            root=row.root_path,
            start_line=row.start_line,
            end_line=row.end_line,
            language=row.language,
            kind=row.kind,
            symbol=row.symbol,
            context=row.context,
            score=round(score, 6),
            text=row.text,
            stale=self.disk.stale(absolute(row)),
            confidence=self.verdict.confidence or UNSET,
            why=self._why(row.chunk_id) if self._query.explain else UNSET,
        )

    def _why(self, chunk_id: int) -> Why:
        """Where each list held the chunk, and what the scorer saw."""
        keyword_rank, keyword_score = place(chunk_id, self.lists.keyword)
        vector_rank, vector_score = place(chunk_id, self.lists.vector)
        features = self._ranking.features(chunk_id) if self._ranking else {}
        return Why(keyword_rank, keyword_score, vector_rank, vector_score, features)

    def explanation(self) -> Explanation:
        """What was made of the query, and what each feature weighs."""
        result = self._ranking.result if self._ranking else None
        analysis = self._analysis
        return Explanation(
            query_type=analysis.type,
            names=list(analysis.names),
            paths=list(analysis.paths),
            weights=dict(zip(result.names, result.weights, strict=True)) if result else {},
            evidence={name: round(value, 4) for name, value in result.evidence.items()} if result else {},
        )
