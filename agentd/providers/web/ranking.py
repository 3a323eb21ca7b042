"""Passages of pages, and which of them say most about a query."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agentd.errors import BusyError, ComputeError
from agentd.kernels.web_messages import WebRankRequest
from agentd.providers.web.contracts import WebPassage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.providers.web.contracts import Page, Workers

MAX_PASSAGES = 12
PAGE_PASSAGES = 4
"""Of one page, so that a long one does not hide the others."""

MAX_RANKED = 600
"""Passages that are scored, some 700 KB; of each page the first ones."""


def passages_of(page: Page, most: int) -> list[WebPassage]:
    """The first ones of a page, each with the lines that it stands on."""
    lines = page.text.split("\n")
    return [
        WebPassage(page.url, page.title, "\n".join(lines[start - 1 : end]), start, end, context, 0.0, page.hash)
        for start, end, context in ((each.start_line, each.end_line, each.context) for each in page.passages[:most])
    ]


async def rank(
    workers: Workers, query: str, passages: list[WebPassage], seconds: float, of_a_page: int = PAGE_PASSAGES
) -> tuple[list[WebPassage], str]:
    """The best passages; where they cannot be scored in time, the first ones as they come, and why."""
    if not passages:
        return [], ""
    request = WebRankRequest(query, [f"{each.title}\n{each.context}\n{each.text}" for each in passages])
    try:
        async with asyncio.timeout(seconds):
            return _best(passages, (await workers.score(request)).scores, of_a_page), ""
    except TimeoutError:
        reason = "there was no time left"
    except (ComputeError, BusyError) as error:
        reason = error.message
    in_order = [1.0 / (1 + place) for place in range(len(passages))]
    return _best(passages, in_order, of_a_page), f"passages of the web are not ranked: {reason}"


def _best(passages: Sequence[WebPassage], scores: Sequence[float], of_a_page: int) -> list[WebPassage]:
    taken: Counter[str] = Counter()
    best: list[WebPassage] = []
    for score, passage in sorted(zip(scores, passages, strict=True), key=lambda pair: -pair[0]):
        if score <= 0 or len(best) == MAX_PASSAGES:
            break
        if taken[passage.url] < of_a_page:
            taken[passage.url] += 1
            best.append(replace(passage, score=score))
    return best
