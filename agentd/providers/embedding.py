"""A model that embeds on a server, whatever its dialect: portions, limits, checks, and the space of its vectors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import msgspec

from agentd.errors import ProviderRefusedError, ProviderUnavailableError
from agentd.kernels.messages import RemoteVectorsRequest
from agentd.kernels.remote_vectors import read_vectors
from agentd.providers import failures
from agentd.providers.contracts import Embedded
from agentd.providers.http import Call
from agentd.providers.portions import estimate, fit, portions, shorten
from agentd.providers.probe import PROBE_TEXT, is_same, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from agentd.domain import Space
    from agentd.kernels.messages import RemoteVectors
    from agentd.providers.breaker import Breaker
    from agentd.providers.contracts import Outgoing
    from agentd.providers.http import Server
    from agentd.providers.portions import Piece
    from agentd.providers.probe import ProbeMemory

IN_PLACE_BYTES = 64 * 1024
"""Of an answer, read on the loop: a query's vector in some 0.2 ms. More goes to a worker."""
MOST_TIMES = 4
"""The estimate that a server can have counted: a token for each byte, and some around each text. More would hold up
everybody who waits for its limit."""
SHORTEST_CHARS = 16
"""A server that finds even this too long is not to be pleased."""


class Decoder(Protocol):
    """Runs the kernel REMOTE_VECTORS in a worker; where ``query``, in the lane of what a person waits for."""

    async def __call__(self, request: RemoteVectorsRequest, *, query: bool) -> RemoteVectors:
        """Raises ComputeError, BusyError."""
        ...


class EmbeddingDialect(Protocol):
    """How a kind of server is asked for vectors."""

    path: str
    form: Literal["openai", "ollama"]
    optional: frozenset[str]
    """Members of the body that can be left out, where a server does not know them."""

    def body(self, model: str, texts: Sequence[str], dimension: int) -> dict[str, object]:
        """The request; ``dimension`` 0 is the model's own."""
        ...


class _Part(NamedTuple):
    """The vectors of one portion, and how many of its texts were cut."""

    vectors: RemoteVectors
    truncated: int
    tokens: int


class RemoteEmbedding:
    """An EmbeddingModel on a server. ``probing`` names the roots on whose behalf it may be asked for PROBE_TEXT, by the
    configuration in force.
    """

    def __init__(
        self,
        server: Server,
        dialect: EmbeddingDialect,
        breaker: Breaker,
        decode: Decoder,
        memory: ProbeMemory,
        probing: Outgoing,
    ) -> None:
        self._server = server
        self._settings = server.settings
        self._dialect = dialect
        self._breaker = breaker
        self._decode = decode
        self._memory = memory
        self.probing = probing
        self._space: Space | None = None
        self._trusted_at = -1  # openings of the breaker at the last probe
        self._probe_lock = asyncio.Lock()
        self._left_out: set[str] = set()

    @property
    def name(self) -> str:
        """``PROVIDER/MODEL``."""
        return f"{self._server.name}/{self._settings.embedding_model}"

    @property
    def space(self) -> Space:
        """The space of its vectors. Raises ProviderUnavailableError before ``probe`` has succeeded."""
        if self._space is None:
            raise ProviderUnavailableError(f"{self.name} has not been tried yet: its space is not known")
        return self._space

    async def probe(self) -> None:
        """See ``EmbeddingModel``. EgressError where no root lets text go there, for then it is not asked at all."""
        async with self._probe_lock:
            await self._probe()

    async def embed(self, texts: Sequence[str], outgoing: Outgoing, *, query: bool = False) -> Embedded:
        """See ``EmbeddingModel``. After an outage the model is probed first, for another may have taken its place:
        where its space is another one then, the call fails, because the caller counts on the one before.
        """
        expected = self._space
        space = await self._trusted(expected)
        costs = [min(estimate(text), self._settings.embedding_tokens) for text in texts]
        todo = portions(costs, self._settings.batch_texts, self._settings.batch_tokens)
        parts: dict[int, _Part] = {}

        async def work(rest: Iterator[tuple[int, range]]) -> None:
            for number, span in rest:
                await self._trusted(space)
                some = texts[span.start : span.stop]
                parts[number] = await self._portion(some, outgoing, query=query, dimension=space.dimension)

        await self._side_by_side(work, iter(enumerate(todo)), len(todo))
        done = [parts[number] for number in range(len(todo))]
        return Embedded(
            b"".join(part.vectors.codes for part in done),
            b"".join(part.vectors.scales for part in done),
            sum(part.truncated for part in done),
            sum(part.tokens for part in done),
            space,
        )

    async def _trusted(self, expected: Space | None) -> Space:
        """The space, after a probe if the last one was before an outage."""
        async with self._probe_lock:
            if self._space is None or self._trusted_at != self._breaker.openings:
                await self._probe()
        if expected not in {None, self._space}:
            raise ProviderUnavailableError(
                f"{self.name} is another model than before: its vectors belong to a space of their own from now on",
                provider=self._server.name,
                cause="model",
            )
        return self.space

    async def _probe(self) -> None:
        openings = self._breaker.openings
        dimension = self._settings.embedding_dimension
        first, second = [await self._probed(dimension) for _ in range(2)]
        if not is_same(first, second):
            raise failures.bad_answer(self._settings, "two vectors of one text that differ")
        self._space = await recognise(self._settings, first, self._memory)
        self._trusted_at = openings

    async def _probed(self, dimension: int) -> RemoteVectors:
        return (await self._portion([PROBE_TEXT], self.probing, query=False, dimension=dimension)).vectors

    async def _side_by_side(
        self,
        work: Callable[[Iterator[tuple[int, range]]], Coroutine[None, None, None]],
        todo: Iterator[tuple[int, range]],
        count: int,
    ) -> None:
        """As many at once as the server may have open, so that no more bodies than that are held in memory."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._settings.parallel, count)):
                    group.create_task(work(todo))
        except BaseExceptionGroup as failed:  # one is enough: those beside it say the same
            raise failed.exceptions[0] from None

    async def _portion(self, texts: Sequence[str], outgoing: Outgoing, *, query: bool, dimension: int) -> _Part:
        url = self._settings.base_url
        admitted = await self._server.gate.admit(outgoing, self._server.name, url, texts)
        prefix = self._settings.query_prefix if query else self._settings.document_prefix
        pieces = [fit(prefix + text, self._settings.embedding_tokens) for text in admitted]
        with self._breaker.guard():
            part = await self._vectors(pieces, outgoing, query=query, dimension=dimension)
        self._server.counts["tokens"] += part.tokens
        self._server.counts["truncated"] += part.truncated
        return part

    async def _vectors(self, pieces: Sequence[Piece], outgoing: Outgoing, *, query: bool, dimension: int) -> _Part:
        """Of pieces that the server finds too long, half as many, in the end a shorter one."""
        try:
            return await self._asked(pieces, outgoing, query=query, dimension=dimension)
        except ProviderRefusedError as error:
            hopeless = len(pieces) == 1 and len(pieces[0].text) <= SHORTEST_CHARS
            if error.details.get("cause") != "too_long" or hopeless:
                raise
        half = len(pieces) // 2
        if not half:
            return await self._vectors([shorten(pieces[0])], outgoing, query=query, dimension=dimension)
        first = await self._vectors(pieces[:half], outgoing, query=query, dimension=dimension)
        return _joined(first, await self._vectors(pieces[half:], outgoing, query=query, dimension=dimension))

    async def _asked(self, pieces: Sequence[Piece], outgoing: Outgoing, *, query: bool, dimension: int) -> _Part:
        texts = tuple(piece.text for piece in pieces)
        tokens = sum(map(estimate, texts))
        body = await self._answer(texts, outgoing, tokens, query=query)
        request = RemoteVectorsRequest(body, self._dialect.form, len(texts), dimension)
        small = len(body) <= IN_PLACE_BYTES
        vectors = read_vectors(request) if small else await self._decode(request, query=query)
        if vectors.problem:
            raise failures.bad_answer(self._settings, vectors.problem)
        counted = min(vectors.tokens, MOST_TIMES * tokens) or tokens
        self._server.limiter.correct(counted - tokens)
        return _Part(vectors, sum(piece.cut for piece in pieces), counted)

    async def _answer(self, texts: tuple[str, ...], outgoing: Outgoing, tokens: int, *, query: bool) -> bytes:
        """Left out is what the server says it does not know; a person waits for a query, so that is not tried again."""
        model = self._settings.embedding_model
        while True:
            body = self._dialect.body(model, texts, self._settings.embedding_dimension)
            content = msgspec.json.encode({name: body[name] for name in body if name not in self._left_out})
            call = Call(self._dialect.path, content, model, outgoing, texts, tokens, urgent=query, patient=not query)
            try:
                return await self._server.post(call)
            except ProviderRefusedError as error:
                if (name := failures.unknown_member(error, body, self._dialect.optional - self._left_out)) is None:
                    raise
                self._left_out.add(name)


def _joined(first: _Part, second: _Part) -> _Part:
    vectors = msgspec.structs.replace(
        first.vectors,
        codes=first.vectors.codes + second.vectors.codes,
        scales=first.vectors.scales + second.vectors.scales,
    )
    return _Part(vectors, first.truncated + second.truncated, first.tokens + second.tokens)
