"""Passages of the web for a question: searched, fetched in parallel, cut, and ranked by the words of the question.

Whatever fails is named, and what is there at the deadline is used: of a page that could not be read, what the search
said of it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from agentd.errors import AgentdError, EgressError, WebError
from agentd.providers.web.contracts import Page, SearchHit, SearchResult, WebPassage, WebResult, WebStep
from agentd.providers.web.ranking import MAX_RANKED, passages_of, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.config.settings import WebSettings
    from agentd.providers.contracts import Outgoing
    from agentd.providers.web.contracts import Stage, State, WebSearch, Workers
    from agentd.providers.web.fetch import PageFetcher

log = structlog.get_logger(__name__)

EXTRACT_CONTEXT = "as the search describes it"

RANK_SECONDS = 0.25
"""Kept of the time there is for ranking; fetching ends before."""


class SearchingRetriever:
    """The web as :class:`WebRetriever` describes it, by any search and one fetcher."""

    def __init__(self, settings: WebSettings, search: WebSearch, fetcher: PageFetcher, workers: Workers) -> None:
        self._settings = settings
        self._search = search
        self._fetcher = fetcher
        self._workers = workers

    async def retrieve(self, query: str, outgoing: Outgoing, deadline: float) -> WebResult:
        """What is found by ``deadline``, a time of ``time.monotonic``.

        Raises:
            EgressError: a root does not allow it.
            WebError: nothing could be searched.
        """
        began = time.monotonic()
        found = await self._found(query, outgoing, deadline)
        searched = time.monotonic()
        steps = [_step("search", began, len(found.hits), "; ".join(found.problems))]
        pages, failed, late = await self._pages(found.hits[: self._settings.pages], outgoing, deadline - RANK_SECONDS)
        fetched = time.monotonic()
        steps.append(_fetch_step(_since(searched, fetched), len(pages), failed, late))
        passages = _passages(pages) + _extracts(found.hits, pages)
        seconds = max(RANK_SECONDS / 5, deadline - time.monotonic())
        ranked, problem = await rank(self._workers, query, passages, seconds)
        steps.append(_step("rank", fetched, len(ranked), problem))
        problems = [*found.problems, *failed, *([problem] if problem else [])]
        return WebResult(ranked, pages, steps, problems)

    async def _found(self, query: str, outgoing: Outgoing, deadline: float) -> SearchResult:
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await self._search.search(query, self._settings.results, outgoing)
        except TimeoutError as error:
            raise WebError("the search of the web was not ready in time") from error

    async def _pages(
        self, hits: Sequence[SearchHit], outgoing: Outgoing, until: float
    ) -> tuple[list[Page], list[str], int]:
        """Pages in the order of their results, sentences for those that are missing, and how many were late.

        Raises:
            EgressError: the configuration changed meanwhile.
        """
        if not hits:
            return [], [], 0
        tasks = [asyncio.create_task(self._fetcher.fetch(hit.url, outgoing)) for hit in hits]
        try:
            await asyncio.wait(tasks, timeout=max(0.0, until - time.monotonic()))
        finally:
            late = [hit.url for task, hit in zip(tasks, hits, strict=True) if task.cancel()]
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        problems = [f"{url} was not there in time" for url in late]
        pages: list[Page] = []
        for outcome, hit in zip(outcomes, hits, strict=True):
            match outcome:
                case Page():
                    pages.append(outcome)
                case EgressError():
                    raise outcome
                case AgentdError():
                    problems.append(outcome.message)
                case Exception():  # a fault of ours in one page must not cost the others
                    log.error("web_page_broke", exc_info=outcome)
                    problems.append(f"{hit.url} could not be read: internal error ({type(outcome).__name__})")
        return pages, problems, len(late)


def _passages(pages: Sequence[Page]) -> list[WebPassage]:
    share = MAX_RANKED // max(1, len(pages))
    return [passage for page in _distinct(pages) for passage in passages_of(page, share)]


def _distinct(pages: Sequence[Page]) -> list[Page]:
    """Each text once: mirrors, and addresses that lead to the same page."""
    distinct: dict[str, Page] = {}
    for page in pages:
        distinct.setdefault(page.hash, page)
    return list(distinct.values())


def _extracts(hits: Sequence[SearchHit], pages: Sequence[Page]) -> list[WebPassage]:
    read = {page.asked for page in pages} | {page.url for page in pages}
    return [
        WebPassage(hit.url, hit.title, hit.extract, 1, 1, EXTRACT_CONTEXT, 0.0, "", extract=True)
        for hit in hits
        if hit.extract and hit.url not in read
    ]


def _fetch_step(milliseconds: float, found: int, failed: Sequence[str], late: int) -> WebStep:
    reason = "; ".join(failed)
    if not failed:
        return WebStep("fetch", "ok" if found else "empty", milliseconds, found)
    if found:
        return WebStep("fetch", "partial", milliseconds, found, reason)
    return WebStep("fetch", "timed_out" if late == len(failed) else "failed", milliseconds, 0, reason)


def _step(stage: Stage, began: float, found: int, problem: str) -> WebStep:
    state: State = "empty" if not found else "partial" if problem else "ok"
    return WebStep(stage, state, _since(began), found, problem)


def _since(began: float, ended: float | None = None) -> float:
    return round(1000 * ((ended or time.monotonic()) - began), 3)
