"""The hits of a search as they are chosen, and what was left out on the way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import UNSET

from agentd.retrieval.lists import place
from agentd.retrieval.packing import select
from agentd.retrieval.passages import Passage
from agentd.retrieval.results import Explanation, Hit, Why
from agentd.retrieval.verification import OnDisk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.retrieval.analysis import Analysis
    from agentd.retrieval.lists import Lists
    from agentd.retrieval.ranker import Ranking
    from agentd.retrieval.results import SearchQuery
    from agentd.retrieval.verdict import Verdict
    from agentd.storage.rows import HitRow


class Chosen:
    """Passages chosen so far, best first."""

    def __init__(
        self, query: SearchQuery, analysis: Analysis, lists: Lists, ranking: Ranking | None, verdict: Verdict
    ) -> None:
        self.lists = lists
        self.verdict = verdict
        self.passages: list[Passage] = []
        self.changed: set[str] = set()
        """Files (absolute) that are not as they were when they were read."""
        self._query = query
        self._analysis = analysis
        self._ranking = ranking
        self._gone: set[str] = set()
        self._stale = 0
        self._unknown = 0

    @property
    def filled(self) -> bool:
        """Whether there are as many as the answer can hold."""
        return len(select(self.passages, self._query).passages) >= self._query.limit

    def take(self, page: Sequence[tuple[int, float]], rows: dict[int, HitRow], disk: dict[str, OnDisk]) -> None:
        """Take what may be shown of a page; a chunk without a row changed since the views were searched."""
        for chunk_id, score in page:
            row = rows.get(chunk_id)
            if row is not None:
                self._consider(row, score, disk[absolute(row)])

    def _consider(self, row: HitRow, score: float, state: OnDisk) -> None:
        if state in {OnDisk.CHANGED, OnDisk.GONE}:
            self.changed.add(absolute(row))
        if state is OnDisk.GONE:
            self._gone.add(absolute(row))
            return
        self._stale += state is OnDisk.CHANGED
        self._unknown += state is OnDisk.UNKNOWN
        hit = self._hit(row, score, state)
        self.passages.append(Passage(hit, (row.chunk_id,), row.document_id, row.start_byte, row.end_byte))

    def _hit(self, row: HitRow, score: float, state: OnDisk) -> Hit:
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
            stale=state is not OnDisk.SAME,
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

    @property
    def doubts(self) -> list[str]:
        """Hits that may not be what is on disk."""
        found = []
        if self._stale:
            found.append(
                f"{self._stale} hits are of files that changed and are not read again yet: they are marked stale"
            )
        if self._unknown:
            found.append(f"{self._unknown} hits could not be compared with the disk in time: they are marked stale")
        return found

    def skipped(self) -> list[str]:
        """Hits left out because their file is gone."""
        return [f"{len(self._gone)} files are gone from disk; their hits are left out"] if self._gone else []


def absolute(row: HitRow) -> str:
    """Absolute path of the row's file."""
    return os.path.join(row.root_path, row.path)
