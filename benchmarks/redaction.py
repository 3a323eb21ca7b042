"""How many secrets are cut out of text that is to leave the machine, and how much of ordinary text with them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from agentd.kernels.redaction import redacted
from agentd.kernels.secrets import find_secrets
from benchmarks.harness.figures import Figure
from benchmarks.planted import planting
from benchmarks.planted.ordinary import ordinary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.harness.workspace import Workspace
    from benchmarks.planted.planting import Planted

SEED = 20261122
PLACES_EACH = 5
ORDINARY = 1000
BAR_REDACTED = 0.98
BAR_ORDINARY = 0.02
SUFFIXES = frozenset({".py", ".txt", ".html", ".js", ".css", ".toml", ".json", ".rst", ".yml"})


def run(workspace: Workspace) -> list[Figure]:
    """Twenty kinds in five places each, then in all; ordinary strings, then the lines of a source tree."""
    strings = ordinary(Random(SEED), ORDINARY)  # noqa: S311  # the same strings in each run
    touched = sum(text != redacted(text, Counter()) for text in strings)
    return [
        planted_figure(planting.some(SEED, PLACES_EACH), BAR_REDACTED),
        planted_figure(list(planting.every(SEED)), None),
        Figure(f"ordinary strings touched, of {len(strings):,}", f"{touched / len(strings):.1%} ({touched})",
               bar=f"{BAR_ORDINARY:.0%}", met=touched <= BAR_ORDINARY * len(strings)),
        lines_figure(workspace.tree),
    ]  # fmt: skip


def planted_figure(planted: Sequence[Planted], bar: float | None) -> Figure:
    """The share that is redacted, and where the others stand."""
    missed = [f"{each.kind} ({each.place})" for each in planted if not each.is_redacted()]
    kinds = len({each.kind for each in planted})
    share = 1 - len(missed) / len(planted)
    return Figure(
        f"planted secrets of {kinds} kinds redacted, of {len(planted)}",
        f"{share:.1%}" + (f"; missed: {', '.join(missed[:10])}{' ...' * (len(missed) > 10)}" if missed else ""),
        bar="" if bar is None else f"{bar:.0%}",
        met=None if bar is None else share >= bar,
    )


def lines_figure(tree: Path) -> Figure:
    """Lines of code and documents in which something is taken for a secret."""
    lines = hit = 0
    for text in texts(tree):
        lines += text.count("\n")
        hit += len({text.count("\n", 0, secret.start) for secret in find_secrets(text)})
    return Figure(f"lines of {tree.name} touched, of {lines:,}", f"{hit} ({hit / max(1, lines):.5%})")


def texts(tree: Path) -> Iterator[str]:
    """What is text there."""
    for path in sorted(tree.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace")
