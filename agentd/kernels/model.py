"""A sentence-embedding model that is ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from agentd.errors import ModelError
from agentd.kernels.encoder import FLOATS, Encoder, in_words, load_encoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

POOLED = "sentence_embedding"


@dataclass(frozen=True)
class Model:
    """``output`` is the name of the tensor that holds the vectors, or with ``pool`` those of the tokens."""

    encoder: Encoder
    output: str
    pool: bool

    def tokenise(self, texts: Sequence[str], max_tokens: int) -> tuple[list[list[int]], int]:
        """Token ids of each text, at least one, and how many texts were cut to ``max_tokens``."""
        self.encoder.tokenizer.enable_truncation(max_tokens)
        encodings = self.encoder.tokenizer.encode_batch_fast(list(texts))
        # An empty text has no token at all where the tokenizer adds no special ones.
        rows = [encoding.ids or [self.encoder.pad] for encoding in encodings]
        return rows, sum(bool(encoding.overflowing) for encoding in encodings)

    def run(self, rows: Sequence[Sequence[int]]) -> Matrix:
        """Unit vectors (n, d) of tokenised texts; a text for which the model has no direction gets zeros.

        Raises:
            ModelError: the model fails on these tokens, or answers with something other than n finite vectors.
        """
        answer, mask = self.encoder.run(self.output, rows)
        rank = 3 if self.pool else 2
        if answer.ndim != rank or len(answer) != len(rows) or not answer.shape[-1]:
            raise ModelError(
                f"expected {len(rows)} vectors from {self.encoder.directory}, found the shape {answer.shape}"
            )
        vectors = np.einsum("nt,ntd->nd", mask, answer) if self.pool else answer
        return self._normalise(vectors.astype(np.float32, copy=False))

    def _normalise(self, vectors: Matrix) -> Matrix:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all():
            raise ModelError(f"expected finite vectors from {self.encoder.directory}, found NaN or infinity")
        return np.divide(vectors, np.where(norms > 0, norms, np.float32(1)), dtype=np.float32)


@lru_cache(maxsize=2)
def load_model(directory: str) -> Model:
    """The model in ``directory``; the last two stay loaded (this one and, during a change of models, the next).

    Raises:
        ModelError: the folder holds no such model; says what was expected and what was found.
    """
    encoder = load_encoder(directory)
    return Model(encoder, *_choose_output(encoder))


def _choose_output(encoder: Encoder) -> tuple[str, bool]:
    """The name of the output with the vectors, and whether they are still those of the tokens.

    ``sentence_embedding`` comes first, then the only output of rank 2, then the first of rank 3: exporters put the last
    hidden state there.
    """
    pooled = [value for value in encoder.outputs if len(value.shape) == 2]
    named = [value for value in pooled if value.name == POOLED]
    tokens = [value for value in encoder.outputs if len(value.shape) == 3]
    for candidates, pool in ((named, False), (pooled if len(pooled) == 1 else [], False), (tokens, True)):
        if candidates and candidates[0].type in FLOATS:
            return candidates[0].name, pool
    raise ModelError(
        f"expected one float output of shape (rows, dimension) or (rows, tokens, dimension) in {encoder.directory}, "
        f"found {in_words(encoder.outputs)}"
    )
