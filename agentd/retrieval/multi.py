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
    from collections.abc import Mapping, Sequence

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
        outcomes = await asyncio.gather(*map(self._find, queries))
        errors = [outcome for outcome in outcomes if isinstance(outcome, AgentdError)]
        if len(errors) == len(outcomes):
            raise errors[0]
        return fuse(outcomes, [named(*each) for each in enumerate(queries, start=1)], self._finder.settings.rrf_k)

    async def _find(self, query: SearchQuery) -> Found | AgentdError:
        try:
            return await self._finder.find(query)
        except AgentdError as error:
            return error


def fuse(outcomes: Sequence[Found | AgentdError], names: Sequence[str], rrf_k: int) -> Found:
    """What several queries, called ``names``, found as one ranking, by weighted reciprocal rank; one at least did."""
    there = {name: outcome for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, Found)}
    failed = {name: outcome for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, AgentdError)}
    lists = [outcome.passages if isinstance(outcome, Found) else [] for outcome in outcomes]
    passages = fused_passages(lists, rrf_k)
    explanations = [outcome.explanation if isinstance(outcome, Found) else None for outcome in outcomes]
    relevances = [found.relevance for found in there.values() if found.relevance is not None]
    return Found(
        passages=passages,
        total=max(len(passages), *(found.total for found in there.values())),
        generation=max(found.generation for found in there.values()),
        complete=not failed and all(found.complete for found in there.values()),
        degraded=[
            *(f"{name}: {error.message}" for name, error in failed.items()),
            *said_once({name: found.degraded for name, found in there.items()}),
        ],
        skipped=said_once({name: found.skipped for name, found in there.items()}),
        cut=said_once({name: found.cut for name, found in there.items()}),
        relevance=max(relevances, default=None),
        explanations=explanations if any(explanations) else [],
    )


def fused_passages(lists: Sequence[Sequence[Passage]], rrf_k: int) -> list[Passage]:
    """Each passage of ``lists`` once, with the score of the fusion, and in ``queries`` who found it.

    It is as the query has it that ranks it best, the first of equals; it is doubtful only if all that found it say so.
    """
    found: defaultdict[int, list[tuple[FoundBy, Passage]]] = defaultdict(list)
    for number, passages in enumerate(lists):
        for rank, passage in enumerate(passages, start=1):
            found[passage.chunk_ids[0]].append((FoundBy(number, rank), passage))
    weighted = [
        (FIRST_WEIGHT if number == 0 else 1.0, [passage.chunk_ids[0] for passage in passages])
        for number, passages in enumerate(lists)
    ]
    return [fused_passage(found[chunk], score) for chunk, score in reciprocal_rank_fusion(weighted, rrf_k)]


def fused_passage(found: Sequence[tuple[FoundBy, Passage]], score: float) -> Passage:
    """One passage that is in several lists."""
    _, best = min(found, key=lambda each: each[0].rank)
    sure = any(passage.hit.confidence == "high" for _, passage in found)
    hit = replace(
        best.hit,
        score=round(score, 6),
        confidence="high" if sure else best.hit.confidence,
        queries=[found_by for found_by, _ in found],
    )
    return replace(best, hit=hit)


def said_once(sentences: Mapping[str, Sequence[str]]) -> list[str]:
    """What queries (by name) say about their answers: once what all say, with the name what only some do."""
    common = [each for each in next(iter(sentences.values())) if all(each in said for said in sentences.values())]
    own = [f"{name}: {each}" for name, said in sentences.items() for each in said if each not in common]
    return [*common, *own]


def named(number: int, query: SearchQuery) -> str:
    """A query as people count: ``query 2 (retry policy)``."""
    text = query.text if len(query.text) <= NAMED_CHARS else f"{query.text[:NAMED_CHARS]}…"
    return f"query {number} ({text})"
