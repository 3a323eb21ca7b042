"""Who finds passages, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.retrieval.definitions import DefinitionFinder, Namer, PathFinder
from agentd.retrieval.ranker import Ranker
from agentd.retrieval.retrievers import KeywordRetriever
from agentd.retrieval.search import Searcher

if TYPE_CHECKING:
    from agentd.compute.pool import Pool
    from agentd.config.settings import SearchSettings
    from agentd.daemon.stores import Stores, Threads
    from agentd.indexing.index import Index
    from agentd.observability.metrics import Metrics
    from agentd.retrieval.reranker import Reranker
    from agentd.retrieval.verification import Verifier


def new_searcher(
    stores: Stores,
    threads: Threads,
    pool: Pool,
    index: Index,
    reranker: Reranker,
    verifier: Verifier,
    settings: SearchSettings,
    metrics: Metrics,
) -> Searcher:
    """Vectors are wired later, where there are any."""
    catalogue = stores.catalogue
    keyword = KeywordRetriever(stores.keyword, threads.search)
    return Searcher(
        catalogue,
        keyword,
        Namer(DefinitionFinder(catalogue), PathFinder(catalogue)),
        Ranker(keyword, catalogue, pool),
        reranker,
        verifier,
        index,
        settings,
        metrics,
    )
