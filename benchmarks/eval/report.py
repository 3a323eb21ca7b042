"""What was found, as tables: measures by set, kind and package with the modes side by side, and the bars."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from benchmarks.eval.foreign import HIGH, LOW, NOTHING, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.eval.foreign import Asked
    from benchmarks.eval.scoring import Scored

MEASURES = ("nDCG@10", "Recall@10", "MRR@10", "file hit@1", "span hit@1", "span@5", "lines")
BASES = ("keyword", "vector", "fusion")
FULL = "full"
MOST_BELOW = 0.01
"""How far below the best of the bases the nDCG@10 of a text set may fall."""
BARS = {
    ("repo_qa", "all", "nDCG@10"): 0.82,
    ("repo_qa", "identifier", "file hit@1"): 0.90,
    ("repo_qa", "identifier", "span hit@1"): 0.90,
    ("repo_qa", "all", "span@5"): 0.78,
    ("scifact", "all", "nDCG@10"): 0.72,
    ("cosqa_dev", "all", "nDCG@10"): 0.60,
    ("cacm", "all", "nDCG@10"): 0.56,
    ("cranfield", "all", "nDCG@10"): 0.43,
    ("med", "all", "nDCG@10"): 0.80,
}
REJECTED_BAR, LOST_BAR = 0.65, 0.05

Groups = dict[tuple[str, str], list["Scored"]]
"""(set, kind or package or ``all``) -> scored queries of every mode."""


def groups(scored: Iterable[Scored]) -> Groups:
    """Every query in the group of its set, its kind and its package."""
    found: Groups = defaultdict(list)
    for each in scored:
        for group in dict.fromkeys(("all", each.kind, each.package)):
            if group:
                found[each.set, group].append(each)
    return found


def mean(scored: Iterable[Scored], mode: str, measure: str) -> float | None:
    """The mean over the queries of a mode that have the measure; None where none has."""
    values = [each.scores[measure] for each in scored if each.mode == mode and measure in each.scores]
    return sum(values) / len(values) if values else None


def print_scores(scored: Sequence[Scored]) -> None:
    """A row for each group and measure. ``gain`` is full search over the best of keyword, vector and fusion."""
    modes = list(dict.fromkeys(each.mode for each in scored))
    print(f"\n{'set':11}{'group':12}{'measure':12}{'queries':>8}" + "".join(f"{mode:>9}" for mode in modes), end="")
    print(f"{'gain':>9}{'bar':>7}")
    for (name, group), rows in sorted(groups(scored).items(), key=lambda item: (item[0][0], item[0][1] != "all")):
        for measure in MEASURES:
            means = {mode: mean(rows, mode, measure) for mode in modes}
            if any(value is not None for value in means.values()):
                count = sum(measure in each.scores for each in rows if each.mode == modes[-1])
                cells = "".join(cell(means[mode], measure) for mode in modes)
                print(f"{name:11}{group:12}{measure:12}{count:>8}{cells}{verdict(name, group, measure, means)}")


def cell(value: float | None, measure: str) -> str:
    """A figure, or a dash."""
    return f"{'-':>9}" if value is None else f"{value:>9.1f}" if measure == "lines" else f"{value:>9.3f}"


def verdict(name: str, group: str, measure: str, means: dict[str, float | None]) -> str:
    """Gain over the best base, and the bar with what came of it."""
    bases = [value for base in BASES if (value := means.get(base)) is not None]
    value = means.get(FULL)
    gain = None if value is None or not bases or measure == "lines" else value - max(bases)
    text = f"{'' if gain is None else f'{gain:+.3f}':>9}"
    bar = BARS.get((name, group, measure))
    if bar is None or value is None:
        return text
    misses = [f"MISSED by {bar - value:.3f}"] if value < bar else []
    if gain is not None and name != "repo_qa" and gain < -MOST_BELOW:
        misses.append("MISSED: below the best of the others")
    return f"{text}{bar:>7.2f} {'; '.join(misses) or 'met'}"


def print_foreign(asked: Sequence[Asked]) -> None:
    """A row for each package and one for all: what foreign questions got, and what own ones got."""
    print(f"\n{'asked of':12}{'foreign':>8}{NOTHING:>9}{LOW:>7}{HIGH:>7}{'own':>8}{NOTHING:>9}{LOW:>7}{HIGH:>7}")
    for package in (*sorted({each.to for each in asked}), "all"):
        rows = [each for each in asked if package in {each.to, "all"}]
        cells = ""
        for part in ([each for each in rows if each.foreign], [each for each in rows if not each.foreign]):
            nothing, low, high = (share(part, answer) for answer in (NOTHING, LOW, HIGH))
            cells += f"{len(part):>8}{nothing:>9.1%}{low:>7.1%}{high:>7.1%}"
        print(f"{package:12}{cells}")
    rejected = share([each for each in asked if each.foreign], NOTHING)
    lost = share([each for each in asked if not each.foreign], NOTHING)
    met = "met" if rejected >= REJECTED_BAR and lost <= LOST_BAR else "MISSED"
    print(f"bar: {REJECTED_BAR:.0%} of the foreign with nothing, at most {LOST_BAR:.0%} of the own: {met}")
