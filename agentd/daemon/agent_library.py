"""What the agent's built-in tools ask of the daemon: its own methods, with the checks that a client's requests have."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Raw

from agentd.errors import RootNotFoundError
from agentd.server import graph_params as g
from agentd.server.params import ListFilesParams, MultiSearchParams, Params, ReadSpanParams
from agentd.server.validation import decode_params

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentd import protocol as p
    from agentd.server.services import Services

P = TypeVar("P", bound=Params)


class DaemonLibrary:
    """Satisfies ``agentd.agent.contracts.Library``. The executor keeps the time, so no method has a deadline.

    A root that ``is_there`` no more, because it was removed while a run goes on, is left out of what the run asks.
    """

    def __init__(self, services: Services, is_there: Callable[[str], bool] = bool) -> None:
        self._services = services
        self._is_there = is_there

    async def search(self, queries: Sequence[str], **options: object) -> p.SearchResult:
        """See ``Library``."""
        asked = self._params("multi_search", MultiSearchParams, queries=queries, **options)
        return await self._services.multi_search(asked, None)

    async def read_span(self, path: str, start_line: int, end_line: int | None) -> p.Span:
        """See ``Library``. What a run reads is kept in its trace, so secrets are masked as in the index."""
        asked = self._params("read_span", ReadSpanParams, path=path, start_line=start_line, end_line=end_line)
        return await self._services.read_span(asked.path, asked.start_line, asked.end_line, masked=True)

    async def list_files(self, **options: object) -> p.FileList:
        """See ``Library``."""
        return await self._services.list_files(self._params("list_files", ListFilesParams, **options))

    async def find_symbol(self, name: str, **options: object) -> p.SymbolList:
        """See ``Library``."""
        return await self._services.graph.find_symbol(
            self._params("find_symbol", g.FindSymbolParams, name=name, **options)
        )

    async def related(self, path: str, line: int, limit: int) -> p.Related:
        """See ``Library``."""
        asked = self._params("related", g.RelatedParams, path=path, line=line, limit=limit)
        return await self._services.graph.related(asked, None)

    async def callers(self, symbol: str, **options: object) -> p.Calls:
        """See ``Library``."""
        return await self._services.graph.callers(
            self._params("callers", g.CallsParams, symbol=symbol, **options), None
        )

    async def callees(self, symbol: str, **options: object) -> p.Calls:
        """See ``Library``."""
        return await self._services.graph.callees(
            self._params("callees", g.CallsParams, symbol=symbol, **options), None
        )

    async def call_chain(self, source: str, target: str, **options: object) -> p.Chains:
        """See ``Library``."""
        asked = self._params("call_chain", g.ChainParams, source=source, target=target, **options)
        return await self._services.graph.call_chain(asked)

    async def dependencies(self, **options: object) -> p.Imports:
        """See ``Library``."""
        return await self._services.graph.dependencies(self._params("dependencies", g.ImportsParams, **options))

    async def dependents(self, **options: object) -> p.Imports:
        """See ``Library``."""
        return await self._services.graph.dependents(self._params("dependents", g.ImportsParams, **options))

    async def complexity(self, path: str, **options: object) -> p.Complexity:
        """See ``Library``."""
        return await self._services.graph.complexity(
            self._params("complexity", g.ComplexityParams, path=path, **options), None
        )

    def _params(self, method: str, kind: type[P], /, **fields: object) -> P:  # a field may be called `kind`, too
        """``fields`` as the parameters of ``method``.

        Raises:
            InvalidParamsError: a type or a bound does not fit.
            RootNotFoundError: none of the roots is there any more; to name none would mean all there are.
        """
        if roots := fields.get("roots"):
            fields["roots"] = [root for root in roots if self._is_there(root)]  # type: ignore[attr-defined]  # a list
            if not fields["roots"]:
                raise RootNotFoundError("the folder was removed while it was asked about")
        return decode_params(method, Raw(msgspec.json.encode(fields)), kind)
