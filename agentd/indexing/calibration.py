"""How cosines of a space compare with those of the model in the package.

The ranker's weights were learned on cosines of that model. Others spread theirs elsewhere: some give 0.7 to two texts
that have nothing in common. So each space embeds a few questions and the passages that answer them, once; the straight
line that maps its means (of pairs that belong together, and of all others) onto those of the model in the package is
what the ranker sees. Order within a space does not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agentd.kernels.quantise import restore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentd.providers.contracts import Embedded, EmbeddingModel, Outgoing

PAIRS = (
    (
        "How are failed requests tried again?",
        "def retry(call, attempts=3):\n    while attempts:\n        try: return call()",
    ),
    (
        "where is the password checked",
        "class LoginForm: authenticates a user by name and password, and starts a session.",
    ),
    ("parse a date", 'def to_date(text: str) -> date:\n    return datetime.strptime(text, "%Y-%m-%d").date()'),
    ("How do I install it?", "Installation: download the archive, unpack it, and run make install as root."),
    ("cache eviction", "The least recently used entries are dropped when the cache is full."),
    ("draw a red circle", "void circle(Canvas c, int x, int y, int r) { c.setColor(RED); c.arc(x, y, r, 0, 360); }"),
    ("database migration", "ALTER TABLE customer ADD COLUMN phone TEXT; UPDATE schema_version SET number = 7;"),
    ("matrix multiplication", "for i in rows: for j in columns: c[i][j] = sum(a[i][k] * b[k][j] for k in inner)"),
)
TOGETHER, APART = 0.4683, 0.0087
"""Mean cosines of the model in the package, of the pairs and of all others; a test computes them again."""
LEAST_SPREAD = 0.05
"""Of a model that hardly tells the pairs from the others: it must not have its noise blown up."""


class Scale(NamedTuple):
    """Maps cosines of a space onto those of the model in the package."""

    factor: float = 1.0
    shift: float = 0.0


async def calibrate(model: EmbeddingModel, outgoing: Outgoing) -> Scale:
    """Embed the pairs, and compare. Raises what ``embed`` raises."""
    questions = vectors(await model.embed([question for question, _ in PAIRS], outgoing, query=True))
    passages = vectors(await model.embed([passage for _, passage in PAIRS], outgoing))
    return line(questions @ passages.T)


def line(cosines: NDArray[np.float32]) -> Scale:
    """From the cosines of every question with every passage."""
    together, apart = means(cosines)
    factor = (TOGETHER - APART) / max(together - apart, LEAST_SPREAD)
    return Scale(factor, TOGETHER - factor * together)


def means(cosines: NDArray[np.float32]) -> tuple[float, float]:
    """Of the pairs, and of all others."""
    others = ~np.eye(len(cosines), dtype=bool)
    return float(cosines.diagonal().mean()), float(cosines[others].mean())


def vectors(embedded: Embedded) -> NDArray[np.float32]:
    """(n, dimension)."""
    scales = np.frombuffer(embedded.scales, np.float32)
    codes = np.frombuffer(embedded.codes, np.int8).reshape(len(scales), -1)
    return restore(codes, scales)
