"""One page, read for what it says about a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentd.providers.web.ranking import MAX_PASSAGES, MAX_RANKED, passages_of, rank

if TYPE_CHECKING:
    from agentd.providers.contracts import Outgoing
    from agentd.providers.web.contracts import Page, WebPassage, Workers
    from agentd.providers.web.fetch import PageFetcher

RANK_SECONDS = 2.0
"""Some 10 ms of work, behind whatever else the lane has to do."""

_NOTES = {
    "body_cut": "the page is longer than web.max_page_bytes; its end was not read",
    "text_cut": "the page is very long; its end was not read",
    "time_cut": "the page took too long to read; its end is missing",
    "pages_cut": "the document has many pages; the last ones were not read",
    "pages_damaged": "some pages of the document are damaged, and missing",
}


class ReadPage(NamedTuple):
    """A page and its passages: best first for the query, or as they stand there. ``problems`` say what is missing."""

    page: Page
    passages: list[WebPassage]
    problems: list[str]


class PageReader:
    """Reads pages, one at a time for whoever asks."""

    def __init__(self, fetcher: PageFetcher, workers: Workers) -> None:
        self._fetcher = fetcher
        self._workers = workers

    async def read(self, url: str, query: str, outgoing: Outgoing) -> ReadPage:
        """What the page at ``url`` says about ``query``; all that it says where there is none, or it has no word of it.

        Raises:
            See ``PageFetcher.fetch``.
        """
        page = await self._fetcher.fetch(url, outgoing)
        problems = [_NOTES[note] for note in page.notes if note in _NOTES]
        passages = passages_of(page, MAX_RANKED)
        if not query.strip():
            return ReadPage(page, passages, problems)
        best, problem = await rank(self._workers, query, passages, RANK_SECONDS, of_a_page=MAX_PASSAGES)
        if not best and passages:
            problem = "the page has no word of the query; its passages are given as they stand in it"
        return ReadPage(page, best or passages, [*problems, *([problem] if problem else [])])
