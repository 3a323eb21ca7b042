"""A run and its trace as they are kept and sent: field for field the shapes of ``agentd.protocol.agent``.

Times named ``at`` are in seconds since the epoch, those named ``began`` in milliseconds since the run began; durations
are in milliseconds.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from agentd.answer.records import Citation, Claim
from agentd.providers.contracts import Usage

State = Literal["running", "answered", "failed", "cancelled", "interrupted"]
"""``interrupted``: the daemon ended before the run did."""

Mode = Literal["generated", "extractive", "nothing"]
"""Who wrote the answer: the model; nobody, it is an extract of what was found; or there is none (yet)."""

Limit = Literal["", "turns", "tokens", "seconds", "tool_calls", "repetition", "errors"]
"""Which budget ended a run; ``repetition`` and ``errors``: it went in circles, or made nothing but invalid calls."""


class CallRecord(Struct, kw_only=True):
    """One call of a tool. ``input`` is the parsed JSON, or the text that the model wrote where that is none (bounded).

    ``outcome`` and ``kind`` (the error's, else empty) are stable; ``message`` is what the model was told of a failure.
    ``bytes`` and ``tokens`` (estimated) are those of the whole result as the tool gave it, ``text`` what the model was
    shown, bounded. ``cached``: the same call had been made before in this run, and its result was told again.
    """

    id: str
    tool: str
    input: object
    outcome: str
    kind: str = ""
    message: str = ""
    began: float = 0.0
    milliseconds: float = 0.0
    bytes: int = 0
    tokens: int = 0
    found: int = 0
    cached: bool = False
    text: str = ""
    notes: list[str] = field(default_factory=list)


class TurnRecord(Struct, kw_only=True):
    """One request to the model and what came of it. ``context`` says what was dropped or shortened to make room."""

    n: int
    began: float
    milliseconds: float = 0.0
    first_token: float | None = None
    model: str = ""
    stop: str = ""
    thinking: str = ""
    text: str = ""
    context_tokens: int = 0
    context: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    calls: list[CallRecord] = field(default_factory=list)


class RunError(Struct, frozen=True):
    """Why a run failed."""

    kind: str
    message: str


class RunRecord(Struct, kw_only=True):
    """A run. ``counts`` are exact: ``turns``, ``tool_calls``, ``tool_errors``, ``cached``; ``tools`` counts calls by
    name. ``timings`` are in milliseconds: ``total``, ``model`` (waiting for it), ``tools`` (wall time of their calls),
    ``first_text``. ``roots`` are all whose text the run has seen, or that were asked for by name.
    """

    id: str
    at: float
    task: str
    tier: str
    model: str
    state: State
    limit: Limit = ""
    mode: Mode = "nothing"
    answer: str = ""
    citations: list[Citation] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    tools: dict[str, int] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    limits: dict[str, float] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)
    error: RunError | None = None


class TraceRecord(Struct, kw_only=True):
    """A run, and every turn of it."""

    run: RunRecord
    turns: list[TurnRecord] = field(default_factory=list)
