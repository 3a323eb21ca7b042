"""A pipeline whose sources, model and files do as the test says; everything between them is real."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Any

from agentd.answer.binding import Binder
from agentd.answer.contracts import Passage, Question, Retrieved, SourceName
from agentd.answer.grounding import Grounder
from agentd.answer.literal import LiteralSupport, WholePassages
from agentd.answer.pipeline import Asked, Asker
from agentd.config.settings import AnswerSettings, ChatSettings
from agentd.domain import Filter
from agentd.errors import AgentdError, NotFoundError
from agentd.kernels.secrets import find_secrets, mask
from agentd.providers.contracts import ChatRequest, Finished, Text, Usage
from agentd.retrieval.analysis import analyse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence

    from agentd.answer.contracts import Off, Source
    from agentd.answer.records import Answer
    from agentd.protocol import Span
    from agentd.providers.contracts import ChatEvent

ROOT = "/r"
FILES = {
    f"{ROOT}/retry.py": "import time\n\nTRIES = 3\n\ndef retry(call):\n    return call(TRIES)\n",
    f"{ROOT}/clock.py": "def now():\n    return 42\n",
}


class Disk:
    """Files by path, which a test may change."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)
        self.extracted: dict[str, list[tuple[int, int, str]]] = {}

    async def read_span(self, path: str, start_line: int, end_line: int | None, *, masked: bool = False) -> Span:
        if path not in self.files:
            raise NotFoundError(f"{path} is gone")
        lines = self.files[path].splitlines(keepends=True)
        if start_line > len(lines):
            raise NotFoundError(f"{path} has {len(lines)} lines")
        if masked:
            lines = mask(self.files[path], find_secrets(self.files[path])).splitlines(keepends=True)
        text = "".join(lines[start_line - 1 : end_line])
        return {
            "path": path,
            "root": ROOT,
            "start_line": start_line,
            "end_line": end_line or len(lines),
            "total_lines": len(lines),
            "text": text,
            "cut": False,
        }

    async def texts(self, path: str) -> list[tuple[int, int, str]]:
        known = self.extracted.get(path)
        return known if known is not None else [(1, 9, self.files[path])] if path in self.files else []

    async def refresh(self, _paths: Iterable[str], _within: float) -> bool:
        return True


class ScriptedSource:
    """Gives ``passages`` after ``delay`` seconds, or raises."""

    def __init__(
        self, passages: Sequence[Passage] = (), *, delay: float = 0.0, error: BaseException | None = None
    ) -> None:
        self._passages = passages
        self._delay = delay
        self._error = error

    async def retrieve(self, _question: Question) -> Retrieved:
        await asyncio.sleep(self._delay)  # the latency of what it stands for
        if self._error is not None:
            raise self._error
        return Retrieved(list(self._passages))


class ScriptedChat:
    """Streams what ``script`` makes of each request; an error in it is raised, a number is a pause in seconds."""

    name = "scripted/model"

    def __init__(self, script: Callable[[ChatRequest], Iterable[Any]], context_tokens: int = 8192) -> None:
        self.context_tokens = context_tokens
        self.requests: list[ChatRequest] = []
        self._script = script

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        self.requests.append(request)
        for event in self._script(request):
            if isinstance(event, AgentdError):
                raise event
            if isinstance(event, (int, float)):
                await asyncio.sleep(event)
            else:
                yield Text(event) if isinstance(event, str) else event


def done(stop: Any = "end") -> Finished:
    return Finished("scripted", "model", stop, Usage(100, 10, counted=True))


def writes(*pieces: object) -> ScriptedChat:
    """A model that writes ``pieces`` and ends."""
    return ScriptedChat(lambda _request: [*pieces, done()])


class Memory:
    """Keeps answers in a list."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    async def put(self, answer: Answer) -> None:
        self.answers.append(answer)


def passage(name: str = "retry.py", start: int = 3, end: int = 3, text: str = "", **fields: Any) -> Passage:
    """Lines of one of FILES, or other text."""
    path = f"{ROOT}/{name}"
    lines = FILES.get(path, "").splitlines(keepends=True)
    there = {"source": SourceName.DOCUMENTS, "path": path, "root": ROOT} | fields
    return Passage(text=text or "".join(lines[start - 1 : end]), start_line=start, end_line=end, **there)


def page(url: str, text: str) -> Passage:
    """A part of a page of the web."""
    return Passage(source=SourceName.WEB, url=url, title="A page", text=text, start_line=1, end_line=1)


def question(
    text: str = "how many tries are there?", *, seconds: float = math.inf, roots: Sequence[str] = (ROOT,)
) -> Question:
    deadline = time.monotonic() + min(seconds, 3600.0)  # one made as a module is read serves its last test, too
    return Question(text, frozenset(roots), Filter(), analyse(text), 10, deadline)


class Pipeline:
    """Asks, and keeps what was streamed in ``events``."""

    def __init__(self, chat: ScriptedChat | None = None, files: Mapping[str, str] = FILES) -> None:
        self.disk = Disk(files)
        self.memory = Memory()
        self.events: list[Mapping[str, Any]] = []
        self.grounder = Grounder(self.disk, self.disk, self.disk)
        self.binder = Binder(self.grounder, LiteralSupport(0.5))
        self.asker = Asker(AnswerSettings(), ChatSettings(), chat, WholePassages(), self.binder, self.memory)

    async def emit(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)

    async def ask(self, sources: Mapping[SourceName, Source | Off], asked: Question | None = None) -> Answer:
        return await self.asker.ask(Asked(asked or question(), [], 512), sources, self.emit)

    async def answer(self, *passages: Passage, text: str = "how many tries are there?") -> Answer:
        """The answer to a question for which documents give ``passages``."""
        return await self.ask({SourceName.DOCUMENTS: ScriptedSource(passages)}, question(text))

    @property
    def streamed(self) -> str:
        """What a client shows in the end."""
        shown = ""
        for event in self.events:
            shown = "" if event["event"] == "discarded" else shown + event.get("text", "")
        return shown
