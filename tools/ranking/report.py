"""What training did, on queries of corpora that it did not see."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ranking.logistic import rejected, threshold
from ranking.training import COMMON, Frame, answerability, held_out_chances, measures, reranked, train

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ranking.dataset import Recording
    from ranking.training import Trained

MEASURES = ("nDCG@10", "MRR@10", "span@5")
ORDERS = ("fusion", "before", "after")
SHARES_LOST = (0.01, 0.02, 0.05, 0.10, 0.20)

Scores = dict[str, dict[str, list[dict[str, float]]]]
"""Group (corpus, kind or type) -> order -> the measures of each query."""


def held_out(recordings: Sequence[Recording], frame: Frame, before: Trained) -> Scores:
    """Each corpus ranked with weights that were trained on all others."""
    scores: Scores = defaultdict(lambda: defaultdict(list))
    for corpus in sorted({each.query.corpus for each in recordings}):
        after = train([each for each in recordings if each.query.corpus != corpus], frame)
        for each in recordings:
            if each.query.corpus == corpus and each.query.gold:
                orders = {
                    "fusion": measures(each.fusion, each),
                    "before": measures(reranked(each, before, frame.names), each),
                    "after": measures(reranked(each, after, frame.names), each),
                }
                for group in ("all", f"corpus {corpus}", f"kind {each.query.kind}", f"type {each.type}"):
                    for order, found in orders.items():
                        scores[group][order].append(found)
    return scores


def print_scores(scores: Scores) -> None:
    """A row for each group: every measure by fusion, by the weights before, and by those trained."""
    print(
        f"\n{'held out':24}{'queries':>8}"
        + "".join(f"{f'{name} {order}':>16}" for name in MEASURES for order in ORDERS)
    )
    for group, orders in sorted(scores.items()):
        cells = "".join(f"{mean(orders[order], name):>16.3f}" for name in MEASURES for order in ORDERS)
        print(f"{group:24}{len(orders['after']):>8}{cells}")


def mean(found: Sequence[Mapping[str, float]], name: str) -> float:
    """The mean of a measure."""
    return sum(each[name] for each in found) / len(found) if found else 0.0


def print_weights(weights: Trained, frame: Frame) -> None:
    """A row for each feature: where its weight began, and what it became for each type."""
    types = [COMMON, *sorted(weights.keys() - {COMMON})]
    print(f"\n{'weight':18}{'prior':>10}" + "".join(f"{kind[:14]:>16}" for kind in types))
    for index, name in enumerate(frame.names):
        print(
            f"{name:18}{frame.prior[COMMON][index]:>10.3f}"
            + "".join(f"{weights[kind][index]:>16.3f}" for kind in types)
        )


def print_relevance(recordings: Sequence[Recording], names: Sequence[str]) -> None:
    """How many foreign queries a floor rejects that loses a given share of the answerable ones."""
    _evidence, answerable = answerability(recordings, names)
    chances = held_out_chances(recordings, names)
    print(f"\nnothing relevant, held out: {int(answerable.sum())} answerable, {int((1 - answerable).sum())} foreign")
    for lost in SHARES_LOST:
        floor = threshold(chances, answerable, lost)
        share = rejected(chances, 1 - answerable, floor)
        print(f"  {lost:4.0%} of the answerable lost at {floor:.3f}: {share:.1%} of the foreign rejected")
