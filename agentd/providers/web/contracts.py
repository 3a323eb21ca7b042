"""What the parts of the web hand to each other, and to those who ask them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from agentd.kernels.web_messages import PagePassage

if TYPE_CHECKING:
    from agentd.kernels.web_messages import (
        RobotsRequest,
        RobotsVerdict,
        WebPage,
        WebPageRequest,
        WebRankRequest,
        WebRankResult,
    )
    from agentd.providers.contracts import Outgoing

PROVIDER = "web"
"""As the gate and its log call whoever serves a page."""


class SearchHit(Struct, frozen=True):
    """One result of a search of the web; ``extract`` is what the search says of it."""

    url: str
    title: str
    extract: str


class SearchResult(Struct, frozen=True):
    """What a search found, best first. ``problems`` say in sentences what is missing from it."""

    hits: list[SearchHit]
    problems: list[str] = []


class WebSearch(Protocol):
    """Something that searches the web."""

    async def search(self, query: str, count: int, outgoing: Outgoing) -> SearchResult:
        """At most ``count`` results for ``query``, which is sent without its secrets.

        Raises:
            EgressError: a root does not allow it.
            WebError: it failed.
        """
        ...


class Page(Struct, frozen=True):
    """A page as text. ``url`` is where it was found in the end, ``asked`` what was asked for.

    ``hash`` is SHA-256 of ``text`` in hexadecimal; ``fetched_at`` is in seconds since the epoch. Lines of ``passages``
    count in ``text``, from 1. ``notes`` are those of the kernel ``web_page``, and ``body_cut``.
    """

    url: str
    asked: str
    title: str
    text: str
    passages: list[PagePassage]
    hash: str
    fetched_at: float
    notes: list[str] = []


class WebPassage(Struct, frozen=True):
    """Lines of a page, exactly as they stand in its text; with ``extract``, what the search said of a page that was not
    read, as its one line. ``score`` compares within one result; ``hash`` is that of the page's whole text.
    """

    url: str
    title: str
    text: str
    start_line: int
    end_line: int
    context: str
    score: float
    hash: str
    extract: bool = False


Stage = Literal["search", "fetch", "rank"]
State = Literal["ok", "partial", "empty", "failed", "timed_out"]


class WebStep(Struct, frozen=True):
    """How a stage fared: ``found`` counts results, pages or passages; ``reason`` says why it is not ``ok``."""

    stage: Stage
    state: State
    milliseconds: float
    found: int
    reason: str = ""


class WebResult(Struct, frozen=True):
    """Passages, best first, and how they were come by. Whoever wrote them is a stranger: they are data, never told what
    to do by.
    """

    passages: list[WebPassage]
    pages: list[Page]
    steps: list[WebStep]
    problems: list[str]
    untrusted: Literal[True] = True


class WebRetriever(Protocol):
    """Passages of the web for a question."""

    async def retrieve(self, query: str, outgoing: Outgoing, deadline: float) -> WebResult:
        """What is found by ``deadline``, a time of ``time.monotonic``.

        Raises:
            EgressError: a root does not allow it.
            WebError: nothing could be searched.
        """
        ...


class Workers(Protocol):
    """The kernels of the web, run by whoever has a pool. Each may raise ComputeError or BusyError."""

    async def read_page(self, request: WebPageRequest) -> WebPage:
        """``WEB_PAGE``."""
        ...

    async def score(self, request: WebRankRequest) -> WebRankResult:
        """``WEB_RANK``."""
        ...

    async def judge_robots(self, request: RobotsRequest) -> RobotsVerdict:
        """``ROBOTS``."""
        ...


class WebCache(Protocol):
    """Keeps bytes for a time, by kind and key."""

    async def get(self, kind: str, key: bytes) -> bytes | None:
        """What was put, unless its time is over."""
        ...

    async def put(self, kind: str, key: bytes, value: bytes, seconds: float) -> None:
        """Keep ``value`` for ``seconds``."""
        ...
