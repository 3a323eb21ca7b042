"""The search pipeline."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Protocol

import structlog
from msgspec import UNSET, Struct

from agentd.errors import AgentdError, DeadlineError
from agentd.retrieval.analysis import weights
from agentd.retrieval.fusion import reciprocal_rank_fusion
from agentd.retrieval.results import Hit, SearchResult, Why
from agentd.retrieval.retrievers import Ranked
from agentd.retrieval.verification import OnDisk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.config.settings import SearchSettings
    from agentd.observability.metrics import Metrics
    from agentd.retrieval.results import SearchQuery
    from agentd.retrieval.retrievers import Retriever
    from agentd.retrieval.verification import Verifier
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.rows import HitRow

log = structlog.get_logger(__name__)

ROWS_PAGE = 32
"""Rows fetched and verified at a time, until the limit is filled."""


class IndexState(Protocol):
    """What a search needs to know of the index, and to ask of it."""

    def unfinished(self, *, vectors: bool) -> list[str]:
        """Why results may be incomplete, in words, with or without the vectors; empty when everything is indexed."""

    async def refresh(self, paths: Iterable[str], within: float) -> bool:
        """Read these files (absolute) again at once; True when searches see them as they are now."""


class Lists(Struct, frozen=True):
    """What the retrievers gave, and why one of them gave nothing."""

    keyword: Ranked
    vector: Ranked
    degraded: list[str]


class Searcher:
    """Answers searches: retrieve in parallel, fuse, fetch, verify; once more where files had changed."""

    def __init__(
        self,
        catalogue: Catalogue,
        keyword: Retriever,
        verifier: Verifier,
        index: IndexState,
        settings: SearchSettings,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.vector: Retriever | None = None
        self.vector_problem = "vectors are switched off (embedding.enabled)"
        self._catalogue = catalogue
        self._keyword = keyword
        self._verifier = verifier
        self._index = index
        self._metrics = metrics

    async def search(self, query: SearchQuery) -> SearchResult:
        """Answer within the query's deadline with what is ready by then.

        Raises:
            DeadlineError: no retriever answered in time.
        """
        began = time.monotonic()
        deadline = began + query.deadline_seconds
        lists = await self._retrieve(query, deadline)
        chosen = await self._choose(query, lists, deadline)
        if chosen.changed and await self._index.refresh(chosen.changed, self._patience(deadline)):
            lists = await self._retrieve(query, deadline)
            chosen = await self._choose(query, lists, deadline)
        return self._result(query, lists, chosen, began)

    def _patience(self, deadline: float) -> float:
        return max(0.0, min(self.settings.verify_milliseconds / 1000, deadline - time.monotonic()))

    async def _retrieve(self, query: SearchQuery, deadline: float) -> Lists:
        """Both lists, each on its own: one that fails or is late is named, and the other stands."""
        worth = weights(query)
        keyword, vector = await asyncio.gather(
            self._one("keyword", self._keyword if worth.keyword else None, query, deadline),
            self._one("vector", self.vector if worth.vector else None, query, deadline),
        )
        degraded = [problem for _, problem in (keyword, vector) if problem]
        if worth.vector and self.vector is None:
            degraded.append(f"vector: {self.vector_problem}")
        if any("deadline" in problem for problem in degraded) and not keyword[0] and not vector[0]:
            raise DeadlineError(
                f"nothing was found within {query.deadline_seconds * 1000:.0f} ms; ask again with a longer deadline_ms"
            )
        return Lists(keyword[0], vector[0], degraded)

    async def _one(
        self, name: str, retriever: Retriever | None, query: SearchQuery, deadline: float
    ) -> tuple[Ranked, str]:
        if retriever is None:
            return [], ""
        limit = max(self.settings.candidates, query.limit * 2)
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, deadline - began)):
                return await retriever.retrieve(query.text, query.filter, limit), ""
        except TimeoutError:
            return [], f"{name}: not ready before the deadline"
        except AgentdError as error:
            log.warning("retriever_failed", retriever=name, kind=error.kind, error=str(error))
            return [], f"{name}: {error.message}"
        finally:
            self._metrics.histogram("search_stage_ms", stage=name).observe(1000 * (time.monotonic() - began))

    async def _choose(self, query: SearchQuery, lists: Lists, deadline: float) -> Chosen:
        """Walk down the fused ranking until the limit is filled with hits whose files are still there."""
        worth = weights(query)
        ranking = reciprocal_rank_fusion(
            [
                (worth.keyword, [chunk_id for chunk_id, _ in lists.keyword]),
                (worth.vector, [chunk_id for chunk_id, _ in lists.vector]),
            ],
            self.settings.rrf_k,
        )
        chosen = Chosen(query, len(ranking))
        for start in range(0, len(ranking), ROWS_PAGE):
            page = ranking[start : start + ROWS_PAGE]
            rows = await self._catalogue.passages.hits([chunk_id for chunk_id, _ in page])
            disk = await self._verifier.verify(
                {absolute(row): row.signature for row in rows.values()}, self._patience(deadline)
            )
            if chosen.take(page, rows, disk):
                break
        return chosen

    def _result(self, query: SearchQuery, lists: Lists, chosen: Chosen, began: float) -> SearchResult:
        unfinished = self._index.unfinished(vectors=weights(query).vector > 0)
        return SearchResult(
            hits=[hit(row, score, state, lists, explain=query.explain) for row, score, state in chosen.taken],
            total=chosen.total,
            generation=self._catalogue.feed.changed.value,
            complete=not (unfinished or lists.degraded or chosen.doubts),
            degraded=[*lists.degraded, *unfinished, *chosen.doubts],
            skipped=chosen.skipped(),
            cut=chosen.cut(),
            took_ms=round((time.monotonic() - began) * 1000, 3),
        )


class Chosen:
    """The hits chosen so far, and what was left out on the way."""

    def __init__(self, query: SearchQuery, total: int) -> None:
        self.total = total
        self.taken: list[tuple[HitRow, float, OnDisk]] = []
        self.changed: set[str] = set()
        self._query = query
        self._per_file: Counter[int] = Counter()
        self._gone: set[str] = set()
        self._crowded = 0

    def take(self, page: Sequence[tuple[int, float]], rows: dict[int, HitRow], disk: dict[str, OnDisk]) -> bool:
        """Take what may be shown of a page; True when the limit is filled."""
        for chunk_id, score in page:
            row = rows.get(chunk_id)
            if row is None:  # its document changed since the views were searched
                continue
            if len(self.taken) == self._query.limit:
                return True
            self._consider(row, score, disk[absolute(row)])
        return len(self.taken) == self._query.limit

    def _consider(self, row: HitRow, score: float, state: OnDisk) -> None:
        if state in {OnDisk.CHANGED, OnDisk.GONE}:
            self.changed.add(absolute(row))
        if state is OnDisk.GONE:
            self._gone.add(absolute(row))
            return
        if self._query.max_per_file and self._per_file[row.document_id] >= self._query.max_per_file:
            self._crowded += 1
            return
        self._per_file[row.document_id] += 1
        self.taken.append((row, score, state))

    @property
    def doubts(self) -> list[str]:
        """Hits that may not be what is on disk."""
        stale = sum(state is OnDisk.CHANGED for _, _, state in self.taken)
        unknown = sum(state is OnDisk.UNKNOWN for _, _, state in self.taken)
        found = []
        if stale:
            found.append(f"{stale} hits are of files that changed and are not read again yet: they are marked stale")
        if unknown:
            found.append(f"{unknown} hits could not be compared with the disk in time: they are marked stale")
        return found

    def skipped(self) -> list[str]:
        """Hits left out because their file is gone."""
        return [f"{len(self._gone)} files are gone from disk; their hits are left out"] if self._gone else []

    def cut(self) -> list[str]:
        """Hits left out by the query's own bounds."""
        return [f"{self._crowded} hits beyond {self._query.max_per_file} of one file"] if self._crowded else []


def absolute(row: HitRow) -> str:
    """Absolute path of the row's file."""
    return os.path.join(row.root_path, row.path)


def hit(row: HitRow, score: float, state: OnDisk, lists: Lists, *, explain: bool) -> Hit:
    """The row as a hit."""
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
        why=why(row.chunk_id, lists) if explain else UNSET,
    )


def why(chunk_id: int, lists: Lists) -> Why:
    """Where each list held the chunk."""
    keyword_rank, keyword_score = place(chunk_id, lists.keyword)
    vector_rank, vector_score = place(chunk_id, lists.vector)
    return Why(keyword_rank, keyword_score, vector_rank, vector_score)


def place(chunk_id: int, ranked: Ranked) -> tuple[int | None, float | None]:
    """(rank from 1, score) of a chunk in a list, or Nones."""
    for rank, (identity, score) in enumerate(ranked, start=1):
        if identity == chunk_id:
            return rank, round(score, 6)
    return None, None
