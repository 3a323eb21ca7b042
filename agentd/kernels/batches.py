"""Which texts go through the model together.

Small runs win: a run of 256 tokens stays in the caches of a core, and padding is computed for nothing. Texts of one
length share a run up to the token budget; from about 128 tokens on a text fills the core by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PADDING_SHARE = 8
"""A row is padded by an eighth of the longest one at most: more costs what sharing the run gains."""


def plan_runs(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices of ``lengths`` (tokens of each text) in runs whose rows times longest row is at most ``budget``.

    Every index occurs once, shortest texts first; a text over the budget runs alone.
    """
    runs: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if runs and _fits(lengths[runs[-1][0]], lengths[index], len(runs[-1]), budget):
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _fits(shortest: int, longest: int, rows: int, budget: int) -> bool:
    return (rows + 1) * longest <= budget and (longest - shortest) * PADDING_SHARE <= longest
