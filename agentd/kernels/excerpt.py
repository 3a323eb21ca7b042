"""The lines of a passage that answer a question.

Windows of lines are scored by the words of the question in them (each by how rare it is among the passages), by the
cosine of their embeddings and the question's, by names that the question asks for, and by whether they begin with the
head of a definition or a section. They begin and end where statements do, as far as indentation shows it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.batches import plan_runs
from agentd.kernels.interruption import pause_point
from agentd.kernels.messages import Excerpt, ExcerptResult
from agentd.kernels.model import load_model
from agentd.kernels.tokens import identifier_parts
from agentd.kernels.words import content_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.kernels.messages import ExcerptRequest

BATCH_TOKENS = 256
WINDOW_CHARS = 600
"""Characters of a window that are embedded: its beginning says what it is about; others' queries wait meanwhile."""
MOST_WINDOWS = 2
"""Windows of a passage that are embedded, those with the best words."""
HEAD_BONUS = 0.15
NAME_BONUS = 0.3
COSINE_WEIGHT = 1.0
WORDS_WEIGHT = 1.0

_MODIFIERS = "async export default public private protected static final abstract pub inline".replace(" ", "|")
_KEYWORDS = (
    "def class function func fn fun struct enum interface trait impl type module namespace object package record"
).replace(" ", "|")
_HEAD = re.compile(rf"\s*(?:@\w|#{{1,6}} \S|(?:(?:{_MODIFIERS})\s+)*(?:{_KEYWORDS})\b)")
_CLOSING = re.compile(r"\s*(?:[)\]}]+[;,:]?|end\b.*|\"{3}|'{3}|\*/)\s*$")


class Window(NamedTuple):
    """Lines ``start`` to ``end`` (excluded) of a passage, and the worth of the words in them."""

    start: int
    end: int
    worth: float


def narrow(request: ExcerptRequest) -> ExcerptResult:
    """The best lines of each passage.

    Raises:
        ModelError: the model cannot be loaded, or fails on these texts.
    """
    passages = [text.splitlines() or [""] for text in request.passages]
    worth = word_worth(request.question, passages)
    names = {part.casefold() for name in request.names for part in re.findall(r"\w+", name)}
    windows = [best_windows(lines, request.lines, worth, names) for lines in passages]
    texts = [text_of(lines, window) for lines, found in zip(passages, windows, strict=True) for window in found]
    cosines = iter(_cosines(request, texts))
    return ExcerptResult([best([(window, next(cosines)) for window in found]) for found in windows])


def best(windows: Sequence[tuple[Window, float]]) -> Excerpt:
    """The best of windows with their cosines."""
    scores = [WORDS_WEIGHT * window.worth + COSINE_WEIGHT * cosine for window, cosine in windows]
    at = max(range(len(windows)), key=scores.__getitem__)
    window = windows[at][0]
    return Excerpt(window.start, window.end, round(scores[at], 4))


def word_worth(question: str, passages: Sequence[Sequence[str]]) -> dict[str, float]:
    """What each word of ``question`` is worth, 1 together: rare ones more, those in no passage nothing."""
    wanted = set(_stems(question))
    holding: Counter[str] = Counter()
    lines = [line for passage in passages for line in passage]
    for line in lines:
        holding.update(wanted & _stems(line))
    worth = {word: math.log1p(len(lines) / count) for word, count in holding.items()}
    total = sum(worth.values())
    return {word: value / total for word, value in worth.items()} if total else {}


def best_windows(lines: Sequence[str], most: int, worth: dict[str, float], names: set[str]) -> list[Window]:
    """At most ``MOST_WINDOWS`` windows of at most ``most`` lines, best first by their words, that begin apart."""
    if len(lines) <= most:
        return [Window(0, len(lines), _worth(lines, 0, len(lines), worth, names))]
    starts = [at for at, _ in enumerate(lines) if is_start(lines, at)] or [0]
    spans = {(start, end_of(lines, start, most)) for start in starts}
    windows = [Window(start, end, _worth(lines, start, end, worth, names)) for start, end in spans]
    chosen: list[Window] = []
    for window in sorted(windows, key=lambda each: (-each.worth, each.start)):
        if all(abs(window.start - other.start) >= most // 3 for other in chosen):
            chosen.append(window)
    return chosen[:MOST_WINDOWS]


def is_start(lines: Sequence[str], at: int) -> bool:
    """Whether something begins here: the passage, a definition, what follows an empty line, or less indented code."""
    line = lines[at]
    if at == 0:
        return True
    if not line.strip() or _CLOSING.match(line):
        return False
    before = lines[at - 1]
    return bool(_HEAD.match(line)) or not before.strip() or indent(line) < indent(before)


def end_of(lines: Sequence[str], start: int, most: int) -> int:
    """Where the window that begins at ``start`` ends: at an empty line in its last third, else when it is full."""
    full = min(len(lines), start + most)
    if full == len(lines):
        return full
    for end in range(full, start + 2 * most // 3, -1):
        if not lines[end - 1].strip() or (end < len(lines) and is_start(lines, end)):
            return max(start + 1, _without_blanks(lines, start, end))
    return full


def indent(line: str) -> int:
    """Columns before the text."""
    return len(line.expandtabs()) - len(line.expandtabs().lstrip())


def text_of(lines: Sequence[str], window: Window) -> str:
    """What is embedded of a window."""
    return "\n".join(lines[window.start : window.end])[:WINDOW_CHARS]


def _without_blanks(lines: Sequence[str], start: int, end: int) -> int:
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


def _worth(lines: Sequence[str], start: int, end: int, worth: dict[str, float], names: set[str]) -> float:
    text = "\n".join(lines[start:end])
    there = _stems(text)
    value = sum(each for word, each in worth.items() if word in there)
    head = lines[start]
    if _HEAD.match(head):
        value += HEAD_BONUS
        defined = {word.casefold() for word in re.findall(r"\w+", head)}
        value += NAME_BONUS * bool(names & defined)
    return value


def _stems(text: str) -> set[str]:
    return {word for word in content_words(f"{text} {identifier_parts(text)}") if len(word) > 1}


def _cosines(request: ExcerptRequest, texts: Sequence[str]) -> list[float]:
    """The cosine of the question and each of ``texts``."""
    model = load_model(request.directory)
    limit = model.encoder.effective_limit(request.max_tokens)
    rows, _ = model.tokenise([request.question, *texts], limit)
    cosines = [0.0] * len(rows)
    question = model.run([rows[0]])[0]
    for run in plan_runs([len(row) for row in rows], BATCH_TOKENS):
        pause_point()
        for at, cosine in zip(run, model.run([rows[index] for index in run]) @ question, strict=True):
            cosines[at] = float(cosine)
    return cosines[1:]
