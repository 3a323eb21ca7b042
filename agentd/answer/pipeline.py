"""A question on its way to an answer: retrieve, merge, write, bind to sources, judge, keep."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import structlog
from msgspec import Struct

from agentd.answer.cleaning import Cleaner
from agentd.answer.contracts import Question
from agentd.answer.gather import gather
from agentd.answer.generation import Writer
from agentd.answer.literal import WholePassages
from agentd.answer.merge import merge
from agentd.answer.prompt import build_prompt
from agentd.answer.records import Answer, new_id
from agentd.errors import AgentdError, DeadlineError
from agentd.providers.contracts import ChatRequest, Outgoing, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentd.answer.binding import Binder, Bound
    from agentd.answer.contracts import Extractor, Off, Passage, Source, SourceName, SourceStatus
    from agentd.answer.gather import Outcome
    from agentd.answer.generation import Emit
    from agentd.answer.prompt import Prompt
    from agentd.config.settings import AnswerSettings, ChatSettings
    from agentd.providers.contracts import ChatModel, Finished

log = structlog.get_logger(__name__)

RESERVE_SECONDS = 0.3
"""Before the deadline, kept for what follows after retrieval and after writing."""
RETRIEVAL_SHARE = 0.5
"""Of the time to the deadline that retrieval may take where a model is to write afterwards."""
NOTHING = "Nothing that is indexed seems to answer this."
NOT_ALL_SEARCHED = "Nothing was found that answers this, but the search was not complete."


class Keeps(Protocol):
    """Who keeps answers."""

    async def put(self, answer: Answer) -> None:
        """Keep a finished answer. Raises StateUnusableError."""
        ...


class Draft(NamedTuple):
    """A text whose numbers, from 1, stand for ``passages``."""

    text: str
    passages: list[Passage]
    mode: Literal["generated", "extractive"]
    model: str = ""
    usage: Usage = Usage()
    problems: tuple[str, ...] = ()


class Asked(Struct, frozen=True):
    """A question and what the answer to it may take. ``named`` are the roots that were asked for by name."""

    question: Question
    named: list[str]
    max_tokens: int


class Stages:
    """Milliseconds of each stage of an answer, from the moment that it was asked."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self.began = self._last = time.monotonic()

    def ended(self, stage: str) -> None:
        """Note that ``stage``, which began when the one before it ended, is over."""
        now = time.monotonic()
        self.timings[stage], self._last = milliseconds(now - self._last), now

    def passed(self, moment: str) -> None:
        """Note when ``moment`` came first, counted from the beginning."""
        self.timings.setdefault(moment, milliseconds(time.monotonic() - self.began))


class Asker:
    """Answers questions. ``chat`` and the settings may be replaced while it runs."""

    def __init__(
        self,
        settings: AnswerSettings,
        chat_settings: ChatSettings,
        chat: ChatModel | None,
        extractor: Extractor,
        binder: Binder,
        store: Keeps,
    ) -> None:
        self.settings = settings
        self.chat_settings = chat_settings
        self.chat = chat
        self.extractor = extractor
        self._binder = binder
        self._store = store

    async def ask(self, asked: Asked, sources: Mapping[SourceName, Source | Off], emit: Emit) -> Answer:
        """The answer to a question; ``emit`` is told of each source as it ends, and of the text as it is written.

        Raises:
            DeadlineError: no source was ready in time.
            StateUnusableError: the answer cannot be kept.
        """
        question, stages = asked.question, Stages()

        async def told(name: SourceName, status: SourceStatus) -> None:
            await emit({"event": "source", "name": name, "status": status})

        outcomes = await gather(sources, question, self._patience(question), told)
        stages.ended("retrieval")
        passages = merge({name: each.retrieved.passages for name, each in outcomes.items()}, question.passages)
        # Sources restrict themselves to the roots that were asked; nothing else gets past here, whatever they do.
        passages = [each for each in passages if not each.path or each.root in question.roots]
        refuse_if_late(outcomes, passages)
        passages, changed = await self._binder.standing(passages)
        stages.ended("merging")
        missing = any(each.retrieved.problems or each.status.state == "failed" for each in outcomes.values())
        draft = await self._draft(asked, passages, emit, stages, nothing=NOT_ALL_SEARCHED if missing else NOTHING)
        stages.ended("writing")
        bound = await self._binder.bind(draft.text, draft.passages, generated=draft.mode == "generated")
        stages.ended("binding")
        stages.passed("total")
        answer = record(asked, outcomes, draft, bound, stages.timings, changed)
        await self._store.put(answer)
        return answer

    def _patience(self, question: Question) -> float:
        """Seconds for retrieval."""
        limit = self.settings.source_limit_milliseconds / 1000
        left = question.deadline - time.monotonic()
        return min(limit, left * RETRIEVAL_SHARE if self.chat is not None else left - RESERVE_SECONDS)

    async def _draft(
        self, asked: Asked, passages: Sequence[Passage], emit: Emit, stages: Stages, *, nothing: str
    ) -> Draft:
        """What is answered, as far as it goes: by the model, else in the words of the passages, else ``nothing``."""
        if not passages:
            return await self._said(Draft(nothing, [], "extractive"), emit)
        if self.chat is None:
            return await self._extracted(asked, passages, emit, ())
        try:
            async with asyncio.timeout(max(0.0, asked.question.deadline - RESERVE_SECONDS - time.monotonic())):
                return await self._generated(self.chat, asked, passages, noting(emit, stages))
        except TimeoutError:
            await emit({"event": "discarded", "reason": "the answer was not finished before the deadline"})
            problem = f"{self.chat.name} had not finished before the deadline"
        except AgentdError as error:
            log.warning("answer_not_generated", kind=error.kind, error=error.message)
            problem = error.message
        return await self._extracted(asked, passages, emit, (f"no model wrote this answer: {problem}",))

    async def _generated(self, chat: ChatModel, asked: Asked, passages: Sequence[Passage], emit: Emit) -> Draft:
        question = asked.question
        room = chat.context_tokens - asked.max_tokens
        prompt = build_prompt(question.text, passages, room)
        addresses = {each.url for each in prompt.passages if each.url}

        def cleaner() -> Cleaner:
            return Cleaner(len(prompt.passages), addresses, hidden=[prompt.system], markers=[prompt.boundary])

        writer = Writer(chat, cleaner, emit)
        request = ChatRequest(
            prompt.messages,
            Outgoing("chat", question.roots),
            asked.max_tokens,
            temperature=self.chat_settings.temperature,
        )
        written = await writer.write(request)
        problems = (*written.problems, *left_out(prompt))
        return Draft(
            written.text, prompt.passages, "generated", model_of(written.finished), written.finished.usage, problems
        )

    async def _extracted(
        self, asked: Asked, passages: Sequence[Passage], emit: Emit, problems: tuple[str, ...]
    ) -> Draft:
        return await self._said(await extracted(self.extractor, asked.question.text, passages, problems), emit)

    @staticmethod
    async def _said(draft: Draft, emit: Emit) -> Draft:
        await emit({"event": "chunk", "text": draft.text})
        return draft


async def extracted(
    extractor: Extractor, question: str, passages: Sequence[Passage], problems: tuple[str, ...]
) -> Draft:
    """The parts of ``passages`` (best first, not empty) that answer best; whole ones where they cannot be narrowed."""
    try:
        extract = await extractor.extract(question, passages)
    except AgentdError as error:
        problems = (*problems, f"passages are shown whole: {error.message}")
        extract = await WholePassages().extract(question, passages)
    return Draft(extract.text, extract.passages, "extractive", problems=problems)


def noting(emit: Emit, stages: Stages) -> Emit:
    """``emit``, which also notes when the first text came."""

    async def noted(event: Mapping[str, object]) -> None:
        if event["event"] == "chunk":
            stages.passed("first_text")
        await emit(event)

    return noted


def refuse_if_late(outcomes: Mapping[SourceName, Outcome], passages: Sequence[Passage]) -> None:
    """Raise DeadlineError where there is nothing to answer from since a source was late: that is no "nothing found"."""
    late = [name for name, each in outcomes.items() if each.status.state == "timed_out"]
    if late and not passages:
        raise DeadlineError(f"nothing was found in time ({', '.join(late)} not ready); allow more with deadline_ms")


def left_out(prompt: Prompt) -> list[str]:
    """What of the passages the model could not be shown."""
    found = []
    if prompt.left_out:
        found.append(f"{prompt.left_out} passages had no room in the model's context")
    if prompt.shortened:
        found.append(f"{prompt.shortened} passages were cut to fit into the model's context")
    return found


def record(
    asked: Asked,
    outcomes: Mapping[SourceName, Outcome],
    draft: Draft,
    bound: Bound,
    timings: dict[str, float],
    problems: Sequence[str],
) -> Answer:
    """All that is known of an answer."""
    searched = [problem for each in outcomes.values() for problem in each.retrieved.problems]
    states = {name: each.status for name, each in outcomes.items() if each.status.state in {"failed", "timed_out"}}
    failed = [f"{name}: {status.reason}" for name, status in states.items()]
    # The model, or whoever reads the extract, has seen text of these, whether it is cited or not.
    seen = {passage.root for passage in draft.passages if passage.root}
    now = time.time()
    return Answer(
        id=new_id(now),
        at=round(now, 3),
        question=asked.question.text,
        answer=bound.text,
        mode=draft.mode,
        model=draft.model,
        citations=bound.citations,
        claims=bound.claims,
        sources={name.value: each.status for name, each in outcomes.items()},
        degraded=list(dict.fromkeys([*draft.problems, *failed, *searched, *problems, *bound.problems])),
        timings=timings,
        usage=total([draft.usage, *(each.retrieved.usage for each in outcomes.values())]),
        roots=sorted(seen | set(asked.named)),
    )


def total(usages: Sequence[Usage]) -> Usage:
    """All of them together; counted where each that took anything was."""
    taken = [each for each in usages if each.input_tokens or each.output_tokens]
    return Usage(
        sum(each.input_tokens for each in taken),
        sum(each.output_tokens for each in taken),
        counted=bool(taken) and all(each.counted for each in taken),
    )


def model_of(finished: Finished) -> str:
    """``PROVIDER/MODEL``."""
    return f"{finished.provider}/{finished.model}"


def milliseconds(seconds: float) -> float:
    """Seconds as they are noted."""
    return round(1000 * seconds, 3)
