"""How well the support check tells sentences that a text bears out from those that it does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from agentd.config.settings import AnswerSettings
from agentd.kernels.messages import SupportRequest
from agentd.kernels.support import judge
from agentd.models import builtin_model_directory
from benchmarks.harness.figures import Figure

if TYPE_CHECKING:
    from benchmarks.harness.workspace import Workspace

PAIRS = Path(__file__).parent / "answers"
BAR_PRECISION = 0.90
BAR_RECALL = 0.80


class Pair(Struct, frozen=True):
    """A sentence, the text it cites, whether that supports it, why, and where the text is from."""

    source: str
    span: str
    sentence: str
    label: bool
    why: str = ""


def run(_workspace: Workspace) -> list[Figure]:
    """Pairs kept apart, with a bar; and without one those that the rules were made on, and a second set of both kinds.

    The second set has more code bases and prose, and more sentences whose every word stands in the span: what is said
    of something else there, or negated. Half of its spans, every other one, was looked at to make rules.
    """
    return [
        *measured("support_pairs.json", "kept apart", bars=True),
        *measured("support_development.json", "it was made on"),
        *measured("support_second.json", "of the second set it was made on"),
        *measured("support_second_kept.json", "of the second set kept apart"),
    ]


def measured(name: str, which: str, *, bars: bool = False) -> list[Figure]:
    """Precision and recall of "supported" over the pairs of a file."""
    pairs = msgspec.json.decode((PAIRS / name).read_bytes(), type=list[Pair])
    verdicts = [(pair.label, is_supported(pair)) for pair in pairs]
    right = sum(label and found for label, found in verdicts)
    precision = right / max(1, sum(found for _, found in verdicts))
    recall = right / sum(label for label, _ in verdicts)
    what = f"support check, {len(pairs)} pairs {which}"
    return [figure(f"{what}: precision", precision, BAR_PRECISION if bars else None),
            figure(f"{what}: recall", recall, BAR_RECALL if bars else None)]  # fmt: skip


def is_supported(pair: Pair) -> bool:
    """What the daemon says with its usual settings."""
    result = judge(SupportRequest(str(builtin_model_directory()), pair.sentence, [pair.span]))
    return not result.reasons and result.score >= AnswerSettings().min_support


def figure(what: str, value: float, bar: float | None) -> Figure:
    """A share and its bar."""
    return Figure(
        what, f"{value:.1%}", bar="" if bar is None else f"{bar:.0%}", met=None if bar is None else value >= bar
    )
