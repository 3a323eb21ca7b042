"""What the handlers need of the rest of the daemon, which satisfies it structurally; bootstrap wires the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from agentd import protocol as p
    from agentd.protocol import FileList, IndexStatus, RootInfo, SearchResult, Span
    from agentd.server import agent_params as ag
    from agentd.server import answer_params as a
    from agentd.server import graph_params as g
    from agentd.server.params import InspectParams, ListFilesParams, MultiSearchParams, PageParams, SearchParams
    from agentd.server.stats import ServerStats

    Emit = Callable[[Mapping[str, object]], Awaitable[None]]
    """Tells the client of an event, and waits for it to take what went before."""

Goal = Literal["keyword", "vectors"]


class GraphServices(Protocol):
    """What knows definitions and how they hang together.

    A ``symbol`` that nothing answers to raises SymbolNotFoundError; a path, OutsideRootsError or NotFoundError. Where a
    ``deadline`` (loop time in seconds, None: none) is taken, what is ready by then is the answer, which names the rest.
    """

    async def find_symbol(self, params: g.FindSymbolParams) -> p.SymbolList:
        """Definitions of a name; none is an answer too."""
        ...

    async def related(self, params: g.RelatedParams, deadline: float | None) -> p.Related:
        """What belongs to a line of a file."""
        ...

    async def callers(self, params: g.CallsParams, deadline: float | None) -> p.Calls:
        """What calls a symbol."""
        ...

    async def callees(self, params: g.CallsParams, deadline: float | None) -> p.Calls:
        """What a symbol calls."""
        ...

    async def call_chain(self, params: g.ChainParams) -> p.Chains:
        """Ways of calls from one symbol to another."""
        ...

    async def dependencies(self, params: g.ImportsParams) -> p.Imports:
        """Files that a file imports."""
        ...

    async def dependents(self, params: g.ImportsParams) -> p.Imports:
        """Files that import a file."""
        ...

    async def complexity(self, params: g.ComplexityParams, deadline: float | None) -> p.Complexity:
        """The most complicated functions of a file or folder."""
        ...


class AnswerServices(Protocol):
    """What answers questions, and keeps the answers. An ``id`` that no answer has raises NotFoundError."""

    async def ask(self, params: a.AskParams, deadline: float | None, emit: Emit) -> p.Answered:
        """Answer; ``emit`` is told of sources and text as they come.

        Raises DeadlineError where nothing was ready at ``deadline`` (loop time in seconds), RootNotFoundError for a
        root that is not known, BusyError where too many answers are being made.
        """
        ...

    async def get(self, answer_id: str) -> p.Answered:
        """An answer as it was given."""
        ...

    async def verify(self, answer_id: str) -> p.Verification:
        """What an answer cites, compared with the disk."""
        ...

    async def list(self, params: PageParams) -> p.AnswerList:
        """A page of the answers that are kept."""
        ...


class AgentServices(Protocol):
    """What does tasks, and keeps the runs. An ``id`` that no run has raises NotFoundError."""

    async def run(self, params: ag.RunParams, deadline: float | None, emit: Emit) -> p.Run:
        """Do a task; ``emit`` is told of what happens. It ends by itself at ``deadline`` (loop time in seconds), and
        with the call, unless it is to be kept.

        Raises NoProviderError where there is no model, BusyError where too many runs go on, RootNotFoundError for a
        root that is not known, InvalidParamsError for a tool that there is not. What ends a run for good has its id in
        ``run`` of its details.
        """
        ...

    async def runs(self, params: PageParams) -> p.RunList:
        """A page of the runs that are kept, those that go on among them."""
        ...

    async def trace(self, run_id: str) -> p.Trace:
        """Every turn of a run; of one that goes on, what there is of it now."""
        ...

    async def stop(self, run_id: str) -> bool:
        """End a run, whoever began it; False where it had ended."""
        ...


class Services(Protocol):
    """Everything behind the socket. Each call may raise any AgentdError and may be cancelled at any await."""

    @property
    def answers(self) -> AnswerServices:
        """The methods about answers."""
        ...

    @property
    def agents(self) -> AgentServices:
        """The methods about runs of the agent."""
        ...

    @property
    def graph(self) -> GraphServices:
        """The methods about symbols and the graph."""
        ...

    async def search(self, params: SearchParams, deadline: float | None) -> SearchResult:
        """Search; what is ready at ``deadline`` (loop time in seconds, None: the daemon's default) is the answer.

        Raises DeadlineError where nothing was ready, RootNotFoundError for a root that is not known.
        """
        ...

    async def multi_search(self, params: MultiSearchParams, deadline: float | None) -> SearchResult:
        """Search for several queries at once. As ``search``; one that fails is named, and the others' hits stand."""
        ...

    async def read_span(self, path: str, start_line: int, end_line: int | None, *, masked: bool = False) -> Span:
        """Lines of a file as they are on disk now, to its end for None, with or without the secrets in them.

        Raises OutsideRootsError, NotFoundError.
        """
        ...

    async def list_files(self, params: ListFilesParams) -> FileList:
        """A page of the files that the index knows. Raises RootNotFoundError."""
        ...

    async def add_root(self, path: str) -> RootInfo:
        """Keep a folder indexed. Raises RootInvalidError."""
        ...

    async def remove_root(self, path: str) -> Mapping[str, object]:
        """Forget a root: ``{"removed": path, "documents": n}``. Raises RootNotFoundError, RootFixedError."""
        ...

    async def roots(self) -> Sequence[RootInfo]:
        """Every root."""
        ...

    async def index_status(self) -> IndexStatus:
        """How far the index is."""
        ...

    async def index_wait(self, goal: Goal, progress: Callable[[IndexStatus], None] | None) -> IndexStatus:
        """Return when the index is current. ``progress`` never blocks: what the client cannot take is left out."""
        ...

    async def reindex(self, path: str | None) -> Mapping[str, object]:
        """Read again: ``{"scheduled": n}`` files. Raises OutsideRootsError."""
        ...

    async def inspect(self, params: InspectParams) -> Sequence[p.InspectedFile]:
        """What the index holds of single files. Raises OutsideRootsError, RootNotFoundError."""
        ...

    def index_events(self) -> AsyncGenerator[Mapping[str, object], None]:
        """Events from now on, each with ``event``. Bounded: who reads too slowly loses the oldest, and the next event
        says in ``dropped`` how many.
        """
        ...

    async def stats(self) -> Mapping[str, object]:
        """Figures beside the server's own, by section."""
        ...

    async def metrics(self, server: ServerStats) -> str:
        """All figures in the text exposition format of Prometheus, the server's own among them."""
        ...

    async def health(self) -> Mapping[str, object]:
        """``{"status": "ok" | "degraded", "problems": [sentence, ...]}``."""
        ...
