"""What the parts of the agent hand to each other, and what they need of others.

A run asks a model for one turn after another. In a turn the model either answers, or calls tools, whose results it sees
in the next. Every tool is a :class:`Tool`; the one :class:`Executor` runs all of them, for all runs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from agentd.answer.contracts import Passage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from agentd import protocol as p
    from agentd.agent.records import CallRecord
    from agentd.config.settings import Egress
    from agentd.providers.contracts import Outgoing, ToolCall
    from agentd.providers.contracts import Tool as Offered

    Emit = Callable[[Mapping[str, object]], Awaitable[None]]
    """Tells the client of an event, and waits for it to take what went before."""


class Tier(StrEnum):
    """How much a run may take; what each means stands in ``agentd.agent.tiers``."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Limits(Struct, frozen=True, kw_only=True):
    """Budgets of one run; whichever is reached first leaves one turn, which must answer.

    ``tokens`` are read and written by the model over all turns, ``context_tokens`` what one request may hold,
    ``seconds`` wall time, ``tool_calls`` calls of any tool. ``result_tokens`` bounds what one tool call shows, ``hits``
    is how many of them a search gives unasked.
    """

    turns: int
    tokens: int
    seconds: float
    tool_calls: int
    context_tokens: int
    answer_tokens: int
    result_tokens: int
    hits: int


Outcome = Literal["running", "ok", "retry", "final", "timed_out", "cancelled"]
"""How a tool call ended: ``retry`` failed so that the model may try again in other words, ``final`` for good. One that
has not ended is ``running``, in the trace of a run that goes on, or was killed.
"""


class Row(Struct, frozen=True):
    """A line of a list, in words for the model, and the passages of a line or a few that prove it; ``instead`` is the
    line where none is shown, if that is another.
    """

    text: str
    proofs: tuple[Passage, ...] = ()
    instead: str = ""

    @property
    def plain(self) -> str:
        """The line without proofs."""
        return self.instead or self.text


class ToolResult(Struct, frozen=True, kw_only=True):
    """What a tool found.

    ``passages`` are texts with a place, which the answer may cite: the loop numbers them, and the proofs of ``rows``, a
    list. ``text`` is all else, in words for the model. ``found`` counts entries, ``notes`` say what is missing (cut,
    stale, not ready); ``problems`` are those of the notes that no call could have avoided, so that the answer tells of
    them, too. ``roots`` are those (absolute paths) of which anything is told here, in passages, rows or text: names of
    files count. ``addresses`` are those that ``fetch_url`` may take from now on.
    """

    text: str = ""
    passages: tuple[Passage, ...] = ()
    rows: tuple[Row, ...] = ()
    found: int = 0
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    roots: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    @property
    def texts(self) -> list[str]:
        """All that it says, but for notes."""
        listed = (
            text
            for row in self.rows
            for text in ((row.text, *(each.text for each in row.proofs)) if row.proofs else (row.plain,))
        )
        return [self.text, *(each.text for each in self.passages), *listed]


class Scope(Protocol):
    """What one run may see, and has seen; handed to every tool call of it."""

    @property
    def roots(self) -> tuple[str, ...]:
        """Absolute paths of the roots that the run is about, sorted."""
        ...

    @property
    def named(self) -> tuple[str, ...]:
        """Those that were asked for by name; empty stands for all there are."""
        ...

    @property
    def limits(self) -> Limits:
        """Budgets."""
        ...

    @property
    def addresses(self) -> Collection[str]:
        """What ``fetch_url`` may take: addresses in the task, and those that searches of the web gave."""
        ...

    def outgoing(self, purpose: Egress) -> Outgoing:
        """For the gate: text of every root that this run has seen may be in what leaves now."""
        ...

    def saw(self, result: ToolResult) -> None:
        """Note what ``result`` tells of. The toolbox does, as soon as a tool returns: other calls may be running."""
        ...

    def web_refusal(self) -> str:
        """Why this run may not use the web now, in a sentence; empty where it may. A run that has seen text of a root
        which does not allow it never may again.
        """
        ...


class Tool(Protocol):
    """One definition gives name, description, JSON schema, validation and function."""

    @property
    def name(self) -> str:
        """In snake_case."""
        ...

    @property
    def description(self) -> str:
        """For the model: what it does, when to use it."""
        ...

    @property
    def schema(self) -> dict[str, object]:
        """A JSON schema of an object, without references."""
        ...

    @property
    def seconds(self) -> float:
        """How long a call may take; 0: as configured for all."""
        ...

    @property
    def web(self) -> bool:
        """Whether it uses the web: a run loses it when ``Scope.web_refusal`` says so."""
        ...

    def parse(self, arguments: str) -> object:
        """Arguments as ``run`` takes them, of the JSON that a model wrote.

        Raises:
            ToolInputError: they do not fit; the message says what was expected, and where.
        """
        ...

    async def run(self, arguments: object, scope: Scope) -> ToolResult:
        """Do it. It may be cancelled at any await.

        Raises:
            ToolError: retryable or final, as it says.
            AgentdError: the executor decides by its kind.
        """
        ...


class Told(Struct, frozen=True):
    """A tool's result as the model sees it: whole, and in one line for when there is no room for more. The line says
    how much was found, and the places and numbers of passages; what was called stands before it anyway.
    """

    text: str
    line: str


class Toolbox(Protocol):
    """The tools of one run, on the executor that all runs share: it bounds how many of its calls run at once, traces
    them, tells a call that was made before from what came of it then, and numbers the passages that results hold.
    """

    @property
    def passages(self) -> Sequence[Passage]:
        """All that the model was shown, in the order of their numbers from 1."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """Those of all results, each once."""
        ...

    @property
    def boundary(self) -> str:
        """What lines around data begin with in this run; nobody who writes data can know it."""
        ...

    def offered(self) -> Sequence[Offered]:
        """Those that the run may use now, as the model sees them."""
        ...

    async def call(self, call: ToolCall, record: CallRecord, turn: int) -> Told:
        """What the model is to be told: the result as data, or what went wrong and what to do. Never raises an
        AgentdError.

        ``record`` comes with ``id``, ``tool``, ``began``, the outcome ``running``, and ``input`` as it was written;
        all else is filled in, also when this is cancelled.
        """
        ...


class Library(Protocol):
    """The daemon's methods as the built-in tools call them: the parameters and results are those of the protocol.

    Each may raise any AgentdError. ``roots`` are always given by the tools: those of the run.
    """

    async def search(self, queries: Sequence[str], **options: object) -> p.SearchResult:
        """``multi_search``, of one query too; ``options`` as in ``SearchOptions``."""
        ...

    async def read_span(self, path: str, start_line: int, end_line: int | None) -> p.Span:
        """``read_span``."""
        ...

    async def list_files(self, **options: object) -> p.FileList:
        """``list_files``."""
        ...

    async def find_symbol(self, name: str, **options: object) -> p.SymbolList:
        """``find_symbol``."""
        ...

    async def related(self, path: str, line: int, limit: int) -> p.Related:
        """``related``."""
        ...

    async def callers(self, symbol: str, **options: object) -> p.Calls:
        """``graph.callers``."""
        ...

    async def callees(self, symbol: str, **options: object) -> p.Calls:
        """``graph.callees``."""
        ...

    async def call_chain(self, source: str, target: str, **options: object) -> p.Chains:
        """``graph.call_chain``."""
        ...

    async def dependencies(self, **options: object) -> p.Imports:
        """``graph.dependencies``."""
        ...

    async def dependents(self, **options: object) -> p.Imports:
        """``graph.dependents``."""
        ...

    async def complexity(self, path: str, **options: object) -> p.Complexity:
        """``graph.complexity``."""
        ...
