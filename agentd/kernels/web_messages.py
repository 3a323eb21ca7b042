"""What the kernels of the web are asked, and what they answer. Light, as ``messages`` is."""

from __future__ import annotations

from msgspec import Struct


class WebPageRequest(Struct, frozen=True):
    """Read what a server of the web sent as ``content_type`` (the header's value, parameters and all)."""

    body: bytes
    content_type: str
    max_chars: int = 400_000
    passage_chars: int = 1200


class PagePassage(Struct, frozen=True, array_like=True, gc=False):
    """Lines of a page's text, from 1, both ends included, and the headings that they stand under, joined by `` > ``."""

    start_line: int
    end_line: int
    context: str = ""


class WebPage(Struct, frozen=True):
    """A page as a reader sees it, without what stands on every page of its site.

    ``notes`` say what was cut or guessed: ``encoding:cp1252``, ``text_cut``, ``time_cut``, ``pages_cut``,
    ``pages_damaged``. A ``problem`` says why there is no text, and then there is nothing else.
    """

    title: str = ""
    text: str = ""
    passages: list[PagePassage] = []
    notes: list[str] = []
    problem: str = ""


class WebRankRequest(Struct, frozen=True):
    """Score ``texts`` by the words of ``query``."""

    query: str
    texts: list[str]


class WebRankResult(Struct, frozen=True):
    """A BM25 score for each text, 0 for one that has no word of the query; they compare for this query alone."""

    scores: list[float]


class RobotsRequest(Struct, frozen=True):
    """Ask a ``robots.txt`` whether ``agent`` may fetch ``path`` (with its query, as sent)."""

    body: bytes
    agent: str
    path: str


class RobotsVerdict(Struct, frozen=True):
    """Whether it may; ``rule`` is the line that decided, empty where none did."""

    allowed: bool
    rule: str = ""
