"""What the server's handlers ask of the ask pipeline, and its composition."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal, cast

import msgspec

from agentd.answer.binding import Binder
from agentd.answer.contracts import Off, Question, SourceName
from agentd.answer.expansion import Expander
from agentd.answer.extract import Excerpts
from agentd.answer.grounding import Grounder
from agentd.answer.keeping import ANSWER, Keeper
from agentd.answer.literal import LiteralSupport, WholePassages
from agentd.answer.pipeline import Asked, Asker
from agentd.answer.sources import Documents, GraphSource, Web
from agentd.answer.support import EmbeddingSupport
from agentd.answer.verification import verify
from agentd.daemon.scope import root_ids
from agentd.domain import Filter
from agentd.errors import BusyError
from agentd.retrieval.analysis import analyse
from agentd.retrieval.extracted import ExtractedTexts
from agentd.retrieval.neighbourhood import Neighbourhood
from agentd.retrieval.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from agentd import protocol as p
    from agentd.answer.contracts import Source
    from agentd.compute.pool import Pool
    from agentd.config.settings import Settings
    from agentd.daemon.records import Records
    from agentd.indexing.index import Index
    from agentd.providers.web.contracts import WebRetriever
    from agentd.retrieval.files import FileReader
    from agentd.retrieval.freshness import Freshness
    from agentd.retrieval.multi import MultiSearcher
    from agentd.server import answer_params as a
    from agentd.server.params import PageParams
    from agentd.storage.catalogue import Catalogue
    from agentd.storage.kept_table import Head

    Emit = Callable[[Mapping[str, object]], Awaitable[None]]

MOST_AT_ONCE = 8
"""Answers that are being made; each holds its passages and, most of the time, waits for a model."""
RETRY_MILLISECONDS = 2000
LONGEST_SECONDS = 600.0
"""For an answer without a deadline; a model that goes silent is given up long before."""


class DaemonAnswers:
    """Satisfies ``agentd.server.services.AnswerServices``. ``web`` and ``asker.chat`` are None where there is none."""

    def __init__(
        self,
        settings: Settings,
        index: Index,
        catalogue: Catalogue,
        searches: MultiSearcher,
        freshness: Freshness,
        reader: FileReader,
        records: Records,
    ) -> None:
        self.web: WebRetriever | None = None
        self._settings = settings
        self._index = index
        self._catalogue = catalogue
        self._searches = searches
        self.records = records
        self._running = 0
        self._graph = GraphSource(Neighbourhood(catalogue, freshness))
        self._grounder = Grounder(reader, ExtractedTexts(catalogue, index), index)
        self._keeper = Keeper(ANSWER, records.store, records.refuse_removed)
        self.binder = Binder(self._grounder, LiteralSupport(settings.answer.min_support))
        self.asker = Asker(settings.answer, settings.chat, None, WholePassages(), self.binder, self._keeper)

    def judge_by_meaning(self, pool: Pool, directory: str, max_tokens: int) -> None:
        """Judge sentences and narrow passages with the embedding model in ``directory`` from now on."""
        self.asker.extractor = Excerpts(pool, directory, max_tokens, Scopes(self._catalogue, self._index))
        self.binder.checker = EmbeddingSupport(pool, directory, max_tokens, self._settings.answer.min_support)

    def adopt(self, settings: Settings) -> None:
        """Take other settings from now on."""
        self._settings = settings
        self.binder.checker.least = settings.answer.min_support
        self.asker.settings, self.asker.chat_settings = settings.answer, settings.chat

    async def ask(self, params: a.AskParams, deadline: float | None, emit: Emit) -> p.Answered:
        """Answer, if not too many others are being answered."""
        if self._running >= MOST_AT_ONCE:
            raise BusyError(f"{MOST_AT_ONCE} answers are being made; try again", retry_after_ms=RETRY_MILLISECONDS)
        asked = self._asked(params, deadline)
        self._running += 1
        try:
            answer = await self.asker.ask(asked, self._sources(asked.question, web=params.web), emit)
        finally:
            self._running -= 1
        return cast("p.Answered", msgspec.to_builtins(answer))

    async def get(self, answer_id: str) -> p.Answered:
        """Give an answer again."""
        return cast("p.Answered", msgspec.to_builtins(await self._keeper.get(answer_id)))

    async def verify(self, answer_id: str) -> p.Verification:
        """Compare what it cites with the disk."""
        return await verify(await self._keeper.get(answer_id), self._grounder)

    async def list(self, params: PageParams) -> p.AnswerList:
        """List answers."""
        page = await self.records.page(params.before, params.limit)
        return {
            "answers": [answer_head(each) for each in page.heads],
            "total": page.total,
            "next": page.next,
        }

    async def maintain(self) -> int:
        """Delete answers that were kept for long enough, and those of removed roots; returns how many."""
        limits = self._settings.answer
        return await self.records.maintain(limits.keep_days, limits.keep_count)

    def _asked(self, params: a.AskParams, deadline: float | None) -> Asked:
        loop = asyncio.get_running_loop()
        seconds = LONGEST_SECONDS if deadline is None else deadline - loop.time()
        ids = root_ids(self._index.keepers, params.roots)
        kept = {keeper.root.id: path for path, keeper in self._index.keepers.items()}
        named = [kept[each] for each in ids]
        question = Question(
            text=params.question,
            roots=frozenset(named or kept.values()),
            only=Filter(roots=ids),
            analysis=analyse(params.question),
            passages=params.limit or self._settings.answer.passages,
            deadline=time.monotonic() + seconds,
        )
        most = self._settings.chat.max_answer_tokens
        return Asked(question, named, min(params.max_tokens or most, most))

    def _sources(self, question: Question, *, web: bool) -> dict[SourceName, Source | Off]:
        chat = self.asker.chat
        return {
            SourceName.DOCUMENTS: Documents(self._searches, None if chat is None else Expander(chat)),
            SourceName.GRAPH: self._graph,
            SourceName.WEB: self._web_source(question.roots, wanted=web),
        }

    def _web_source(self, roots: Iterable[str], *, wanted: bool) -> Source | Off:
        """The web where it is asked for, configured, and allowed for every root that the question is about."""
        if not wanted:
            return Off("not asked for")
        if self.web is None:
            return Off("no server is configured: name one in [web] searxng")
        refusing = sorted(root for root in roots if "web" not in self._settings.rule(root).egress)
        if refusing:
            return Off(f'the configuration does not allow it for {refusing[0]}: egress = ["web"] in its [[root]] would')
        return Web(self.web)


def answer_head(head: Head) -> p.AnswerHead:
    """An answer in a list."""
    return {
        "id": head.id,
        "at": head.at,
        "mode": cast("Literal['generated', 'extractive']", head.label),
        "question": head.text,
    }
