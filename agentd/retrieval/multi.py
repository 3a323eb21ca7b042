"""Several queries in one call: asked at once, their rankings fused, each passage once."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from agentd.errors import AgentdError
from agentd.retrieval.fusion import reciprocal_rank_fusion
from agentd.retrieval.passages import Found
from agentd.retrieval.results import FoundBy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.config.settings import SearchSettings
    from agentd.retrieval.packer import Packer
    from agentd.retrieval.passages import Passage
    from agentd.retrieval.results import SearchQuery, SearchResult

FIRST_WEIGHT = 2.0
"""The first query is what is asked, the others say it in other words: it counts double."""

NAMED_CHARS = 40
"""Of a query that failed, as it is named in the answer."""


class Finder(Protocol):
    """One query's search, as far as finding."""

    settings: SearchSettings

    async def find(self, query: SearchQuery) -> Found:
        """The passages that fit ``query``, best first. Raises AgentdError where nothing could be searched."""


class MultiSearcher:
    """Answers one query, or several as one. Their number, which the protocol bounds, bounds what runs at once."""

    def __init__(self, finder: Finder, packer: Packer) -> None:
        self._finder = finder
        self._packer = packer

    async def search(self, queries: Sequence[SearchQuery]) -> SearchResult:
        """The passages that fit ``queries``, of which the first says how the answer is packed and how long it may take.

        Raises:
            AgentdError: every query failed; this is what the first one failed with.
        """
        began = time.monotonic()
        found = await (self._find_all(queries) if len(queries) > 1 else self._finder.find(queries[0]))
        return await self._packer.answer(found, queries[0], began)

    async def _find_all(self, queries: Sequence[SearchQuery]) -> Found:
        outcomes = await asyncio.gather(*(self._find(query) for query in queries))
        failed = {number: outcome for number, outcome in enumerate(outcomes) if isinstance(outcome, AgentdError)}
        if len(failed) == len(outcomes):
            raise failed[0]
        founds = [outcome if isinstance(outcome, Found) else None for outcome in outcomes]
        problems = [f"{named(number, queries[number])}: {error.message}" for number, error in failed.items()]
        return fuse(founds, self._finder.settings.rrf_k, problems)

    async def _find(self, query: SearchQuery) -> Found | AgentdError:
        try:
            return await self._finder.find(query)
        except AgentdError as error:
            return error


def fuse(founds: Sequence[Found | None], rrf_k: int, problems: Sequence[str] = ()) -> Found:
    """What several queries found as one ranking, by weighted reciprocal rank; None stands for one that failed.

    A passage that several found is as the one that ranks it best has it, with the score of the fusion, and says in
    ``queries`` who found it.
    """
    rankings = [
        (FIRST_WEIGHT if number == 0 else 1.0, [passage.chunk_ids[0] for passage in found.passages] if found else [])
        for number, found in enumerate(founds)
    ]
    best, found_by = who_found(founds)
    passages = [
        replace(best[chunk], hit=replace(best[chunk].hit, score=round(score, 6), queries=found_by[chunk]))
        for chunk, score in reciprocal_rank_fusion(rankings, rrf_k)
    ]
    there = [found for found in founds if found]
    return Found(
        passages=passages,
        total=max(len(passages), *(found.total for found in there)),
        generation=max(found.generation for found in there),
        complete=not problems and all(found.complete for found in there),
        degraded=[*problems, *distinct(found.degraded for found in there)],
        skipped=distinct(found.skipped for found in there),
        cut=distinct(found.cut for found in there),
        relevance=max((found.relevance for found in there if found.relevance is not None), default=None),
    )


def who_found(founds: Sequence[Found | None]) -> tuple[dict[int, Passage], dict[int, list[FoundBy]]]:
    """By chunk: the passage of the query that ranks it best (the first of equals), and all that found it."""
    best: dict[int, tuple[int, Passage]] = {}
    found_by: defaultdict[int, list[FoundBy]] = defaultdict(list)
    for number, found in enumerate(founds):
        for rank, passage in enumerate(found.passages if found else [], start=1):
            chunk = passage.chunk_ids[0]
            found_by[chunk].append(FoundBy(number, rank))
            if chunk not in best or rank < best[chunk][0]:
                best[chunk] = rank, passage
    return {chunk: passage for chunk, (_, passage) in best.items()}, found_by


def distinct(lists: Iterable[Sequence[str]]) -> list[str]:
    """What they say, each sentence once, in the order in which it was first said."""
    return list(dict.fromkeys(sentence for sentences in lists for sentence in sentences))


def named(number: int, query: SearchQuery) -> str:
    """A query as people count: ``query 2 (retry policy)``."""
    text = query.text if len(query.text) <= NAMED_CHARS else f"{query.text[:NAMED_CHARS]}…"
    return f"query {number + 1} ({text})"
