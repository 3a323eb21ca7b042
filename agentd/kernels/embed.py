"""Texts to vectors, in a worker process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentd.errors import ModelError
from agentd.kernels import model_folder
from agentd.kernels.batches import plan_runs
from agentd.kernels.interruption import pause_point
from agentd.kernels.messages import EmbedResult, ModelInfo
from agentd.kernels.model import load_model
from agentd.kernels.quantise import quantise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agentd.kernels.messages import EmbedRequest, ModelRequest
    from agentd.kernels.model import Model

PROBE = "The quick brown fox jumps over the lazy dog."
PROBE_TOKENS = 512
"""A longer row proves little more and, at 8,192 tokens, would take gigabytes."""


def describe_model(request: ModelRequest) -> ModelInfo:
    """Loads the model, tries it out and says what it is.

    Raises:
        ModelError: the folder holds no model that can be used; says what was expected and what was found.
    """
    model = load_model(request.directory)
    directory = model.encoder.directory
    limit = model.encoder.effective_limit(request.max_tokens)
    return ModelInfo(
        name=directory.name,
        dimension=_probe(model, limit),
        max_tokens=limit,
        revision=model_folder.revision(directory, limit),
    )


def _probe(model: Model, limit: int) -> int:
    """The dimension, after a sentence, the highest id of the vocabulary and a row of full length went through."""
    sentence = model.tokenise([PROBE], limit)[0]
    vectors = model.run(sentence)
    if not vectors.any():
        raise ModelError(f"expected a vector with a direction from {model.encoder.directory}, found only zeros")
    model.run([[model.encoder.highest_id]])
    model.run([(sentence[0] * limit)[: min(limit, PROBE_TOKENS)]])
    return int(vectors.shape[1])


def embed(request: EmbedRequest) -> EmbedResult:
    """Vectors of ``request.texts``, in their order.

    Raises:
        ModelError: the model cannot be loaded, or fails on these texts.
    """
    model = load_model(request.directory)
    rows, truncated = model.tokenise(request.texts, model.encoder.effective_limit(request.max_tokens))
    codes, scales = quantise(_run_all(model, rows, request.batch_tokens))
    return EmbedResult(
        dimension=codes.shape[1],
        codes=codes.tobytes(),
        scales=scales.astype("<f4").tobytes(),
        tokens=sum(map(len, rows)),
        truncated=truncated,
    )


def _run_all(model: Model, rows: Sequence[Sequence[int]], batch_tokens: int) -> NDArray[np.float32]:
    """Unit vectors (n, d) of ``rows``, run after run; d is 0 where there are none."""
    runs = plan_runs([len(row) for row in rows], batch_tokens)
    if not runs:
        return np.zeros((0, 0), np.float32)
    parts = []
    for run in runs:
        pause_point()
        parts.append(model.run([rows[index] for index in run]))
    vectors = np.empty((len(rows), parts[0].shape[1]), np.float32)
    vectors[np.concatenate(runs)] = np.concatenate(parts)
    return vectors
