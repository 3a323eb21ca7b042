"""Which secret goes where, and what of it can still be seen afterwards."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.redaction import redacted
from benchmarks.planted.kinds import KINDS
from benchmarks.planted.places import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.planted.kinds import Kind
    from benchmarks.planted.places import Place

SEEN = 8
"""Characters of a secret in a row that are too many to be seen."""


class Planted(NamedTuple):
    """A text and the secret in it."""

    kind: str
    place: str
    text: str
    secret: str

    def is_redacted(self) -> bool:
        """Whether no ``SEEN`` characters of the secret are left."""
        left = redacted(self.text, Counter())
        parts = (self.secret[at : at + SEEN] for at in range(len(self.secret) - SEEN + 1))
        return not any(part in left for part in parts if "\n" not in part)


def some(seed: int, each: int) -> list[Planted]:
    """Each kind in ``each`` places, drawn by ``seed``."""
    source = Random(seed)  # noqa: S311  # the same secrets in each run
    found = []
    for kind in KINDS:
        places = source.sample(PLACES, len(PLACES))
        found += [planted for place in places if (planted := plant(kind, place, source)) is not None][:each]
    return found


def every(seed: int) -> Iterator[Planted]:
    """Each kind in each place that takes it."""
    source = Random(seed)  # noqa: S311  # the same secrets in each run
    pairs = ((kind, place) for kind in KINDS for place in PLACES)
    return (planted for kind, place in pairs if (planted := plant(kind, place, source)) is not None)


def plant(kind: Kind, place: Place, source: Random) -> Planted | None:
    """A fresh secret in its place; None where nobody would put it there."""
    value = kind.make(source)
    if not place.takes(value):
        return None
    return Planted(kind.name, place.name, place.plant(kind.variable, value), kind.hidden(value))
