"""From a ranking of chunks to an answer of the size that was asked for.

Neighbours become one passage, no file takes more than its share, what is beyond the limit is left out, and the rest is
cut to a budget of tokens. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct
from msgspec.structs import replace

from agentd.retrieval.budget import estimate_tokens, head_within
from agentd.retrieval.passages import Passage
from agentd.retrieval.results import FoundBy, Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgspec import UnsetType

    from agentd.retrieval.results import Hit, SearchQuery

BLANK_LINES = 2
"""Blank lines that may lie between neighbours: as many as PEP 8 puts between two functions."""

MERGED_LINES = 120
MERGED_BYTES = 6_000
"""No merged passage grows beyond these: five chunks of the default size. A reader who wants more can ask for it."""

BUDGET_BYTES = 1
"""Bytes of a merged passage for each token of a budget: at three or four to a token it takes a third at most."""

HIT_TOKENS = 12
"""What the line numbers, the score and the language of a hit cost beside its path, names and text."""


class Selection(Struct, frozen=True):
    """The passages of an answer, and how many were left out because their file had its share."""

    passages: list[Passage]
    crowded: int


class Packed(Struct, frozen=True):
    """The passages as they are shown, what was left out or cut in words, and the same in figures."""

    passages: list[Passage]
    cut: list[str]
    totals: Totals


def select(ranked: Sequence[Passage], query: SearchQuery) -> Selection:
    """The best ``query.limit`` of ``ranked`` (best first), merged and shared among files as the query says.

    No more of the ranking is considered than it takes to fill the answer, so that a neighbour which would not be shown
    for itself does not make a hit longer. It grows by a quarter at least, which bounds the rounds.
    """
    count = query.limit
    most_bytes = min(MERGED_BYTES, query.max_tokens * BUDGET_BYTES) if query.max_tokens else MERGED_BYTES
    while True:
        considered = ranked[:count]
        merged = merge_neighbours(considered, most_bytes) if query.merge else considered
        kept, crowded = share_files(merged, query.limit, query.max_per_file)
        if len(kept) == query.limit or count >= len(ranked):
            return Selection(kept, crowded)
        count += max(query.limit - len(kept), count // 4)


def pack(passages: list[Passage], crowded: int, query: SearchQuery) -> Packed:
    """Cut what was selected to ``query.max_tokens`` (0: as long as it is) and count it."""
    costs = [hit_tokens(passage.hit) for passage in passages]
    shown = fit_tokens(passages, query.max_tokens) if query.max_tokens else passages
    cut = {
        "max_per_file": crowded,
        "max_tokens": len(costs) - len(shown),
        "shortened": sum(passage.hit.cut is True for passage in shown),
    }
    totals = Totals(
        hits=len(costs),
        files=len({passage.document_id for passage in passages}),
        tokens=sum(costs),
        cut={reason: count for reason, count in cut.items() if count},
    )
    return Packed(shown, cut_in_words(totals.cut, query), totals)


def merge_neighbours(ranked: Sequence[Passage], most_bytes: int = MERGED_BYTES) -> list[Passage]:
    """Join passages of one file that follow upon one another; each takes the place and the score of its best part."""
    places = {passage.chunk_ids: place for place, passage in enumerate(ranked)}
    merged: list[tuple[int, Passage]] = []
    for passages in by_document(ranked):
        run = [passages[0]]
        for passage in passages[1:]:
            if joint(run[-1], passage) is None or too_large(run[0], passage, most_bytes):
                merged.append(join(run, places))
                run = []
            run.append(passage)
        merged.append(join(run, places))
    return [passage for _, passage in sorted(merged, key=lambda placed: placed[0])]


def by_document(ranked: Iterable[Passage]) -> list[list[Passage]]:
    """The passages of each document, in the order of the file."""
    documents: defaultdict[int, list[Passage]] = defaultdict(list)
    for passage in ranked:
        documents[passage.document_id].append(passage)
    return [sorted(each, key=lambda passage: (passage.start_byte, passage.chunk_ids)) for each in documents.values()]


def joint(upper: Passage, lower: Passage) -> str | None:
    r"""What stands between two passages: line ends alone, nothing between pieces of one long line, else None.

    Chunks are disjoint, and whole lines save for the pieces of a line that is too long. So where no more bytes lie
    between than the line ends take, the lines between are empty. Text that was extracted has bytes between that it does
    not show, or shares its span as the pieces of a page of a PDF do: such passages stay apart.
    """
    gap = lower.start_byte - upper.end_byte
    lines = lower.hit.start_line - upper.hit.end_line
    if not 0 <= lines <= BLANK_LINES + 1:
        return None
    if gap == lines:
        return "\n" * gap
    two_bytes = lines == 1 or "\r\n" in upper.hit.text or "\r\n" in lower.hit.text
    return "\r\n" * lines if gap == 2 * lines and two_bytes else None


def too_large(first: Passage, last: Passage, most_bytes: int) -> bool:
    """Whether a passage from ``first`` to ``last`` would be more than a reader wants at once."""
    lines = last.hit.end_line - first.hit.start_line + 1
    return lines > MERGED_LINES or last.end_byte - first.start_byte > most_bytes


def join(run: Sequence[Passage], places: dict[tuple[int, ...], int]) -> tuple[int, Passage]:
    """(place in the ranking, passage) of neighbours in the order of the file; ``places`` are those of each."""
    place, best = min((places[passage.chunk_ids], passage) for passage in run)
    if len(run) == 1:
        return place, best
    text = run[0].hit.text
    for upper, lower in pairwise(run):
        text += (joint(upper, lower) or "") + lower.hit.text
    hit = replace(
        best.hit,
        start_line=run[0].hit.start_line,
        end_line=run[-1].hit.end_line,
        text=text,
        stale=any(passage.hit.stale for passage in run),
        symbols=list(dict.fromkeys(passage.hit.symbol for passage in run if passage.hit.symbol)),
        queries=found_by_any(run),
    )
    chunk_ids = tuple(chunk_id for passage in run for chunk_id in passage.chunk_ids)
    return place, Passage(hit, chunk_ids, best.document_id, run[0].start_byte, run[-1].end_byte)


def found_by_any(run: Iterable[Passage]) -> list[FoundBy] | UnsetType:
    """Which of several queries found the parts, each with its best rank; UNSET where there was but one query."""
    ranks: dict[int, int] = {}
    for passage in run:
        for found in passage.hit.queries or ():
            ranks[found.query] = min(found.rank, ranks.get(found.query, found.rank))
    return [FoundBy(query, rank) for query, rank in sorted(ranks.items())] or UNSET


def share_files(ranked: Iterable[Passage], limit: int, max_per_file: int) -> tuple[list[Passage], int]:
    """The first ``limit`` with ``max_per_file`` of a document at most (0: any number), and how many that left out."""
    kept: list[Passage] = []
    taken: Counter[int] = Counter()
    crowded = 0
    for passage in ranked:
        if len(kept) == limit:
            break
        if max_per_file and taken[passage.document_id] == max_per_file:
            crowded += 1
            continue
        taken[passage.document_id] += 1
        kept.append(passage)
    return kept, crowded


def hit_tokens(hit: Hit) -> int:
    """Estimated tokens of a hit as a model would be shown it: its path, names and text."""
    return HIT_TOKENS + estimate_tokens(f"{hit.path} {hit.symbol} {hit.context}") + estimate_tokens(hit.text)


def fit_tokens(passages: Iterable[Passage], max_tokens: int) -> list[Passage]:
    """The first of them that cost ``max_tokens`` together; the last is cut at a line where that makes it fit."""
    fitting: list[Passage] = []
    left = max_tokens
    for passage in passages:
        cost = hit_tokens(passage.hit)
        if cost > left:
            room = left - hit_tokens(replace(passage.hit, text=""))
            if room > 0 and (head := head_within(passage.hit.text, room)).strip():
                fitting.append(shortened(passage, head))
            break
        left -= cost
        fitting.append(passage)
    return fitting


def shortened(passage: Passage, head: str) -> Passage:
    """The passage with ``head``, whole lines from its beginning, for its text.

    Its last line moves only where the text is the lines of the span; where it was extracted, or is a list of
    signatures, the span is still that of the whole.
    """
    hit = passage.hit
    whole_lines = hit.text.count("\n") == hit.end_line - hit.start_line
    end_line = hit.start_line + head.count("\n") if whole_lines else hit.end_line
    return replace(passage, hit=replace(hit, text=head, end_line=end_line, cut=True))


def cut_in_words(cut: dict[str, int], query: SearchQuery) -> list[str]:
    """What the query's own bounds left out."""
    words = {
        "max_per_file": f"beyond {query.max_per_file} of one file",
        "max_tokens": f"left out to stay within {query.max_tokens:,} tokens",
        "shortened": f"cut short to stay within {query.max_tokens:,} tokens",
    }
    return [f"{count} {'hit' if count == 1 else 'hits'} {words[reason]}" for reason, count in cut.items()]
