"""Answers and judgements by the letter alone, for where nothing better is at hand: whole passages, and words that must
stand in the cited text. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.answer.contracts import Extract, Support
from agentd.answer.expansion import STOPWORDS
from agentd.answer.inert import headline, visible
from agentd.answer.prompt import cut_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.answer.contracts import Passage

MOST_CITATIONS = 5
MOST_LINES = 120

_NUMBER = re.compile(r"(?<![\w.])\d[\d,_]*(?:\.\d+)?(?![\w.]*\w)")
_NAME = re.compile(r"`([^`]+)`")
_QUOTED = re.compile(r"[\"“]([^\"”]{3,})[\"”]")
_WORD = re.compile(r"[^\W\d_]{3,}")


class WholePassages:
    """The best few passages as they are."""

    async def extract(self, question: str, passages: Sequence[Passage]) -> Extract:  # noqa: ARG002  # see Extractor
        """See Extractor."""
        chosen = within_lines(passages[:MOST_CITATIONS], MOST_LINES)
        blocks = [excerpt(number, passage) for number, passage in enumerate(chosen, start=1)]
        return Extract("\n\n".join(("The passages that answer best, as they stand:", *blocks)), chosen)


def excerpt(number: int, passage: Passage) -> str:
    """A passage under a line that says what it is."""
    what = passage.symbol or passage.title or passage.context or passage.place
    return f"{headline(what)} [{number}]\n\n" + "\n".join(f"    {line}" for line in visible(passage.text).splitlines())


def within_lines(passages: Sequence[Passage], lines: int) -> list[Passage]:
    """The first of ``passages`` that have ``lines`` together, the last one cut."""
    chosen: list[Passage] = []
    for passage in passages:
        text = passage.text.removesuffix("\n").split("\n")
        if not lines:
            break
        chosen.append(passage if len(text) <= lines else cut_to(passage, "\n".join(text[:lines])))
        lines -= min(lines, len(text))
    return chosen


class LiteralSupport:
    """A sentence is supported when its numbers, names and quotations, and most of its words, stand in what it cites."""

    def __init__(self, least: float) -> None:
        self.least = least

    async def check(self, sentence: str, spans: Sequence[str]) -> Support:
        """See SupportChecker."""
        return judged(sentence, "\n".join(spans), self.least)


def judged(sentence: str, span: str, least: float) -> Support:
    """Whether ``span`` supports ``sentence``; ``least`` is the share of its words that must stand there."""
    plain, squeezed = span.casefold(), " ".join(span.casefold().split())
    wanted = [*_NUMBER.findall(_NAME.sub("", sentence)), *_NAME.findall(sentence)]
    reasons = [f"{each} is not there" for each in wanted if each.casefold().strip("()") not in plain]
    quoted = (each for each in _QUOTED.findall(sentence) if " ".join(each.casefold().split()) not in squeezed)
    reasons += [f'"{each}" is not said there' for each in quoted]
    words = {word.casefold() for word in _WORD.findall(sentence)} - STOPWORDS
    share = sum(word[:5] in plain for word in words) / len(words) if words else 1.0
    if share < least:
        reasons.append("it says something else")
    return Support(not reasons, round(share, 4), tuple(reasons))
