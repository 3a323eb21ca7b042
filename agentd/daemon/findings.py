"""What a person should know, in sentences: gathered from those who know."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from agentd.retrieval.search import VECTORS_OFF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agentd.daemon.maintenance import Maintenance
    from agentd.daemon.reloader import Reloader
    from agentd.daemon.supervisor import Supervisor
    from agentd.indexing.index import Index
    from agentd.retrieval.reranker import Reranker
    from agentd.retrieval.search import Searcher

    Finding = tuple[str, str]


class Findings:
    """(kind, sentence) of every trouble; metrics count the kinds. ``others`` are parts that not every daemon has."""

    def __init__(
        self,
        supervisor: Supervisor,
        maintenance: Maintenance,
        index: Index,
        searcher: Searcher,
        reranker: Reranker,
        reloader: Reloader,
    ) -> None:
        self.others: list[Callable[[], Iterable[Finding]]] = []
        self._supervisor = supervisor
        self._maintenance = maintenance
        self._index = index
        self._searcher = searcher
        self._reranker = reranker
        self._reloader = reloader

    def all(self) -> list[Finding]:
        """Those of now; none when all is well."""
        own = (self._services, self._vectors, self._ranking, self._roots)
        return list(chain.from_iterable(tell() for tell in (*own, *self.others)))

    def _services(self) -> Iterator[Finding]:
        for name, text in self._supervisor.problems.items():
            yield "service", f"service {name} failed: {text}"
        for name, text in self._maintenance.problems.items():
            yield "maintenance", f"maintenance of {name} failed: {text}"

    def _vectors(self) -> Iterator[Finding]:
        running = self._index.chains.spaces.running.values() if self._index.chains else ()
        if failed := sum(service.embedder.failed for service in running):
            yield (
                "embedding",
                f"{failed} passages could not be embedded and are found by keyword alone; the log names them",
            )
        if self._searcher.vector is None:
            kind = "vectors_off" if self._searcher.vector_problem == VECTORS_OFF else "no_vectors"
            yield kind, f"search is by keyword alone: {self._searcher.vector_problem}"

    def _ranking(self) -> Iterator[Finding]:
        if self._reranker.configured and self._reranker.problem:
            yield "rerank", f"hits are not reranked: {self._reranker.problem}"

    def _roots(self) -> Iterator[Finding]:
        for path, reason in self._reloader.refused.items():
            yield "root_refused", f"root {path} is not indexed: {reason}"
        for path, keeper in self._index.keepers.items():
            if keeper.missing:
                yield "root_missing", f"root {path} is missing; it is looked for every second"
            elif sentence := keeper.coverage.shortcomings():
                yield "root_unwatched", sentence
            if keeper.left_out:
                sentence = f"{keeper.left_out} files of root {path} are left out: index.max_files_per_root is reached"
                yield "root_too_large", sentence
