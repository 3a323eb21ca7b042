"""From what several sources found to one ranking, each piece of text once. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from agentd.answer.contracts import SourceName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentd.answer.contracts import Passage

RRF_K = 10
"""As in search: small, so that the first few of each list count."""

WEIGHTS = {SourceName.DOCUMENTS: 1.0, SourceName.GRAPH: 0.6, SourceName.WEB: 0.5}
"""A ranked search answers the question; the graph knows what it names and what is around that; the web is anybody's."""


def merge(found: Mapping[SourceName, Sequence[Passage]], limit: int) -> list[Passage]:
    """The best ``limit`` passages of all sources, best first, by weighted reciprocal rank.

    Passages that share lines count as one, which is as the first source in ``found`` has it. What changed on disk and
    was not read again comes last.
    """
    merged: list[Passage] = []
    at: defaultdict[str, list[int]] = defaultdict(list)
    for source, passages in found.items():
        for rank, passage in enumerate(passages, start=1):
            score = WEIGHTS[source] / (RRF_K + rank)
            same = next((each for each in at[passage.place] if overlap(merged[each], passage)), None)
            if same is None:
                at[passage.place].append(len(merged))
                merged.append(replace(passage, score=score))
            else:
                merged[same] = _joined(merged[same], passage, score)
    return sorted(merged, key=lambda passage: (passage.stale, -passage.score))[:limit]


def overlap(one: Passage, other: Passage) -> bool:
    """Whether two passages of one file or page share lines."""
    return one.start_line <= other.end_line and other.start_line <= one.end_line


def _joined(first: Passage, again: Passage, score: float) -> Passage:
    return replace(first, score=first.score + score, about=first.about or again.about)
