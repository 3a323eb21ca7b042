"""The order of a search's hits: features times weights, and how likely it is that any of them answers.

Linear on purpose: a person can read from ``--explain`` what each feature gave, and a wrong order can be argued about.
The weights are read from a file (``tools/ranking`` trains them); each type of query has its own, over common ones.
"""

from __future__ import annotations

import math
import stat
from functools import lru_cache
from importlib.resources import files
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from agentd.errors import ConfigError
from agentd.kernels.features import FEATURES, Words, features, share_of_prose
from agentd.kernels.messages import RankRequest, RankResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentd.kernels.messages import RankCandidate

PACKAGED = "ranking.json"

EVIDENCE = ("similarity", "coverage", "telling", "missing", "length", "prose", "defined", "undefined", "typed")
"""What the relevance of an answer is taken from; see :func:`evidence`."""

BIAS = "bias"

PATH = "path"
"""The type of a query that is nothing but paths."""

FEW = 3
"""Candidates whose texts are looked at for what they hold of the query."""


MOST_BYTES = 1 << 20
"""Of a file of weights; the packaged one has two thousand."""

Weight = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
"""Bounded, so that no sum of them leaves the range of numbers."""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of weights. ``common`` holds for every type of query, what ``types`` gives is added to it; a feature that
    neither names weighs nothing. ``relevance`` are those of :func:`evidence`, ``bias`` included.
    """

    common: dict[str, Weight]
    types: dict[str, dict[str, Weight]]
    relevance: dict[str, Weight]

    def row(self, query_type: str) -> list[float]:
        """Weights in the order of ``FEATURES``."""
        added = self.types.get(query_type, {})
        return [self.common.get(name, 0.0) + added.get(name, 0.0) for name in FEATURES]


def rank(request: RankRequest) -> RankResult:
    """Score the candidates of a query.

    Raises:
        ConfigError: the file of weights cannot be used.
    """
    weights = load_weights(request.weights)
    words = Words(request.terms)
    rows = features(request, words)
    row = weights.row(request.query_type)
    found = evidence(request, words, rows)
    return RankResult(
        scores=[dot(each, row) for each in rows],
        names=list(FEATURES),
        weights=row,
        features=rows if request.explain else [],
        relevance=relevance(found, weights.relevance),
        evidence=found,
    )


def evidence(request: RankRequest, words: Words, rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """What speaks for an answer being among the candidates, each from 0 to 1.

    ``similarity``: the best cosine; ``coverage``: how much of the query the best texts hold, by weight; ``telling``:
    how much of its rarest words they hold together; ``missing``: how much of the query stands nowhere in the index;
    ``length``: words of the query, over ten; ``prose``: share of prose among the candidates; ``defined``,
    ``undefined``: it holds a name of code that something defines, or nothing does. A path alone, at which there is a
    file, is as good as a name. ``typed``: it is a name, and one of the best texts holds it letter for letter: whoever
    types a word wants the text that has it, however little that is about.
    """
    similarity = FEATURES.index("similarity")
    candidates = request.candidates
    defined = max((each.definition for each in candidates), default=0.0) if request.named else 0.0
    at_path = max((each.named_path for each in candidates), default=0.0) if request.query_type == PATH else 0.0
    return {
        "similarity": max((row[similarity] for row in rows), default=0.0),
        **coverage(candidates, words),
        "missing": request.missing,
        "length": min(1.0, len(request.terms) / 10),
        "prose": share_of_prose(candidates),
        "defined": max(defined, at_path),
        "undefined": float(request.named and not defined),
        "typed": float(bool(request.typed) and any(holds(each.text, request.typed) for each in candidates)),
    }


def holds(text: str, name: str) -> bool:
    """Whether ``name`` stands in ``text``, in whatever case.

    >>> holds("raise E_TIMEOUT", "e_timeout")
    True
    """
    return name.casefold() in text.casefold()


def coverage(candidates: Sequence[RankCandidate], words: Words) -> dict[str, float]:
    """How much of the query's words is in the texts that came along: on average, and of the rarest in all of them."""
    texts = [words.found(f"{each.text} {each.names} {each.path}") for each in candidates if each.text]
    mean = sum(words.weight(each) for each in texts) / max(1, len(texts))
    return {"coverage": mean, "telling": words.telling(set().union(*texts))}


def relevance(found: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Logistic of the weighted evidence."""
    total = weights.get(BIAS, 0.0) + sum(value * weights.get(name, 0.0) for name, value in found.items())
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    """Scalar product."""
    return float(sum(map(mul, one, other)))


def load_weights(path: str) -> Weights:
    """The weights in the file at ``path``, the packaged ones where it is empty; read once, and again when it changes.

    Raises:
        ConfigError: it cannot be read, is no such file, or names a feature or evidence that there is not.
    """
    try:
        return _load(path, _state_of(path) if path else None)
    except (OSError, msgspec.DecodeError) as error:
        source = path or PACKAGED
        raise ConfigError(f"cannot use the ranking weights in {source}: {error}; see docs/ranking.md") from error


def _state_of(path: str) -> tuple[int, int, int]:
    """Time, size and inode; OSError for what would hang the worker, such as a pipe, or fill its memory."""
    status = Path(path).stat()
    found = f"{status.st_size:,} bytes" if stat.S_ISREG(status.st_mode) else "something else"
    if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
        raise OSError(f"expected a file of at most {MOST_BYTES:,} bytes, found {found}")
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=2)
def _load(path: str, _state: tuple[int, ...] | None) -> Weights:
    """What is in the file while its ``_state`` (time, size, inode) stays the same."""
    source = Path(path) if path else files("agentd.kernels").joinpath(PACKAGED)
    weights = msgspec.json.decode(source.read_bytes(), type=Weights)
    features_named = set(weights.common).union(*weights.types.values())
    for named, known, what in (
        (features_named, FEATURES, "features"),
        (set(weights.relevance), (*EVIDENCE, BIAS), "evidence"),
    ):
        if unknown := named.difference(known):
            raise ConfigError(f"{source} weighs {', '.join(sorted(unknown))}; known {what}: {', '.join(known)}")
    return weights
