"""Shapes of questions, answers and their citations."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class AskOptions(TypedDict, total=False):
    """What ``ask`` takes beside ``question``; what is left out is the daemon's to choose.

    ``roots`` are absolute paths (none given: all), ``limit`` counts the passages that the answer is made from,
    ``max_tokens`` bounds what a model writes.
    """

    roots: list[str]
    web: bool
    limit: int
    max_tokens: int
    deadline_ms: int


class SourceStatus(TypedDict):
    """How one of the sources (``documents``, ``graph``, ``web``) fared; ``reason`` says why it is not ``ok``."""

    state: Literal["ok", "empty", "failed", "timed_out", "off"]
    milliseconds: float
    found: int
    reason: str


class Citation(TypedDict):
    """What the number ``n`` in an answer stands for: ``path`` and ``root`` of a file, or the ``url`` of a page.

    ``hash`` is that of exactly ``text``. ``supported`` is false where a sentence that cites it is not supported by it,
    and missing where that could not be judged. Lines of a page count in the text that was extracted from it.
    """

    n: int
    source: Literal["documents", "graph", "web"]
    path: NotRequired[str]
    root: NotRequired[str]
    url: NotRequired[str]
    title: NotRequired[str]
    symbol: NotRequired[str]
    start_line: int
    end_line: int
    hash: str
    text: str
    supported: NotRequired[bool]


class Claim(TypedDict):
    """A sentence of a generated answer, the numbers that it cites, and whether what they stand for supports it: None
    where that could not be judged. ``reasons`` say what is missing.
    """

    text: str
    citations: list[int]
    supported: bool | None
    reasons: list[str]


class Usage(TypedDict):
    """Tokens; ``counted`` says whether the servers counted them."""

    input_tokens: int
    output_tokens: int
    counted: bool


class Answered(TypedDict):
    """Answer to ``ask`` and ``answer.get``. ``at`` is in seconds since the epoch, ``timings`` are in milliseconds.

    An ``extractive`` answer is made of passages as they stand, because no ``model`` wrote one; ``degraded`` says why.
    """

    id: str
    at: float
    question: str
    answer: str
    mode: Literal["generated", "extractive"]
    model: str
    citations: list[Citation]
    claims: list[Claim]
    sources: dict[str, SourceStatus]
    degraded: list[str]
    timings: dict[str, float]
    usage: Usage
    roots: list[str]


class Verified(TypedDict):
    """A citation compared with the disk now: ``current`` (at other lines, if it ``moved``), ``changed``, ``gone``, or
    ``unchecked``, as pages of the web are. The lines are where the text stands now.
    """

    n: int
    state: Literal["current", "changed", "gone", "unchecked"]
    moved: bool
    path: NotRequired[str]
    url: NotRequired[str]
    start_line: int
    end_line: int
    hash: str


class Verification(TypedDict):
    """Answer to ``answer.verify``: every citation, and whether each is still there."""

    id: str
    question: str
    at: float
    current: bool
    citations: list[Verified]


class AnswerHead(TypedDict):
    """An answer in a list."""

    id: str
    at: float
    mode: Literal["generated", "extractive"]
    question: str


class AnswerList(TypedDict):
    """Answers, the newest first; ``next`` goes into ``before`` for the next page, None at the end."""

    answers: list[AnswerHead]
    total: int
    next: str | None
