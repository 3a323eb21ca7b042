"""Shapes of runs of the agent, their events and their traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from agentd.protocol.answer import Citation, Claim, Usage


class AgentOptions(TypedDict, total=False):
    """What ``agent.run`` takes beside ``task``; what is left out is the daemon's to choose.

    ``roots`` are absolute paths (none given: all), ``tools`` names (none given: all that there are), ``web`` allows the
    tools that use it. The budgets can only be made smaller than configured. With ``keep`` the run goes on when the
    client goes away; ``agent.trace`` shows it, ``agent.stop`` ends it.
    """

    roots: list[str]
    tier: Literal["small", "medium", "large"]
    tools: list[str]
    web: bool
    max_turns: int
    max_tokens: int
    max_seconds: float
    max_tool_calls: int
    keep: bool
    deadline_ms: int


class AgentEvent(TypedDict, total=False):
    """What ``agent.run`` streams; ``id`` is that of the request, ``run`` that of the run. The fields, by ``event``.

    - ``started``: ``run, tier, model, limits, tools`` (their names).
    - ``thinking``, ``chunk``: the next ``text`` of the thoughts, or of the answer, of a ``turn``.
    - ``discarded``: all chunks since the last one of these are void, for this ``reason``: a server failed midway, or
      the model thought aloud before it called tools, where ``thinking`` with the whole text follows.
    - ``tool_call``: ``turn, call`` (its id), ``tool, input``.
    - ``tool_result``: ``turn, call, tool, outcome, kind, message, milliseconds, bytes, found, cached, notes``, and the
      first 2,000 characters of ``text``.
    - ``context``: what was ``dropped`` to make room, in sentences; the context then holds so many ``tokens``.
    - ``error``: ``kind, message`` of a failure that the run survives, or the one that it ends with.
    - ``done``: ``run, state, limit, counts, tools`` (calls by name), ``usage, timings``.
    """

    id: int | str
    event: str
    run: str
    turn: int
    text: str
    reason: str
    call: str
    tool: str
    input: object
    outcome: Literal["ok", "retry", "final", "timed_out", "cancelled"]
    kind: str
    message: str
    milliseconds: float
    bytes: int
    found: int
    cached: bool
    notes: list[str]
    dropped: list[str]
    tokens: int
    tier: str
    model: str
    limits: dict[str, float]
    tools: list[str] | dict[str, int]
    state: str
    limit: str
    counts: dict[str, int]
    usage: Usage
    timings: dict[str, float]


class ToolCallRecord(TypedDict):
    """A call of a tool. ``outcome``: ``running``, ``ok``, ``retry`` (the model may try again), ``final``,
    ``timed_out``, ``cancelled``. ``began`` is in milliseconds since the run began; ``text`` is what the model was
    shown, bounded.
    """

    id: str
    tool: str
    input: object
    outcome: Literal["running", "ok", "retry", "final", "timed_out", "cancelled"]
    kind: str
    message: str
    began: float
    milliseconds: float
    bytes: int
    tokens: int
    found: int
    cached: bool
    text: str
    notes: list[str]


class Turn(TypedDict):
    """A request to the model and what came of it; ``context`` says what was dropped or shortened to make room."""

    n: int
    began: float
    milliseconds: float
    first_token: float | None
    model: str
    stop: str
    thinking: str
    text: str
    context_tokens: int
    context: list[str]
    problems: list[str]
    usage: Usage
    calls: list[ToolCallRecord]


class RunError(TypedDict):
    """Why a run failed."""

    kind: str
    message: str


class Run(TypedDict):
    """Answer to ``agent.run``. ``limit`` names the budget that ended it, else it is empty. ``mode`` says who wrote the
    answer: the model (``generated``), nobody (``extractive``: it is passages as they stand), or there is ``nothing``,
    and ``answer`` at most says so. ``counts`` are exact: ``turns``, ``tool_calls``, ``tool_errors``, ``cached``;
    ``tools`` counts calls by name. ``timings`` are in milliseconds. Citations and claims are those of ``ask``.
    """

    id: str
    at: float
    task: str
    tier: str
    model: str
    state: Literal["running", "answered", "failed", "cancelled", "interrupted"]
    limit: Literal["", "turns", "tokens", "seconds", "tool_calls", "repetition", "errors"]
    mode: Literal["generated", "extractive", "nothing"]
    answer: str
    citations: list[Citation]
    claims: list[Claim]
    degraded: list[str]
    counts: dict[str, int]
    tools: dict[str, int]
    timings: dict[str, float]
    usage: Usage
    limits: dict[str, float]
    roots: list[str]
    error: RunError | None


class Trace(TypedDict):
    """Answer to ``agent.trace``; of a run that goes on, what there is of it now."""

    run: Run
    turns: list[Turn]


class RunHead(TypedDict):
    """A run in a list."""

    id: str
    at: float
    state: Literal["running", "answered", "failed", "cancelled", "interrupted"]
    task: str


class RunList(TypedDict):
    """Runs, the newest first; ``next`` goes into ``before`` for the next page, None at the end."""

    runs: list[RunHead]
    total: int
    next: str | None
