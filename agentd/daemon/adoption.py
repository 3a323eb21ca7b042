"""Other settings for a daemon that runs: each is handed to those who read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentd.config.settings import Settings
    from agentd.daemon.bootstrap import Daemon


async def adopt(daemon: Daemon, settings: Settings) -> None:
    """Put ``settings`` in force, of which only what may change live differs from those before."""
    if settings.limits.watches != daemon.settings.limits.watches:
        daemon.index.limit_watches(settings.limits.watches)
    daemon.settings = settings
    daemon.searcher.settings = daemon.services.settings = settings.search
    daemon.reranker.settings = settings.rerank
    daemon.reader.max_bytes = settings.index.max_file_bytes
    daemon.services.graph.figures.max_bytes = settings.index.max_file_bytes
    daemon.server.reconfigure(daemon.governor.adopt(settings))
    daemon.idle.reconfigure(settings.server.idle_exit_seconds)
    if daemon.index.chains is not None:
        daemon.index.chains.adopt()
    await daemon.agents.adopt(settings)
    await adopt_answers(daemon, settings)


async def adopt_answers(daemon: Daemon, settings: Settings) -> None:
    """What answers are made with."""
    answers = daemon.answers
    answers.adopt(settings)
    if (providers := daemon.models.providers) is not None:
        providers.adopt(settings)
        answers.asker.chat = providers.chat
    await daemon.web.adopt(settings)
    answers.web = daemon.web.retriever
