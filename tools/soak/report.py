"""What a run has shown, as a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median_low
from typing import TYPE_CHECKING

from benchmarks.harness.figures import Figure, spread
from benchmarks.harness.report import print_markdown
from soak.sampling import MEGABYTE, growth, last_quarter

if TYPE_CHECKING:
    from soak.clients import Asker
    from soak.sampling import Sample

MOST_GROWTH = 0.02


@dataclass
class Outcome:
    """Filled while the run goes on."""

    samples: list[Sample] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    found_after: list[float] = field(default_factory=list)
    """Seconds from a write until a search found it."""
    answers: int = 0
    checked_hits: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Lines of the log that say so."""

    def heard(self, asker: Asker) -> None:
        """Add what one who asked has heard."""
        self.answers += asker.answers
        self.checked_hits += asker.checked_hits
        self.refused.update(asker.refused)
        self.wrong += asker.wrong


def report(outcome: Outcome, seed: int, minutes: float, load: float) -> bool:
    """Print the table, and what went wrong in full; returns whether every bar was met."""
    for line in (*outcome.wrong, *outcome.problems, *outcome.failures):
        print(f"WRONG: {line}")
    figures = [*memory(outcome.samples), *held(outcome.samples), *answers(outcome)]
    print(f"\nSoak, {minutes:g} minutes, seed {seed}: {dict(outcome.acts)}, refused {dict(outcome.refused)}\n")
    print_markdown(figures, load)
    return all(figure.met is not False for figure in figures)


def memory(samples: list[Sample]) -> list[Figure]:
    """Growth of the daemon, without the mapped files that the system takes back, and of it with its workers."""
    daemon = [float(one.daemon - one.files) for one in samples]
    files = [float(one.files) for one in samples]
    family = [float(one.daemon + one.workers) for one in samples]
    return [
        grown("memory of the daemon (PSS at rest), last quarter over second", daemon, growth(daemon)),
        Figure(
            "mapped files beside it", f"{files[0] / MEGABYTE:.0f} MB at first, {files[-1] / MEGABYTE:.0f} MB at last"
        ),
        # Which bulk worker is left, one with the model or one without, is chance: at most it is one with it.
        grown("the same, with its workers, at most", family, growth(family, max)),
    ]


def grown(what: str, values: list[float], share: float) -> Figure:
    """A figure for something that must not grow."""
    measured = f"{share:+.1%} ({values[0] / MEGABYTE:.0f} MB at first, {values[-1] / MEGABYTE:.0f} MB at last)"
    return Figure(what, measured, bar=f"under +{MOST_GROWTH:.0%}", met=share < MOST_GROWTH)


def held(samples: list[Sample]) -> list[Figure]:
    """What must not be more in the last quarter than it has been in the first half. One rest may differ from another
    by what is just being opened, so it is their median.
    """
    figures = []
    for name in ("descriptors", "threads", "watches"):
        values = [int(getattr(one, name)) for one in samples]
        most = max(values[: max(2, len(values) // 2)])
        last = median_low(last_quarter(values))
        figures.append(
            Figure(f"{name} at rest", f"{values[0]} at first, {last} at last", bar=f"{most}", met=last <= most)
        )
    disk = [one.disk / MEGABYTE for one in samples]
    return [*figures, Figure("state directory at rest", f"{disk[0]:.0f} MB at first, {disk[-1]:.0f} MB at last")]


def answers(outcome: Outcome) -> list[Figure]:
    """Whether what was said was so."""
    found = [1000 * seconds for seconds in outcome.found_after] or [0.0]
    return [
        Figure("answers; hits compared with the disk", f"{outcome.answers:,}; {outcome.checked_hits:,}"),
        Figure("wrong answers", str(len(outcome.wrong)), bar="0", met=not outcome.wrong),
        Figure(f"from a write until it is found, {len(found)} times", spread(found)),
        Figure(
            "index, views and edges against the disk",
            f"{len(outcome.problems)} differences",
            bar="0",
            met=not outcome.problems,
        ),
        Figure("errors in the log", str(len(outcome.failures)), bar="0", met=not outcome.failures),
    ]
