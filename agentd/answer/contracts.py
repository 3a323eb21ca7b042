"""What the parts of the ask pipeline hand to each other, and what they need of others."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from agentd.domain import Filter
from agentd.providers.contracts import Usage
from agentd.retrieval.analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Sequence


class SourceName(StrEnum):
    """Where passages come from."""

    DOCUMENTS = "documents"
    GRAPH = "graph"
    WEB = "web"


class Passage(Struct, frozen=True, kw_only=True):
    """Text that an answer may rest on, exactly as it stands at its source.

    ``path`` is absolute and ``root`` the root that holds it; both are empty for a page of the web, which has a ``url``.
    Lines count from 1, both ends included; those of a page count in its extracted text. ``score`` compares within one
    source. ``about`` says why it is here, as in ``calls Session.get``.
    """

    source: SourceName
    text: str
    start_line: int
    end_line: int
    path: str = ""
    root: str = ""
    url: str = ""
    title: str = ""
    language: str = ""
    symbol: str = ""
    context: str = ""
    about: str = ""
    score: float = 0.0
    stale: bool = False

    @property
    def place(self) -> str:
        """Path or address."""
        return self.path or self.url


class Question(Struct, frozen=True):
    """What is asked, of which roots (absolute paths, every one that may be read), and taken apart.

    ``only`` restricts searches to the same roots; ``deadline`` is a time of ``time.monotonic``.
    """

    text: str
    roots: frozenset[str]
    only: Filter
    analysis: Analysis
    passages: int
    deadline: float


class Retrieved(Struct, frozen=True):
    """Passages of one source, best first; ``problems`` say in sentences what is missing, ``usage`` is what models that
    helped to find them took.
    """

    passages: list[Passage]
    problems: list[str] = []
    usage: Usage = Usage()


class SourceStatus(Struct, frozen=True):
    """How a source fared. ``reason`` says why it is not ``ok``; empty where there is nothing to say."""

    state: Literal["ok", "empty", "failed", "timed_out", "off"]
    milliseconds: float
    found: int
    reason: str = ""


class Source(Protocol):
    """One place to retrieve passages from."""

    async def retrieve(self, question: Question) -> Retrieved:
        """Its passages for ``question``.

        Raises:
            AgentdError: it failed; the answer is made from the other sources.
        """
        ...


class Off(Struct, frozen=True):
    """A source that is not asked, and why."""

    reason: str


class Support(Struct, frozen=True):
    """Whether a sentence is supported by what it cites; ``score`` is 0 to 1, ``reasons`` name what is missing."""

    supported: bool
    score: float
    reasons: tuple[str, ...] = ()


class SupportChecker(Protocol):
    """Judges sentences against the text that they cite; ``least`` is the score that counts as support, 0 to 1."""

    least: float

    async def check(self, sentence: str, spans: Sequence[str]) -> Support:
        """Whether ``spans`` together support ``sentence``, whose citation marks were taken out.

        Raises:
            AgentdError: it cannot be judged now.
        """
        ...


class Extract(Struct, frozen=True):
    """An answer in words of its sources alone: ``text`` cites each of ``passages`` by its place from 1, ``[1]``."""

    text: str
    passages: list[Passage]


class Extractor(Protocol):
    """Answers without a model."""

    async def extract(self, question: str, passages: Sequence[Passage]) -> Extract:
        """The parts of ``passages`` (best first, not empty) that answer best; spans may be narrowed, never widened."""
        ...


class Standing(StrEnum):
    """How cited text compares with its source now. ``UNCHECKED`` is the web's: pages are not fetched again."""

    CURRENT = "current"
    MOVED = "moved"
    CHANGED = "changed"
    GONE = "gone"
    UNCHECKED = "unchecked"


class Ground(Struct, frozen=True):
    """A cited text compared with the disk; the lines are where it stands now."""

    standing: Standing
    start_line: int
    end_line: int
