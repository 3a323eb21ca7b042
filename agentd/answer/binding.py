"""From numbers in a text to citations that can be checked: each stands on disk now, each sentence is judged."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from agentd.answer.contracts import Ground, Standing
from agentd.answer.marks import cited, without_marks
from agentd.answer.records import Citation, Claim, text_hash
from agentd.answer.sentences import sentences
from agentd.errors import AgentdError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.answer.contracts import Passage, SupportChecker
    from agentd.answer.grounding import Grounder
    from agentd.answer.sentences import Sentence

JUDGING_SECONDS = 5.0
"""For all sentences of an answer together; those that are not judged by then are said to be that."""
JUDGED_AT_ONCE = 4
"""Sentences of one answer. A model may write thousands, and the workers' queue is everybody's."""
LONGEST_JUDGED = 2000
"""Characters. What is longer is no sentence that anybody reads, and some of its checks grow with the square of it."""
_ENDLESS = re.compile(r"(\S{200})\S+")
"""No word, and the reading of one may take as long as the square of it."""
STANDS = frozenset({Standing.CURRENT, Standing.MOVED, Standing.UNCHECKED})
UNCITED = "it cites nothing"


class Bound(NamedTuple):
    """A text, the citations in it, its sentences judged, and what there is to say about them."""

    text: str
    citations: list[Citation]
    claims: list[Claim]
    problems: list[str]


class Binder:
    """Binds answers to their sources."""

    def __init__(self, grounder: Grounder, checker: SupportChecker) -> None:
        self.checker = checker
        self._grounder = grounder

    async def standing(self, passages: Sequence[Passage]) -> tuple[list[Passage], list[str]]:
        """Those of ``passages`` whose text is on disk now, at the lines where it is; and what was left out."""
        grounds = await asyncio.gather(*map(self._ground, passages))
        kept = [moved(passage, ground) for passage, ground in zip(passages, grounds, strict=True) if stands(ground)]
        gone = len(passages) - len(kept)
        return kept, [f"{gone} passages changed on disk meanwhile and were left out"] if gone else []

    async def bind(
        self, text: str, passages: Sequence[Passage], *, generated: bool, seconds: float = JUDGING_SECONDS
    ) -> Bound:
        """Citations of ``passages`` by the numbers in ``text``, all of them where nothing was ``generated``.

        A citation whose text is no longer on disk is taken out, of the text too. Sentences are judged for at most so
        many ``seconds``, and never for longer than JUDGING_SECONDS.
        """
        numbers = cited(text) if generated else list(range(1, len(passages) + 1))
        shown = {number: passages[number - 1] for number in numbers if 1 <= number <= len(passages)}
        grounds = dict(zip(shown, await asyncio.gather(*map(self._ground, shown.values())), strict=True))
        there = {number: moved(shown[number], ground) for number, ground in grounds.items() if stands(ground)}
        lost = [number for number in numbers if number not in there]
        problems = [f"citation {number} was taken out: its text is no longer on disk" for number in lost]
        text = without_marks(text, lost) if lost and generated else text
        claims = await self._claims(text, there, min(seconds, JUDGING_SECONDS)) if generated else []
        if generated and not there:
            problems.append("the model cited no source: nothing in this answer can be checked")
        if any(claim.supported is None for claim in claims):
            problems.append("some sentences could not be judged")
        citations = [citation(number, passage, claims) for number, passage in sorted(there.items())]
        return Bound(text, citations, claims, problems)

    async def _ground(self, passage: Passage) -> Ground:
        if not passage.path:
            return Ground(Standing.UNCHECKED, passage.start_line, passage.end_line)
        return await self._grounder.look(passage.path, passage.start_line, passage.end_line, passage.text)

    async def _claims(self, text: str, there: dict[int, Passage], seconds: float) -> list[Claim]:
        until = asyncio.get_running_loop().time() + seconds
        turns = asyncio.Semaphore(JUDGED_AT_ONCE)
        return await asyncio.gather(*(self._claim(sentence, there, until, turns) for sentence in sentences(text)))

    async def _claim(
        self, sentence: Sentence, there: dict[int, Passage], until: float, turns: asyncio.Semaphore
    ) -> Claim:
        if not sentence.citations:
            return Claim(sentence.text, [], supported=False, reasons=[UNCITED])
        if len(sentence.text) > LONGEST_JUDGED:
            reason = f"it is longer than {LONGEST_JUDGED} characters, and was not judged"
            return Claim(sentence.text, sentence.citations, None, [reason])
        spans = [_ENDLESS.sub(r"\1", there[number].text) for number in sentence.citations if number in there]
        try:
            async with asyncio.timeout_at(until), turns:
                support = await self.checker.check(_ENDLESS.sub(r"\1", sentence.text), spans)
        except TimeoutError:
            return Claim(sentence.text, sentence.citations, None, ["it was not judged in time"])
        except AgentdError as error:
            return Claim(sentence.text, sentence.citations, None, [error.message])
        return Claim(sentence.text, sentence.citations, support.supported, list(support.reasons))


def stands(ground: Ground) -> bool:
    """Whether the text is there, as far as can be seen."""
    return ground.standing in STANDS


def moved(passage: Passage, ground: Ground) -> Passage:
    """The passage at the lines where its text is now."""
    return replace(passage, start_line=ground.start_line, end_line=ground.end_line, stale=False)


def citation(number: int, passage: Passage, claims: Sequence[Claim]) -> Citation:
    """What ``number`` stands for. It is supported where every sentence that cites it is; of an extract it always is."""
    verdicts = {claim.supported for claim in claims if number in claim.citations}
    return Citation(
        n=number,
        start_line=passage.start_line,
        end_line=passage.end_line,
        hash=text_hash(passage.text),
        text=passage.text,
        source=passage.source,
        supported=UNSET if None in verdicts else False not in verdicts,
        path=passage.path or UNSET,
        root=passage.root or UNSET,
        url=passage.url or UNSET,
        title=passage.title,
        symbol=passage.symbol,
    )
