"""The composition root: the one place that builds the objects and hands them to each other.

A restart is ready only when all of it is open, so what does not depend on each other opens side by side: worker
processes start while the database and the views open.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from agentd.compute.pool import Pool
from agentd.daemon.adoption import adopt, adopt_answers
from agentd.daemon.agent_library import DaemonLibrary
from agentd.daemon.agent_runs import Runs
from agentd.daemon.agent_web import AgentWeb
from agentd.daemon.agents import DaemonAgents
from agentd.daemon.answers import DaemonAnswers
from agentd.daemon.chores import chores, release_keyword_writer
from agentd.daemon.descriptors import Descriptors
from agentd.daemon.embedding import SearchedSpaces, open_chains
from agentd.daemon.findings import Findings
from agentd.daemon.governor import Governor
from agentd.daemon.graph import open_graph
from agentd.daemon.idle import IdleExit
from agentd.daemon.maintenance import Maintenance
from agentd.daemon.metrics.exporter import Exporter
from agentd.daemon.metrics.textfile import Textfile
from agentd.daemon.models import Models
from agentd.daemon.providers import make_gate, make_masker, open_providers
from agentd.daemon.records import Records
from agentd.daemon.reloader import Reloader
from agentd.daemon.reserves import Reserves
from agentd.daemon.searching import new_searcher
from agentd.daemon.services import DaemonServices
from agentd.daemon.soundness import Soundness
from agentd.daemon.status import StatusReporter
from agentd.daemon.stores import Threads, open_stores
from agentd.daemon.supervisor import Supervisor
from agentd.daemon.web import DaemonWeb
from agentd.indexing.events import Events
from agentd.indexing.followers import Follower
from agentd.indexing.index import Index
from agentd.indexing.ingest import Ingest
from agentd.indexing.inspection import Inspector
from agentd.indexing.linker import Linker
from agentd.indexing.purger import Purger
from agentd.indexing.signal import Signal
from agentd.observability.lag import LagProbe
from agentd.observability.metrics import Metrics
from agentd.retrieval.files import FileReader
from agentd.retrieval.freshness import Freshness
from agentd.retrieval.meaning import MeaningRetriever
from agentd.retrieval.multi import MultiSearcher
from agentd.retrieval.packer import Packer
from agentd.retrieval.reranker import Reranker
from agentd.retrieval.verification import Verifier
from agentd.server.listener import Server
from agentd.server.peer import AllowList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AsyncExitStack

    from agentd.config.settings import Settings
    from agentd.daemon.stores import Stores
    from agentd.providers.build import Providers
    from agentd.storage.rows import ViewRow

LAG_PROBE_SECONDS = 0.02
"""Often enough to see what queries see, seldom enough not to keep an idle machine awake."""
WORKER_GRACE_SECONDS = 1.0
"""What a worker holds at shutdown is done again after the next start: there is little to wait for."""


class Daemon:
    """Everything that runs, wired."""

    def __init__(self, settings: Settings, pool: Pool, stores: Stores, threads: Threads, metrics: Metrics) -> None:
        catalogue, progress = stores.catalogue, Signal()
        self.settings = settings
        self.pool = pool
        self.stores = stores
        self._threads = threads
        self._progress = progress
        self.metrics = metrics
        self.lag = LagProbe(LAG_PROBE_SECONDS)
        self.supervisor = Supervisor()
        self.events = Events()
        self.ingest = Ingest(pool, catalogue, progress, settings.index, events=self.events, metrics=metrics)
        self.keyword = self._new_keyword_follower()
        self.index = self._new_index(progress)
        self.linker = Linker(catalogue.links, catalogue.database, progress, self.ingest.idle, metrics)
        self.index.linker = self.linker
        self.reranker = Reranker(pool, settings.rerank, self.metrics)
        verifier = Verifier(threads.verify)
        self.searcher = new_searcher(
            stores, threads, pool, self.index, self.reranker, verifier, settings.search, metrics
        )
        self.release_keyword_writer = partial(release_keyword_writer, self.keyword, stores, threads)
        self.maintenance = Maintenance(chores(self), settings.maintenance.interval_seconds)
        self.reloader = Reloader(settings, self.index, partial(adopt, self))
        self.reserves = Reserves(stores, self.release_keyword_writer)
        self.governor = Governor(settings, pool, self.reserves, Descriptors(), metrics)
        self.models = Models(self.index)
        self.findings = Findings(
            self.supervisor, self.maintenance, self.index, self.searcher, self.reranker, self.reloader
        )
        self.status = self._new_status()
        masker = make_masker(pool, lambda: self.settings.index.index_secrets)
        self.reader = FileReader(catalogue, self.index, settings.index.max_file_bytes, masker)
        exporter = Exporter(self.status, self.metrics, self.lag)
        searches = MultiSearcher(self.searcher, Packer(catalogue.outlines, metrics))
        freshness = Freshness(verifier, self.index)
        kept = Records(stores.answers, self.index, catalogue)
        self.answers = DaemonAnswers(settings, self.index, catalogue, searches, freshness, self.reader, kept)
        self.maintenance.add("answers", self.answers.maintain)
        self.gate = make_gate(lambda root: self.settings.rule(root), pool, metrics)  # noqa: PLW0108  # a reload replaces them
        self.web = DaemonWeb(self.gate, pool, metrics)
        self.maintenance.add("web cache", self.web.maintain)
        self.reserves.web_cache = lambda: self.web.cache
        self.services = self._new_services(searches, freshness, exporter)
        self.agents = self.services.agents = self._new_agents()
        self.maintenance.add("runs", self.agents.maintain)
        self.status.sections["agent"] = self.agents.stats
        allowed = AllowList(settings.server.allowed_users)
        self.server = Server(self.governor.adopt(settings), self.services, peer_check=allowed, metrics=self.metrics)
        self.idle = IdleExit(settings.server.idle_exit_seconds, self.server.last_use, self.agents.last_use)
        self.textfile = self._new_textfile(exporter)
        self.purger = self._new_purger()
        self.soundness = Soundness(
            stores, self.keyword, self.index, self.web, progress, settings.maintenance.check_seconds
        )
        self.findings.others += [
            self.governor.findings, self.soundness.findings, self.models.findings, self.web.findings,
        ]  # fmt: skip

    def _new_keyword_follower(self) -> Follower[Sequence[ViewRow]]:
        """Who keeps the keyword view up with the feed."""
        feed = self.stores.catalogue.feed
        return Follower(
            self.stores.keyword,
            feed,
            feed.view_rows,
            self._progress,
            self._threads.keyword,
            more_coming=lambda: not self.ingest.idle.is_set(),
            name="keyword",
            metrics=self.metrics,
        )

    def _new_purger(self) -> Purger:
        """Who deletes the bytes of roots that were removed."""
        return Purger(
            self.stores.catalogue.purge,
            self.keyword,
            self._progress,
            self.ingest.idle,
            self.settings.state_directory,
            self.services.purge_removed,
        )

    def _new_index(self, progress: Signal) -> Index:
        """The index, told to leave alone what is agentd's own."""
        return Index(
            self.stores.catalogue,
            self.pool,
            self.ingest,
            self.keyword,
            progress,
            self.events,
            self.settings.index,
            private=(str(self.settings.state_directory), str(self.settings.socket), f"{self.settings.socket}.lock"),
            git_excludes=self.settings.git_excludes,
            watches=self.settings.limits.watches,
        )

    def _new_services(self, searches: MultiSearcher, freshness: Freshness, exporter: Exporter) -> DaemonServices:
        """What the server's methods call."""
        return DaemonServices(
            self.index,
            searches,
            self.reader,
            self.status,
            self.events,
            self.settings.search,
            open_graph(
                self.stores.catalogue,
                self.index,
                freshness,
                self.searcher,
                self.pool,
                self.settings.index.max_file_bytes,
            ),
            exporter,
            self.answers,
            Inspector(self.stores.catalogue, self.index, self.pool),
        )

    def _new_agents(self) -> DaemonAgents:
        """The agent, whose tools call the same methods as clients."""
        return DaemonAgents(
            self.settings,
            self.index,
            self.answers,
            DaemonLibrary(self.services, self.index.keepers.__contains__),
            AgentWeb(self.web),
            Runs(
                Records(self.stores.runs, self.index, self.stores.catalogue),
                self.metrics,
                lambda: self.server.draining,
            ),
            self.metrics,
        )

    def _new_status(self) -> StatusReporter:
        """The one who asks all the others."""
        return StatusReporter(
            self.findings,
            self.models,
            self.stores.catalogue,
            self.stores.cache,
            self.index,
            self.ingest,
            self.keyword,
            self.supervisor,
            self.maintenance,
            self.governor,
            self.pool,
            self.metrics,
            self.lag,
            self.events,
            self.settings.state_directory,
        )

    def _new_textfile(self, exporter: Exporter) -> Textfile | None:
        """Who writes figures for Prometheus, where there is a file for them."""
        settings = self.settings.metrics
        if not settings.textfile:
            return None
        textfile = Textfile(settings.textfile, settings.interval_seconds, lambda: exporter.text(self.server.stats()))
        self.findings.others.append(textfile.findings)
        return textfile

    async def open_vectors(self, providers: Providers | None) -> None:
        """Open the views of every embedding model. Without one that works, search is by keyword alone and says so."""
        self.searcher.vector_problem = self.stores.vector_problem
        if self.stores.local is not None:
            self.answers.judge_by_meaning(self.pool, self.stores.local.directory, self.settings.embedding.max_tokens)
        chains = await open_chains(
            lambda: self.settings,
            self.stores,
            providers,
            self.pool,
            self._threads,
            self._progress,
            self.ingest.idle,
            self.metrics,
        )
        if chains is None:
            return
        self.index.chains = chains
        self.findings.others.append(chains.findings)
        self.searcher.vector = self.reserves.queries = MeaningRetriever(
            SearchedSpaces(chains, self.index), self.stores.catalogue, self._threads.search, self.metrics
        )

    def guard(self, check: Callable[[], Awaitable[None]]) -> None:
        """Acknowledge nothing that is kept in a state directory for which ``check`` fails."""
        self.services.check_state = check
        self.maintenance.add("state", check)

    async def run_services(self) -> None:
        """Run everything but the server; ends by cancellation alone."""
        keep = self.supervisor.keep
        async with asyncio.TaskGroup() as group:
            group.create_task(keep("ingest", self.ingest.run))
            group.create_task(keep("keyword view", self.keyword.run))
            group.create_task(keep("linker", self.linker.run))
            group.create_task(keep("loop lag", self.lag.run))
            group.create_task(keep("maintenance", self.maintenance.run))
            group.create_task(keep("checkup", self.soundness.run))
            group.create_task(keep("purge", self.purger.run))
            group.create_task(keep("governor", self.governor.run))
            group.create_task(self.index.run(keep))
            group.create_task(keep("reload", self.reloader.run))
            if self.textfile is not None:
                group.create_task(keep("metrics", self.textfile.run))
            if self.index.chains is not None:
                group.create_task(self.index.chains.run(keep))


async def build(settings: Settings, stack: AsyncExitStack, credentials: Mapping[str, str]) -> Daemon:
    """Open everything below the (locked) state directory; ``stack`` closes it again in the opposite order.
    ``credentials`` are the keys of providers, by name.

    Raises:
        AgentdError: the state cannot be used. Models that cannot be used are no error.
    """
    threads = Threads()
    stack.callback(threads.close)
    metrics = Metrics()
    pool = Pool(settings.compute, metrics=metrics)
    starting = asyncio.create_task(pool.start())
    try:
        stores = await open_stores(settings, pool, starting, threads, stack)
    except BaseException:
        await asyncio.wait([starting])
        await pool.stop(0)
        raise
    stack.push_async_callback(pool.stop, WORKER_GRACE_SECONDS)
    daemon = Daemon(settings, pool, stores, threads, metrics)
    daemon.models.providers = await open_providers(
        settings, credentials, daemon.gate, pool, stores.catalogue.probes, metrics, stack
    )
    await daemon.open_vectors(daemon.models.providers)
    stack.push_async_callback(daemon.web.close)
    await daemon.web.open(settings)
    await adopt_answers(daemon, settings)
    stack.push_async_callback(daemon.agents.close)
    await daemon.agents.adopt(settings)
    await daemon.reranker.prepare()
    return daemon
