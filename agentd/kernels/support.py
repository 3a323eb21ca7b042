"""Whether a text supports a sentence that cites it.

Three questions, all of which must be answered with yes: do its numbers, names and quotations stand there; is there a
place that is about the same (cosine of the embeddings, and the share of its words that stand there); and does that
place not say the opposite, or the same of something else. ``docs/answers.md`` tells what is looked at, and
``benchmarks/RESULTS.md`` on which pairs it was made.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.batches import plan_runs
from agentd.kernels.claims import missing
from agentd.kernels.interruption import pause_point
from agentd.kernels.messages import SupportResult
from agentd.kernels.misplaced import misplaced
from agentd.kernels.model import load_model
from agentd.kernels.polarity import opposed
from agentd.kernels.sentences import pieces
from agentd.kernels.synonyms import covered, meaning_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentd.kernels.messages import SupportRequest

MOST_WINDOWS = 6
"""Windows of a span that are embedded, those with most words of the sentence: a task of some 30 ms."""
LONGEST_WINDOW = 600
"""Characters; a longer piece (code without blank lines) is taken in parts of ``PART_LINES``."""
PART_LINES = 6
BATCH_TOKENS = 256
COSINE_SHARE = 0.35
"""Of the score; the rest is the share of words."""
EXACT_DIGITS = 4


class Window(NamedTuple):
    """A part of a span, the share of the sentence's words that stand in it, and whether it is one piece alone."""

    text: str
    share: float
    single: bool


def judge(request: SupportRequest) -> SupportResult:
    """Judge one sentence.

    Raises:
        ModelError: the model cannot be loaded, or fails on these texts.
    """
    whole = "\n\n".join(request.spans)
    reasons = missing(request.sentence, whole)
    words = set(meaning_words(request.sentence))
    windows = best_windows(words, request.spans)
    if not windows:
        return SupportResult(0.0, ["there is no text to compare it with"])
    cosines = similarities(request, [window.text for window in windows])
    whole_share = share_of(words, whole)
    marks = [blended(cosine, (window.share + whole_share) / 2) for cosine, window in zip(cosines, windows, strict=True)]
    # What is said of the matter is in one piece; a second one may speak of the opposite case.
    nearest = max(range(len(windows)), key=lambda at: (windows[at].single, marks[at]))
    reasons += [*opposed(request.sentence, windows[nearest].text, whole), *misplaced(request.sentence, whole)]
    return SupportResult(round(min(1.0, max(0.0, *marks)), EXACT_DIGITS), reasons)


def blended(cosine: float, share: float) -> float:
    """One figure of both."""
    return COSINE_SHARE * cosine + (1 - COSINE_SHARE) * share


def best_windows(words: set[str], spans: Sequence[str]) -> list[Window]:
    """The parts of ``spans`` that hold most of ``words``, best first: pieces, and two that follow each other."""
    found: list[Window] = []
    for span in spans:
        parts = [part for piece in pieces(span) for part in _parts(piece) if part.strip()]
        pairs = [one + other for one, other in pairwise(parts)]
        found += [Window(text.strip(), share_of(words, text), single=True) for text in parts]
        found += [Window(text.strip(), share_of(words, text), single=False) for text in pairs]
    # Of equals the shorter: what is around the matter only blurs its embedding.
    ranked = sorted(dict.fromkeys(found), key=lambda window: (-window.share, len(window.text)))
    chosen = ranked[:MOST_WINDOWS]
    return chosen if not chosen or any(window.single for window in chosen) else [*chosen[:-1], first_single(ranked)]


def first_single(windows: Iterable[Window]) -> Window:
    """The first that is one piece."""
    return next(window for window in windows if window.single)


def share_of(words: set[str], text: str) -> float:
    """The share of ``words`` that ``text`` says, be it in other words."""
    return covered(words, set(meaning_words(text)))


def similarities(request: SupportRequest, texts: Sequence[str]) -> list[float]:
    """The cosine of the sentence and each of ``texts``."""
    model = load_model(request.directory)
    limit = model.encoder.effective_limit(request.max_tokens)
    rows, _ = model.tokenise([request.sentence, *texts], limit)
    vectors: dict[int, object] = {}
    for run in plan_runs([len(row) for row in rows], BATCH_TOKENS):
        pause_point()
        vectors.update(zip(run, model.run([rows[at] for at in run]), strict=True))
    return [float(vectors[0] @ vectors[at]) for at in range(1, len(rows))]  # type: ignore[operator]  # rows of numpy


def _parts(piece: str) -> list[str]:
    if len(piece) <= LONGEST_WINDOW:
        return [piece]
    lines = piece.splitlines(keepends=True)
    return ["".join(lines[at : at + PART_LINES]) for at in range(0, len(lines), PART_LINES)]
