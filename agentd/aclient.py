"""The Python client over asyncio: many requests at once on one connection.

::

    async with AsyncClient() as client, asyncio.timeout(2):
        ranked, status = await asyncio.gather(client.search("retry policy"), client.status())

A task that is cancelled while it waits (``asyncio.timeout`` does that) cancels its request in the daemon. The errors
are those of :mod:`agentd.client`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from agentd.config import paths
from agentd.wire import (
    MAX_LINE_BYTES,
    AgentdClientError,
    ConnectionLostError,
    decode,
    encode,
    event_of,
    open_socket,
    page_params,
    path_params,
    paths_params,
    result_of,
    retry_seconds,
    span_params,
    wait_params,
    with_absolute_path,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from agentd import protocol as p
    from agentd.wire import Message

QUEUED_MESSAGES = 4096
"""Events that may wait for one reader. A full queue ends that request alone: to block instead would stop every other
request of the connection, the one the reader may be waiting for among them."""


class AsyncClient:
    """A connection to the daemon, used as ``async with``.

    Args:
        socket_path: where it listens; by default where :func:`agentd.config.paths.socket_to_connect` says.
        connect_timeout: seconds to wait for the connection.
        retries: as in :class:`agentd.client.Client`; a connection that the daemon has no room for is not made again.
    """

    def __init__(self, socket_path: str | None = None, connect_timeout: float = 10.0, retries: int = 0) -> None:
        self.socket_path = socket_path or paths.socket_to_connect()
        self.retries = retries
        self._connect_timeout = connect_timeout
        self._streams: dict[int, AsyncStream] = {}
        self._last_id = 0

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            AgentdClientError: as :func:`agentd.client.open_socket`.
        """
        peer = await asyncio.to_thread(open_socket, self.socket_path, self._connect_timeout)
        self._reader, self._writer = await asyncio.open_unix_connection(sock=peer, limit=MAX_LINE_BYTES)
        self._dispatcher = asyncio.create_task(self._dispatch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._dispatcher.cancel()
        await asyncio.wait([self._dispatcher])
        self._writer.close()

    @property
    def connected(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return not self._dispatcher.done()

    async def request(self, method: str, /, **params: Any) -> Any:
        """Call ``method`` and return its result. Events on the way are dropped.

        Raises:
            AgentdClientError: the daemon answered with an error, or one of the subclasses.
        """
        retries = self.retries
        while True:
            stream = self.stream(method, **params)
            try:
                async for _ in stream:
                    pass
            except AgentdClientError as error:
                pause = retry_seconds(error)
                if not retries or pause is None:
                    raise
            else:
                return stream.result
            retries -= 1
            await asyncio.sleep(pause)

    def stream(self, method: str, /, **params: Any) -> AsyncStream:
        """Call ``method`` and iterate over its events; ``result`` is set when they end."""
        if not self.connected:
            raise ConnectionLostError("earlier")
        request_id = self._send(method, params)
        stream = self._streams[request_id] = AsyncStream(self, request_id)
        return stream

    def cancel(self, request_id: int) -> None:
        """Ask the daemon to end a request; what it still answers is dropped."""
        if self._streams.pop(request_id, None) and self.connected:
            self._send("cancel", {"id": request_id})

    def _send(self, method: str, params: Message) -> int:
        self._last_id += 1
        self._writer.write(encode(self._last_id, method, params))
        return self._last_id

    async def _flush(self) -> None:
        try:
            await self._writer.drain()
        except OSError as error:
            raise ConnectionLostError(str(error)) from error

    async def _dispatch(self) -> None:
        """Hand each line to the request that it belongs to, until the connection ends."""
        try:
            while True:
                self._deliver(decode(await self._reader.readline()))
        except AgentdClientError as error:
            self._fail(error)
        except (OSError, ValueError) as error:  # ValueError: a line over the limit
            self._fail(ConnectionLostError(str(error)))
        except asyncio.CancelledError:
            self._fail(ConnectionLostError("this client left"))
            raise

    def _deliver(self, message: Message) -> None:
        event = event_of(message)
        request_id = event["id"] if event else message.get("id")
        if request_id is None:
            result_of(message)
        elif isinstance(request_id, int) and (stream := self._streams.get(request_id)):
            stream.put(event, message)

    def _fail(self, error: AgentdClientError) -> None:
        for stream in self._streams.values():
            stream.fail(error)
        self._streams.clear()

    async def hello(self, **who: Unpack[p.Greeting]) -> p.Hello:
        """Versions of the daemon, its process id and its methods; ``who`` calls, where it wants to be known."""
        return await self.request("hello", **who)  # type: ignore[no-any-return]

    async def search(self, query: str, **options: Unpack[p.SearchOptions]) -> p.SearchResult:
        """Search. See :class:`agentd.protocol.SearchOptions`."""
        return await self.request("search", query=query, **options)  # type: ignore[no-any-return]

    async def multi_search(self, queries: Sequence[str], **options: Unpack[p.SearchOptions]) -> p.SearchResult:
        """Search for 1 to 8 queries at once; the first counts double, and each hit says in ``queries`` who found it."""
        return await self.request("multi_search", queries=list(queries), **options)  # type: ignore[no-any-return]

    async def read_span(self, path: str, start_line: int = 1, end_line: int | None = None) -> p.Span:
        """Lines of a file as they are on disk now; both ends are included, None reads to the end."""
        return await self.request("read_span", **span_params(path, start_line, end_line))  # type: ignore[no-any-return]

    async def list_files(self, **options: Unpack[p.ListOptions]) -> p.FileList:
        """One page of the files that the index knows, skipped ones with their reason."""
        return await self.request("list_files", **options)  # type: ignore[no-any-return]

    async def find_symbol(self, name: str, **options: Unpack[p.SymbolOptions]) -> p.SymbolList:
        """Definitions of a name. See :class:`agentd.protocol.SymbolOptions`."""
        return await self.request("find_symbol", name=name, **options)  # type: ignore[no-any-return]

    async def related(self, path: str, line: int, limit: int = 10) -> p.Related:
        """What belongs to a line of a file: its definition, callers, callees, bases, tests, passages like it."""
        return await self.request("related", **path_params(path), line=line, limit=limit)  # type: ignore[no-any-return]

    async def callers(self, symbol: str, **options: Unpack[p.CallOptions]) -> p.Calls:
        """What calls a symbol: a name, ``PATH:NAME`` or ``PATH:LINE``. See :class:`agentd.protocol.CallOptions`."""
        return await self.request("graph.callers", symbol=symbol, **options)  # type: ignore[no-any-return]

    async def callees(self, symbol: str, **options: Unpack[p.CallOptions]) -> p.Calls:
        """What a symbol calls."""
        return await self.request("graph.callees", symbol=symbol, **options)  # type: ignore[no-any-return]

    async def call_chain(self, source: str, target: str, **options: Unpack[p.ChainOptions]) -> p.Chains:
        """Ways of calls from one symbol to another, the shortest first."""
        return await self.request("graph.call_chain", source=source, target=target, **options)  # type: ignore[no-any-return]

    async def dependencies(self, **options: Unpack[p.ImportOptions]) -> p.Imports:
        """Files that the file ``path``, or the file of ``symbol``, imports."""
        return await self.request("graph.dependencies", **with_absolute_path(options))  # type: ignore[no-any-return]

    async def dependents(self, **options: Unpack[p.ImportOptions]) -> p.Imports:
        """Files that import the file ``path``, or the file of ``symbol``."""
        return await self.request("graph.dependents", **with_absolute_path(options))  # type: ignore[no-any-return]

    async def complexity(self, path: str, **options: Unpack[p.ComplexityOptions]) -> p.Complexity:
        """The most complex functions of a file or folder."""
        return await self.request("graph.complexity", **path_params(path), **options)  # type: ignore[no-any-return]

    async def ask(self, question: str, **options: Unpack[p.AskOptions]) -> p.Answered:
        """Answer a question with citations; ``stream("ask", question=...)`` shows the text as it is written.

        See :class:`agentd.protocol.AskOptions`.
        """
        return await self.request("ask", question=question, **options)  # type: ignore[no-any-return]

    async def answer(self, answer_id: str) -> p.Answered:
        """An answer that was given before."""
        return await self.request("answer.get", id=answer_id)  # type: ignore[no-any-return]

    async def verify(self, answer_id: str) -> p.Verification:
        """What an answer cites, compared with the disk as it is now."""
        return await self.request("answer.verify", id=answer_id)  # type: ignore[no-any-return]

    async def answers(self, limit: int = 20, before: str | None = None) -> p.AnswerList:
        """Answers that are kept, the newest first; ``before`` is the ``next`` of the page before."""
        return await self.request("answer.list", **page_params(limit, before))  # type: ignore[no-any-return]

    async def agent(self, task: str, **options: Unpack[p.AgentOptions]) -> p.Run:
        """Have a model do a task with tools; ``stream("agent.run", task=...)`` shows what happens as it does.

        See :class:`agentd.protocol.AgentOptions`.
        """
        return await self.request("agent.run", task=task, **options)  # type: ignore[no-any-return]

    async def runs(self, limit: int = 20, before: str | None = None) -> p.RunList:
        """Runs that are kept or go on, the newest first; ``before`` is the ``next`` of the page before."""
        return await self.request("agent.runs", **page_params(limit, before))  # type: ignore[no-any-return]

    async def trace(self, run_id: str) -> p.Trace:
        """A run with every turn of it; of one that goes on, what there is of it now."""
        return await self.request("agent.trace", id=run_id)  # type: ignore[no-any-return]

    async def stop_run(self, run_id: str) -> bool:
        """End a run, whoever began it; False where it had ended before."""
        return (await self.request("agent.stop", id=run_id))["stopped"]  # type: ignore[no-any-return]

    async def roots(self) -> list[p.RootInfo]:
        """Every root and how far its index is."""
        return (await self.request("roots.list"))["roots"]  # type: ignore[no-any-return]

    async def add_root(self, path: str) -> p.RootInfo:
        """Keep ``path`` indexed from now on, also after a restart. Returns at once, before anything is indexed."""
        return await self.request("roots.add", **path_params(path))  # type: ignore[no-any-return]

    async def remove_root(self, path: str) -> p.Removed:
        """Forget a root and delete its text."""
        return await self.request("roots.remove", **path_params(path))  # type: ignore[no-any-return]

    async def status(self) -> p.IndexStatus:
        """How far the index is."""
        return await self.request("index.status")  # type: ignore[no-any-return]

    async def wait(
        self,
        target: Literal["keyword", "vectors"] = "vectors",
        timeout: float | None = None,  # noqa: ASYNC109  # the daemon keeps it, and says how far the index is then
    ) -> p.IndexStatus:
        """Return when the index is current.

        Raises:
            AgentdClientError: ``deadline`` after ``timeout`` seconds, with the ``status`` in its ``data``.
        """
        return await self.request("index.wait", **wait_params(target, timeout))  # type: ignore[no-any-return]

    async def reindex(self, path: str | None = None) -> p.Reindexed:
        """Read every file of a root, or of all of them, again."""
        return await self.request("index.reindex", **path_params(path))  # type: ignore[no-any-return]

    async def inspect(self, paths: Sequence[str] = (), **options: Unpack[p.InspectOptions]) -> list[p.InspectedFile]:
        """What the index holds of single files. See :class:`agentd.protocol.InspectOptions`."""
        return (await self.request("index.inspect", **paths_params(paths), **options))["files"]  # type: ignore[no-any-return]

    async def stats(self) -> Message:
        """Counters and timings."""
        return await self.request("stats")  # type: ignore[no-any-return]

    async def metrics(self) -> str:
        """All figures in the text exposition format of Prometheus."""
        return (await self.request("metrics"))["text"]  # type: ignore[no-any-return]

    async def health(self) -> Message:
        """Whether every service of the daemon works."""
        return await self.request("health")  # type: ignore[no-any-return]


class AsyncStream:
    """The events of one request. ``result`` holds its answer once the iteration has ended."""

    def __init__(self, client: AsyncClient, request_id: int) -> None:
        self.id = request_id
        self.result: Any = None
        self._client = client
        self._events: asyncio.Queue[p.Event | None] = asyncio.Queue(QUEUED_MESSAGES)
        self._answer: Message | AgentdClientError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> p.Event:
        """The next event.

        Raises:
            AgentdClientError: the daemon answered with an error, or one of the subclasses.
        """
        if self._answer is None or not self._events.empty():
            try:
                await self._client._flush()  # noqa: SLF001  # two halves of one thing
                event = await self._events.get()
            except asyncio.CancelledError:
                self._client.cancel(self.id)
                raise
            if event:
                return event
        if isinstance(self._answer, AgentdClientError):
            raise self._answer
        if self._answer:
            self.result = result_of(self._answer)
        raise StopAsyncIteration

    def put(self, event: p.Event | None, message: Message) -> None:
        """Take one message of this request: an event, or the answer that ends it."""
        if self._events.full():
            self._client.cancel(self.id)
            self.fail(AgentdClientError("overflow", f"{QUEUED_MESSAGES} events were waiting and nobody read them."))
        elif event:
            self._events.put_nowait(event)
        else:
            self._client._streams.pop(self.id, None)  # noqa: SLF001  # two halves of one thing
            self._answer = message
            self._events.put_nowait(None)

    def fail(self, error: AgentdClientError) -> None:
        """End with an error, after the events that came before it."""
        self._answer = error
        if not self._events.full():
            self._events.put_nowait(None)
