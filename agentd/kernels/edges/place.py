"""Where a name leads."""

from __future__ import annotations

from typing import NamedTuple

from agentd.domain import Certainty


class Place(NamedTuple):
    """The last fields of an ``Edge``."""

    target: int = -1
    module: str = ""
    path: str = ""
    certainty: Certainty = Certainty.NAME


UNKNOWN = Place()
"""Only the name is known."""

NOWHERE = Place(-2)
"""Out of the code: a built-in, a literal, or what cannot be called. No edge."""

FROM_BASES = "\0"
"""The path of a ``Place`` that stands for the bases of its target."""
