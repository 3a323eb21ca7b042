"""The Python client: connect, request, stream. Standard library only, so that what uses it starts fast.

::

    with Client() as client:
        for hit in client.search("where is the retry policy", limit=5)["hits"]:
            print(hit["path"], hit["start_line"])

One request at a time on one connection; :mod:`agentd.aclient` does many at once. :mod:`agentd.wire` draws the tree of
the errors.
"""

from __future__ import annotations

import time

from agentd.config import paths
from agentd.wire import (
    AgentdClientError,
    ConnectionLostError,
    NoDaemonError,
    ReplyTimeoutError,
    WireError,
    encode,
    event_of,
    open_socket,
    page_params,
    path_params,
    paths_params,
    peer_credentials,
    received,
    result_of,
    retry_seconds,
    span_params,
    wait_params,
    with_absolute_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Any, Literal, Self, Unpack

    from agentd import protocol as p
    from agentd.wire import Message

__all__ = [
    "AgentdClientError",
    "Client",
    "ConnectionLostError",
    "NoDaemonError",
    "ReplyTimeoutError",
    "Stream",
    "WireError",
]


class Client:
    """A connection to the daemon.

    Args:
        socket_path: where it listens; by default where :func:`agentd.config.paths.socket_to_connect` says.
        timeout: seconds to wait for each line of an answer; None waits for ever. May be set at any time.
        retries: how often a request that the daemon has no room for (``busy``) is tried again, each time after as long
            as the daemon says, before its error is raised.

    Raises:
        NoDaemonError: there is no socket, or nobody listens on it.
        AgentdClientError: ``permission_denied`` where the socket is not for this user.
    """

    def __init__(self, socket_path: str | None = None, timeout: float | None = 60.0, retries: int = 0) -> None:
        self.socket_path = socket_path or paths.socket_to_connect()
        self.retries = retries
        self._open_socket(timeout)
        self._last_id = 0
        self._open: int | None = None  # the request that is not answered yet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close; a request that Ctrl-C broke off is cancelled in the daemon too."""
        if kind is KeyboardInterrupt and self._open:
            try:  # noqa: SIM105  # contextlib would slow the start
                self.cancel(self._open)
            except AgentdClientError:
                pass
        self.close()

    @property
    def timeout(self) -> float | None:
        """Seconds to wait for each line of an answer."""
        return self._socket.gettimeout()

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    @property
    def peer_pid(self) -> int:
        """Process id of whoever made the listening socket (``SO_PEERCRED``, unix(7)); 0 in another pid namespace."""
        return peer_credentials(self._socket)[0]

    def close(self) -> None:
        """Close the connection; the daemon cancels what it still does for it."""
        self._reader.close()
        self._socket.close()

    def request(self, method: str, /, **params: Any) -> Any:
        """Call ``method`` and return its result. Events on the way are dropped.

        Raises:
            AgentdClientError: the daemon answered with an error, or one of the subclasses.
        """
        retries = self.retries
        while True:
            stream = self.stream(method, **params)
            try:
                for _ in stream:
                    pass
            except AgentdClientError as error:
                pause = retry_seconds(error)
                if not retries or pause is None:
                    raise
            else:
                return stream.result
            retries -= 1
            time.sleep(pause)
            if self._refused:
                self._reopen()

    def stream(self, method: str, /, **params: Any) -> Stream:
        """Call ``method`` and iterate over its events; ``result`` is set when they end."""
        self._open = self._last_id + 1  # before it is sent: Ctrl-C may come at any moment
        return Stream(self, self._send(method, params))

    def _patiently(self, method: str, /, **params: Any) -> Any:
        """``request``, for what may be silent for long: the daemon bounds it, not the ``timeout`` of a line."""
        before, self.timeout = self.timeout, None
        try:
            return self.request(method, **params)
        finally:
            self.timeout = before

    def cancel(self, request_id: int) -> None:
        """Ask the daemon to end a request, which then answers with the error ``cancelled``."""
        self._send("cancel", {"id": request_id})

    def _open_socket(self, timeout: float | None) -> None:
        self._socket = open_socket(self.socket_path, timeout)
        self._reader = self._socket.makefile("rb")
        self._refused = False  # whether the daemon closed the connection, rather than answer a request of it

    def _reopen(self) -> None:
        timeout = self.timeout
        self.close()
        self._open_socket(timeout)

    def _send(self, method: str, params: Message) -> int:
        self._last_id += 1
        try:
            self._socket.sendall(encode(self._last_id, method, params))
        except TimeoutError:
            raise ReplyTimeoutError(self.timeout or 0) from None
        except BrokenPipeError:
            pass  # what the daemon said before it closed is still to be read
        except OSError as error:
            raise ConnectionLostError(str(error)) from error
        return self._last_id

    def _receive(self) -> Message:
        try:
            return received(self._reader)
        except TimeoutError:
            seconds = self.timeout or 0
            self.close()
            raise ReplyTimeoutError(seconds) from None
        except OSError as error:
            raise ConnectionLostError(str(error)) from error

    def hello(self, **who: Unpack[p.Greeting]) -> p.Hello:
        """Versions of the daemon, its process id and its methods; ``who`` calls, where it wants to be known."""
        return self.request("hello", **who)  # type: ignore[no-any-return]

    def search(self, query: str, **options: Unpack[p.SearchOptions]) -> p.SearchResult:
        """Search. See :class:`agentd.protocol.SearchOptions`."""
        return self.request("search", query=query, **options)  # type: ignore[no-any-return]

    def multi_search(self, queries: Sequence[str], **options: Unpack[p.SearchOptions]) -> p.SearchResult:
        """Search for 1 to 8 queries at once; the first counts double, and each hit says in ``queries`` who found it."""
        return self.request("multi_search", queries=list(queries), **options)  # type: ignore[no-any-return]

    def read_span(self, path: str, start_line: int = 1, end_line: int | None = None) -> p.Span:
        """Lines of a file as they are on disk now; both ends are included, None reads to the end."""
        return self.request("read_span", **span_params(path, start_line, end_line))  # type: ignore[no-any-return]

    def list_files(self, **options: Unpack[p.ListOptions]) -> p.FileList:
        """One page of the files that the index knows, skipped ones with their reason."""
        return self.request("list_files", **options)  # type: ignore[no-any-return]

    def find_symbol(self, name: str, **options: Unpack[p.SymbolOptions]) -> p.SymbolList:
        """Definitions of a name. See :class:`agentd.protocol.SymbolOptions`."""
        return self.request("find_symbol", name=name, **options)  # type: ignore[no-any-return]

    def related(self, path: str, line: int, limit: int = 10) -> p.Related:
        """What belongs to a line of a file: its definition, callers, callees, bases, tests, passages like it."""
        return self.request("related", **path_params(path), line=line, limit=limit)  # type: ignore[no-any-return]

    def callers(self, symbol: str, **options: Unpack[p.CallOptions]) -> p.Calls:
        """What calls a symbol: a name, ``PATH:NAME`` or ``PATH:LINE``. See :class:`agentd.protocol.CallOptions`."""
        return self.request("graph.callers", symbol=symbol, **options)  # type: ignore[no-any-return]

    def callees(self, symbol: str, **options: Unpack[p.CallOptions]) -> p.Calls:
        """What a symbol calls."""
        return self.request("graph.callees", symbol=symbol, **options)  # type: ignore[no-any-return]

    def call_chain(self, source: str, target: str, **options: Unpack[p.ChainOptions]) -> p.Chains:
        """Ways of calls from one symbol to another, the shortest first."""
        return self.request("graph.call_chain", source=source, target=target, **options)  # type: ignore[no-any-return]

    def dependencies(self, **options: Unpack[p.ImportOptions]) -> p.Imports:
        """Files that the file ``path``, or the file of ``symbol``, imports."""
        return self.request("graph.dependencies", **with_absolute_path(options))  # type: ignore[no-any-return]

    def dependents(self, **options: Unpack[p.ImportOptions]) -> p.Imports:
        """Files that import the file ``path``, or the file of ``symbol``."""
        return self.request("graph.dependents", **with_absolute_path(options))  # type: ignore[no-any-return]

    def complexity(self, path: str, **options: Unpack[p.ComplexityOptions]) -> p.Complexity:
        """The most complex functions of a file or folder."""
        return self.request("graph.complexity", **path_params(path), **options)  # type: ignore[no-any-return]

    def ask(self, question: str, **options: Unpack[p.AskOptions]) -> p.Answered:
        """Answer a question with citations; ``stream("ask", question=...)`` shows the text as it is written.

        See :class:`agentd.protocol.AskOptions`.
        """
        return self.request("ask", question=question, **options)  # type: ignore[no-any-return]

    def answer(self, answer_id: str) -> p.Answered:
        """An answer that was given before."""
        return self.request("answer.get", id=answer_id)  # type: ignore[no-any-return]

    def verify(self, answer_id: str) -> p.Verification:
        """What an answer cites, compared with the disk as it is now."""
        return self.request("answer.verify", id=answer_id)  # type: ignore[no-any-return]

    def answers(self, limit: int = 20, before: str | None = None) -> p.AnswerList:
        """Answers that are kept, the newest first; ``before`` is the ``next`` of the page before."""
        return self.request("answer.list", **page_params(limit, before))  # type: ignore[no-any-return]

    def agent(self, task: str, **options: Unpack[p.AgentOptions]) -> p.Run:
        """Have a model do a task with tools; ``stream("agent.run", task=...)`` shows what happens as it does.

        It takes as long as its budgets let it, whatever ``timeout`` is. See :class:`agentd.protocol.AgentOptions`.
        """
        return self._patiently("agent.run", task=task, **options)  # type: ignore[no-any-return]

    def runs(self, limit: int = 20, before: str | None = None) -> p.RunList:
        """Runs that are kept or go on, the newest first; ``before`` is the ``next`` of the page before."""
        return self.request("agent.runs", **page_params(limit, before))  # type: ignore[no-any-return]

    def trace(self, run_id: str) -> p.Trace:
        """A run with every turn of it; of one that goes on, what there is of it now."""
        return self.request("agent.trace", id=run_id)  # type: ignore[no-any-return]

    def stop_run(self, run_id: str) -> bool:
        """End a run, whoever began it; False where it had ended before."""
        return self.request("agent.stop", id=run_id)["stopped"]  # type: ignore[no-any-return]

    def roots(self) -> list[p.RootInfo]:
        """Every root and how far its index is."""
        return self.request("roots.list")["roots"]  # type: ignore[no-any-return]

    def add_root(self, path: str) -> p.RootInfo:
        """Keep ``path`` indexed from now on, also after a restart. Returns at once, before anything is indexed."""
        return self.request("roots.add", **path_params(path))  # type: ignore[no-any-return]

    def remove_root(self, path: str) -> p.Removed:
        """Forget a root and delete its text."""
        return self.request("roots.remove", **path_params(path))  # type: ignore[no-any-return]

    def status(self) -> p.IndexStatus:
        """How far the index is."""
        return self.request("index.status")  # type: ignore[no-any-return]

    def wait(self, target: Literal["keyword", "vectors"] = "vectors", timeout: float | None = None) -> p.IndexStatus:
        """Return when the index is current.

        Raises:
            AgentdClientError: ``deadline`` after ``timeout`` seconds, with the ``status`` in its ``data``.
        """
        return self._patiently("index.wait", **wait_params(target, timeout))  # type: ignore[no-any-return]

    def reindex(self, path: str | None = None) -> p.Reindexed:
        """Read every file of a root, or of all of them, again."""
        return self.request("index.reindex", **path_params(path))  # type: ignore[no-any-return]

    def inspect(self, paths: Sequence[str] = (), **options: Unpack[p.InspectOptions]) -> list[p.InspectedFile]:
        """What the index holds of single files. See :class:`agentd.protocol.InspectOptions`."""
        return self.request("index.inspect", **paths_params(paths), **options)["files"]  # type: ignore[no-any-return]

    def stats(self) -> Message:
        """Counters and timings."""
        return self.request("stats")  # type: ignore[no-any-return]

    def metrics(self) -> str:
        """All figures in the text exposition format of Prometheus."""
        return self.request("metrics")["text"]  # type: ignore[no-any-return]

    def health(self) -> Message:
        """Whether every service of the daemon works."""
        return self.request("health")  # type: ignore[no-any-return]


class Stream:
    """The events of one request. ``result`` holds its answer once the iteration has ended."""

    def __init__(self, client: Client, request_id: int) -> None:
        self.id = request_id
        self.result: Any = None
        self._client = client
        self._ended = False

    def __iter__(self) -> Iterator[p.Event]:
        return self

    def __next__(self) -> p.Event:
        """The next event.

        Raises:
            AgentdClientError: the daemon answered with an error, or one of the subclasses.
        """
        while not self._ended:
            message = self._client._receive()  # noqa: SLF001  # two halves of one thing
            if event := event_of(message):
                if event["id"] == self.id:
                    return event
            # An answer to another id belongs to a request that its caller gave up; null stands for a line that the
            # daemon could not read, and there is but ours.
            elif message.get("id") in (self.id, None):
                self._ended, self._client._open = True, None  # noqa: SLF001  # as above
                self._client._refused = message.get("id") is None  # noqa: SLF001  # as above
                self.result = result_of(message)
        raise StopIteration
