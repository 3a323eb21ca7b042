"""Questions of one package asked of another one: the right answer is that there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from benchmarks.eval.scoring import USUAL, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentd.client import Client
    from benchmarks.eval.sets import JudgedSet

NOTHING, LOW, HIGH = "nothing", "low", "high"


class Asked(Struct, frozen=True):
    """A question of package ``of`` asked of package ``to``; ``answer`` is nothing, or the confidence of the hits."""

    of: str
    to: str
    id: str
    query: str
    kind: str
    answer: str

    @property
    def foreign(self) -> bool:
        """Whether it was asked of the wrong package."""
        return self.of != self.to


def ask_all(client: Client, to: JudgedSet, sets: Iterable[JudgedSet], mode: str) -> Iterator[Asked]:
    """Every question of the sets that ``to`` is one of, asked of ``to``."""
    for other in sets:
        if other.name != to.name:
            continue
        for query in other.queries:
            hits = search(client, to.folder, query.text, mode, USUAL)
            # Confidence is that of the whole answer; a daemon that says nothing of it is sure of all it gives.
            answer = (hits[0].confidence or HIGH) if hits else NOTHING
            yield Asked(other.package, to.package, query.id, query.text, query.kind, answer)


def share(asked: Iterable[Asked], answer: str) -> float:
    """Which part of the questions got that answer; 0 of none."""
    answers = [each.answer for each in asked]
    return answers.count(answer) / len(answers) if answers else 0.0
