"""The three sources of an answer: ranked search, the graph around what is named, the web."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from agentd.answer.contracts import Passage, Retrieved, SourceName
from agentd.answer.expansion import Expansion, by_rule
from agentd.answer.merge import RRF_K, overlap
from agentd.providers.contracts import Outgoing
from agentd.retrieval.entries import absolute
from agentd.retrieval.results import SearchQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.answer.contracts import Question
    from agentd.domain import Filter
    from agentd.providers.web.contracts import WebPassage, WebRetriever
    from agentd.retrieval.analysis import Analysis
    from agentd.retrieval.neighbourhood import Neighbour
    from agentd.retrieval.results import Hit, SearchResult

MAX_PER_FILE = 3
SPARE = 2
"""Passages that each source gives for one that the answer shows: what others found too takes one place."""


class Searches(Protocol):
    """Who searches for several queries as one."""

    async def search(self, queries: Sequence[SearchQuery]) -> SearchResult:
        """The passages that fit. Raises AgentdError where nothing could be searched."""
        ...


class Expands(Protocol):
    """Who says a question in other words."""

    async def expand(self, question: Question) -> Expansion:
        """Other queries; never raises."""
        ...


class Around(Protocol):
    """Who knows what is around a name in the graph."""

    async def around(
        self, analysis: Analysis, only: Filter, limit: int, deadline: float
    ) -> tuple[list[Neighbour], int]:
        """Passages, and how many are stale or gone."""
        ...


class Documents:
    """Search, with other words for the question where a model gives them while the first search runs."""

    def __init__(self, searches: Searches, expander: Expands | None = None) -> None:
        self._searches = searches
        self._expander = expander

    async def retrieve(self, question: Question) -> Retrieved:
        """See Source."""
        asked, *by_rules = by_rule(question)
        if self._expander is None:
            found = await self._search([asked, *by_rules], question)
            return Retrieved(passages_of(found), problems_of(found))
        found, other = await asyncio.gather(self._search([asked], question), self._expander.expand(question))
        problems = [*problems_of(found), *([other.problem] if other.problem else [])]
        passages = passages_of(found)
        queries = other.queries or ([asked, *by_rules] if by_rules else [])  # without its words, as without a model
        if queries and question.deadline > time.monotonic():
            more = await self._search(queries, question)
            passages = fused(passages, passages_of(more)) if other.queries else passages_of(more) or passages
            problems += [each for each in problems_of(more) if each not in problems]
        return Retrieved(passages, problems, other.usage)

    async def _search(self, texts: Sequence[str], question: Question) -> SearchResult:
        seconds = max(0.01, question.deadline - time.monotonic())
        return await self._searches.search(
            [
                SearchQuery(
                    text,
                    limit=question.passages * SPARE,
                    filter=question.only,
                    max_per_file=MAX_PER_FILE,
                    merge=True,
                    deadline_seconds=seconds,
                )
                for text in texts
            ]
        )


def passages_of(found: SearchResult) -> list[Passage]:
    """Hits as passages."""
    return list(map(from_hit, found.hits))


def from_hit(hit: Hit) -> Passage:
    """A hit as a passage."""
    return Passage(
        source=SourceName.DOCUMENTS,
        text=hit.text,
        start_line=hit.start_line,
        end_line=hit.end_line,
        path=hit.path,
        root=hit.root,
        language=hit.language,
        symbol=hit.symbol,
        context=hit.context,
        score=hit.score,
        stale=hit.stale,
    )


def problems_of(found: SearchResult) -> list[str]:
    """What was missing in a search."""
    return [*found.degraded, *found.skipped]


def fused(first: Sequence[Passage], more: Sequence[Passage]) -> list[Passage]:
    """Both lists as one, by reciprocal rank; the first, which has the question itself, counts double."""
    scores: dict[int, float] = {}
    kept: list[Passage] = []
    for weight, passages in ((2.0, first), (1.0, more)):
        for rank, passage in enumerate(passages, start=1):
            same = (at for at, each in enumerate(kept) if each.path == passage.path and overlap(each, passage))
            at = next(same, len(kept))
            if at == len(kept):
                kept.append(passage)
            scores[at] = scores.get(at, 0.0) + weight / (RRF_K + rank)
    return [kept[at] for at in sorted(scores, key=lambda at: -scores[at])]


class GraphSource:
    """Definitions of what the question names, and what is around them."""

    def __init__(self, graph: Around) -> None:
        self._graph = graph

    async def retrieve(self, question: Question) -> Retrieved:
        """See Source."""
        found, doubtful = await self._graph.around(
            question.analysis, question.only, question.passages * SPARE, question.deadline
        )
        problems = [f"{doubtful} passages changed on disk and are not read again yet"] if doubtful else []
        return Retrieved(list(map(from_neighbour, found)), problems)


def from_neighbour(neighbour: Neighbour) -> Passage:
    """A row of the graph as a passage."""
    row = neighbour.row
    return Passage(
        source=SourceName.GRAPH,
        text=row.text,
        start_line=row.start_line,
        end_line=row.end_line,
        path=absolute(row),
        root=row.root_path,
        language=row.language,
        symbol=row.symbol,
        context=row.context,
        about=neighbour.about,
        stale=neighbour.stale,
    )


class Web:
    """The web, asked with the question as it was typed."""

    def __init__(self, retriever: WebRetriever) -> None:
        self._retriever = retriever

    async def retrieve(self, question: Question) -> Retrieved:
        """See Source."""
        found = await self._retriever.retrieve(question.text, Outgoing("web", question.roots), question.deadline)
        return Retrieved([from_page(each) for each in found.passages], list(found.problems))


def from_page(page: WebPassage) -> Passage:
    """A part of a page as a passage."""
    return Passage(
        source=SourceName.WEB,
        text=page.text,
        start_line=page.start_line,
        end_line=page.end_line,
        url=page.url,
        title=page.title,
        score=page.score,
    )
