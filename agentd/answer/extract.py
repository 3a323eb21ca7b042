"""Answers without a chat model: the lines that answer best, as they stand, each with what it belongs to."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from agentd.answer.contracts import Extract
from agentd.answer.inert import headline, visible
from agentd.compute.pool import Lane
from agentd.kernels.messages import ExcerptRequest
from agentd.kernels.registry import EXCERPT
from agentd.retrieval.analysis import analyse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.answer.contracts import Passage
    from agentd.compute.pool import Pool
    from agentd.kernels.messages import Excerpt

MOST_CITATIONS = 5
MOST_LINES = 120
"""Of all citations together."""
EACH_LINES = MOST_LINES // MOST_CITATIONS
MOST_PER_PLACE = 2
"""Citations of one file or page while another one has passages left."""
OPENING = "No model wrote this: these are the passages that answer best, as they stand."


class Names(Protocol):
    """Who knows which definition lines belong to."""

    async def name_of(self, path: str, start_line: int, end_line: int) -> str:
        """The name of what these lines of ``path`` (absolute) are about; empty where they are in no definition."""
        ...


class Excerpts:
    """Narrows passages to the lines that answer and cites the best. Satisfies Extractor."""

    def __init__(self, pool: Pool, directory: str, max_tokens: int, names: Names) -> None:
        self._names = names
        self._pool = pool
        self._directory = directory
        self._max_tokens = max_tokens

    async def extract(self, question: str, passages: Sequence[Passage]) -> Extract:
        """See Extractor.

        Raises:
            ComputeError: no worker could narrow them.
        """
        chosen = choose(passages)
        request = ExcerptRequest(
            self._directory,
            question,
            [passage.text for passage in chosen],
            EACH_LINES,
            analyse(question).names,
            self._max_tokens,
        )
        result = await self._pool.run(EXCERPT, request, lane=Lane.INTERACTIVE)
        pairs = zip(chosen, result.excerpts, strict=True)
        cited = await asyncio.gather(*(self._named(passage, narrowed(passage, excerpt)) for passage, excerpt in pairs))
        return Extract(written(cited), cited)

    async def _named(self, whole: Passage, part: Passage) -> Passage:
        """``part`` under the name of what it is about: a passage of several definitions has that of one of them."""
        if not whole.symbol or part is whole:
            return part
        first = part.text[: len(part.text) - len(part.text.lstrip())].count("\n")
        return replace(part, symbol=await self._names.name_of(part.path, part.start_line + first, part.end_line))


def choose(passages: Sequence[Passage]) -> list[Passage]:
    """The passages to cite, best first: several places where there are, for one may be wrong."""
    taken: Counter[str] = Counter()
    first: list[Passage] = []
    spare: list[Passage] = []
    for passage in passages:
        taken[passage.place] += 1
        (first if taken[passage.place] <= MOST_PER_PLACE else spare).append(passage)
    return (first + spare)[:MOST_CITATIONS]


def narrowed(passage: Passage, excerpt: Excerpt) -> Passage:
    """The lines of a passage that an excerpt names; the whole, where its text is not the lines of its span."""
    lines = passage.text.splitlines(keepends=True)
    if excerpt.end - excerpt.start >= len(lines):
        return passage
    text = "".join(lines[excerpt.start : excerpt.end])
    if len(lines) != passage.end_line - passage.start_line + 1:  # of a PDF, say, whose lines are pages
        return replace(passage, text=text)
    start = passage.start_line + excerpt.start
    return replace(passage, text=text, start_line=start, end_line=start + excerpt.end - excerpt.start - 1)


def written(passages: Sequence[Passage]) -> str:
    """The answer: for each citation a line that says what it is of, and the excerpt, indented as code."""
    blocks = [
        f"{heading(passage)} [{number}]\n\n{indented(passage.text)}" for number, passage in enumerate(passages, 1)
    ]
    return "\n\n".join((OPENING, *blocks))


def heading(passage: Passage) -> str:
    """What a passage belongs to, in one line: its symbol or title, else its headings, else where it is."""
    place = passage.path.removeprefix(f"{passage.root}/") or passage.url
    what = passage.symbol or passage.title or passage.context or place
    about = f" ({passage.about})" if passage.about else ""
    return headline(f"{what}{about}")


def indented(text: str) -> str:
    """``text`` as a block of code in Markdown, whatever it holds."""
    return "\n".join(f"    {line}".rstrip() for line in visible(text).splitlines())
